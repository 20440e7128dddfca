import { basename } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Take the longest, and are not the longest to read: begun last, they would run on while the other workers have nothing left. */
const longest = [
  'matrix',
  'audiences.property',
  'inspection',
  'presence',
  'demo',
  'door',
  'message-durability',
  'durability',
  'nasty',
  'materials',
];

/** The longest files first, and then, as by default, those with the most to read. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.indexOf(basename(moduleId, '.test.ts'));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
