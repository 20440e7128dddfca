/** What must not matter: each fault with everybody listening, and the same check of every delivery. */
import type { Figure } from '../../figures.ts';
import type { Scenario } from '../scenario.ts';
import { deaf } from './deaf.ts';
import { type Harm, suffer } from './fault.ts';
import { killed } from './killed.ts';
import { paused } from './paused.ts';
import { restarted, unheard } from './postgres.ts';

const harms: readonly (readonly [what: string, harm: Harm])[] = [
  ['killed between commit and sequencing', killed],
  ['Postgres restarted', restarted],
  ['LISTEN connection cut', unheard],
  ['one process paused 10 s', paused],
];

export const faults: Scenario = {
  name: 'faults',
  sizes: [1000],
  async run(bench, size, say) {
    const figures: Figure[] = [];
    for (const [what, harm] of harms) {
      const figure = await suffer(bench, size, what, harm);
      say(`${what}: ${figure.problems.join('; ') || 'nothing wrong'}`);
      figures.push(figure);
    }
    return [...figures, ...(await deaf(bench, size, say))];
  },
};
