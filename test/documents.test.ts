import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Kind, parse, validateSubscriptionArgs } from 'graphql';
import { expect, test } from 'vitest';
import { Operations } from '../src/graphql/operations.ts';
import { Plans } from '../src/graphql/plan.ts';
import { selectionOf } from '../src/graphql/sharing.ts';
import { schema } from '../src/schema.ts';
import { operation as operationText } from './support/operations.ts';

setFlagsFromString('--expose_gc');
const collectGarbage: () => void = runInNewContext('gc');
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Megabytes that are kept of what somebody asks for so many times, each time otherwise. */
async function keptOf(count: number, ask: (number: number) => unknown): Promise<number> {
  ask(count); // what is made once is not counted
  const before = await heap();
  for (let number = 0; number < count; number++) {
    ask(number);
    await nextTurn(); // until then what was made is kept in any case
  }
  return (await heap()) - before;
}

async function heap(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    await nextTurn();
    collectGarbage();
  }
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

const words = (count: number, word: string) => Array.from({ length: count }, () => word).join(' ');

test.each([
  ['invalid', (number: number) => `query N${number} { ${words(19, 'x')} viewer { ${words(1_900, 'y')} } }`],
  ['valid', (number: number) => `query N${number} { viewer { ${words(230, 'locale @include(if: true)')} } }`],
])('of the documents that strangers send a few megabytes are kept, however many there are: %s', async (_kind, text) => {
  const operations = new Operations({ schema, introspection: false } as never); // all that reading takes
  const kept = await keptOf(150, (number) => operations.validate(operations.parse(text(number), null)));
  expect(kept).toBeLessThan(15);
  expect(operations.known(text(0))).toBeNull();
});

test('of what people follow in ways of their own, and then no more, a few megabytes are kept', async () => {
  const plans = new Plans({} as never); // of which nothing is asked here
  const kept = await keptOf(300, (number) => {
    const text = `subscription N${number} { viewerEvents { ${words(320, '... on LogEvent { cursor }')} } }`;
    const document = parse(text, { noLocation: true });
    const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const args = validateSubscriptionArgs({ schema, document });
    if (!('schema' in args) || operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(JSON.stringify(args));
    plans.planOf(selectionOf(schema, document, operation), args, () => null);
  });
  expect(kept).toBeLessThan(20);
  expect(plans.loaders).toBeDefined(); // they are there still
});

test.each([
  ['BroadcastStarted', ['BroadcastStarted']],
  ['BroadcastEvents', ['BroadcastStarted', 'BroadcastChanged', 'BroadcastQuestionChanged']],
])('what thousands are told at one moment asks nothing of them, so that it is made once for all: %s', (name, events) => {
  const document = parse(operationText(name));
  const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error('no operation');
  const selection = selectionOf(schema, document, operation);
  expect(events.filter((event) => selection.perViewer(event))).toEqual([]);
});
