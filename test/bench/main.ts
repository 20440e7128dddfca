/**
 * `npm run bench`: runs the scenarios, prints one table and writes it as JSON. The exit code tells whether every delivery
 * was right; how fast it was is for whoever reads the table.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Bench } from './bench.ts';
import type { Figure } from './figures.ts';
import { describeMachine } from './machine.ts';
import { readOptions } from './options.ts';
import { type Run, table, writeResults } from './report.ts';
import { broadcast } from './scenarios/broadcast.ts';
import { bursts } from './scenarios/burst.ts';
import { connect } from './scenarios/connect.ts';
import { door } from './scenarios/door.ts';
import { fanout } from './scenarios/fanout.ts';
import { faults } from './scenarios/faults/faults.ts';
import { feed } from './scenarios/feed.ts';
import { history } from './scenarios/history.ts';
import { hostile } from './scenarios/hostile.ts';
import { hotChat } from './scenarios/hot-chat.ts';
import { messages } from './scenarios/messages.ts';
import { queries } from './scenarios/queries.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { storm } from './scenarios/storm.ts';
import { writes } from './scenarios/writes.ts';

const scenarios: readonly Scenario[] = [
  fanout,
  bursts,
  connect,
  queries,
  feed,
  messages,
  hotChat,
  history,
  hostile,
  broadcast,
  writes,
  door,
  storm,
  faults,
];

const options = readOptions(
  process.argv.slice(2),
  scenarios.map(({ name }) => name),
);
const chosen = scenarios.filter(({ name }) => !options.only || options.only.includes(name));
const sizesOf = (scenario: Scenario): readonly number[] => options.sizes ?? scenario.sizes;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
for (const peer of ['mercurius', 'postgraphile']) install(peer);

const date = new Date().toISOString();
const started = performance.now();
const figures: Figure[] = [];
{
  await using bench = await Bench.open(Math.max(...chosen.flatMap(sizesOf)) + 1, options.rounds);
  for (const scenario of chosen) {
    for (const size of sizesOf(scenario)) {
      const say = (progress: string): void => {
        const seconds = ((performance.now() - started) / 1000).toFixed(0);
        process.stderr.write(`${seconds.padStart(5)} s  ${scenario.name} ${size}: ${progress}\n`);
      };
      figures.push(...(await scenario.run(bench, size, say)));
    }
  }
}

const run: Run = { date, machine: describeMachine(), rounds: options.rounds, figures };
const { cpu, cores, memoryGiB, kernel, node, commit } = run.machine;
process.stdout.write(`${cpu}, ${cores} cores, ${memoryGiB} GiB, Linux ${kernel}, node ${node}, commit ${commit}\n`);
process.stdout.write(`Medians of ${run.rounds} rounds (least–most), ratios round by round.\n\n${table(figures)}\n`);
writeResults(run);
process.exitCode = figures.some(({ problems }) => problems.length > 0) ? 1 : 0;

/** What needs another graphql is installed by who measures it, and only for that. */
function install(peer: string): void {
  const folder = fileURLToPath(new URL(`./peers/${peer}`, import.meta.url));
  if (existsSync(`${folder}/node_modules/.package-lock.json`)) return;
  execFileSync('npm', ['ci', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}
