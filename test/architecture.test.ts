import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../src', import.meta.url));
const domainFiles = ['tables.ts', 'policy.ts', 'queries.ts', 'commands.ts', 'graphql.ts'];
// The demo is content, not a domain.
const kernel = [
  'documents',
  'streaming',
  'conferencing',
  'storage',
  'inspection',
  'database',
  'jobs',
  'log',
  'signals',
  'delivery',
  'graphql',
  'transfers',
  'callbacks',
  'demo',
];

/** The lines of the block «floors» in src/README.md, ground first. */
const floors = (/```floors\n([\s\S]*?)```/.exec(readFileSync(join(source, 'README.md'), 'utf8'))?.[1] ?? '')
  .trim()
  .split('\n')
  .map((line) => line.split(' '));
const floorOf = new Map(floors.flatMap((names, floor) => names.map((name): [string, number] => [name, floor])));

const modules = globSync('**/*.ts', { cwd: source }).sort();

/** Folder of a module, or its own name on the top level. */
const placeOf = (module: string): string => module.split('/')[0]?.replace(/\.ts$/, '') ?? '';

const imports = modules.flatMap((module) => {
  const text = readFileSync(join(source, module), 'utf8');
  const targets = [...text.matchAll(/(?:from|import)\s*\(?'(\.{1,2}\/[^']+\.ts)'/g)].map((match) => match[1] ?? '');
  return targets.map((target) => ({ from: module, to: normalize(join(dirname(module), target)) }));
});

test('every module stands on a floor', () => {
  expect(floors.length).toBeGreaterThan(10);
  expect([...new Set(modules.map(placeOf))].filter((place) => !floorOf.has(place))).toEqual([]);
  expect([...floorOf.keys()].filter((place) => !modules.some((module) => placeOf(module) === place))).toEqual([]);
});

test('imports only go down', () => {
  const upwards = imports.filter(({ from, to }) => {
    if (placeOf(from) === placeOf(to)) return false;
    return (floorOf.get(placeOf(to)) ?? Infinity) >= (floorOf.get(placeOf(from)) ?? -1);
  });
  expect(upwards).toEqual([]);
});

test('a domain folder holds tables, policy, queries, commands and graphql, and nothing else', () => {
  const others = modules.filter((module) => {
    const [folder = '', file] = module.split('/');
    return file !== undefined && !kernel.includes(folder) && !domainFiles.includes(file);
  });
  expect(others).toEqual([]);
});

test('within a domain, tables come before policy, queries, commands and graphql', () => {
  const backwards = imports.filter(({ from, to }) => {
    const [folder = '', file = ''] = from.split('/');
    const [otherFolder, otherFile = ''] = to.split('/');
    if (folder !== otherFolder || kernel.includes(folder)) return false;
    return domainFiles.indexOf(otherFile) >= domainFiles.indexOf(file);
  });
  expect(backwards).toEqual([]);
});

test('only the configuration reads the environment, and only main ends the process', () => {
  const reads = modules.filter((module) => readFileSync(join(source, module), 'utf8').includes('process.env'));
  const ends = modules.filter((module) => readFileSync(join(source, module), 'utf8').includes('process.exit'));
  expect(reads).toEqual(['main.ts']);
  expect(ends).toEqual(['main.ts']);
});

test('policies are pure: no promises, no database', () => {
  const impure = modules.filter(
    (module) =>
      module.endsWith('policy.ts') &&
      /\basync\b|\bawait\b|drizzle|database/.test(readFileSync(join(source, module), 'utf8')),
  );
  expect(impure).toEqual([]);
});

test('a file can be read in one sitting', () => {
  const long = modules.filter((module) => readFileSync(join(source, module), 'utf8').split('\n').length > 320);
  expect(long).toEqual([]);
});
