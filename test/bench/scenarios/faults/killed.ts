/** `kill -9` between a commit and its sequencing: nobody is left who knows of the event but the log. */
import type { Harm } from './fault.ts';

export const killed: Harm = async (bench, pair) => {
  let caught = 0;
  for (let round = 0; round < bench.rounds; round++) {
    await bench.log.commit();
    const gone = pair.server('here').kill();
    if ((await bench.log.unplaced()) > 0) caught++;
    await gone;
    await pair.verdict('there');
    await bench.log.publish();
    await pair.restart('here');
    await pair.verdict();
  }
  const notes = [`${caught} of ${bench.rounds} times the event was still without a place when the process was killed`];
  return { notes, problems: caught > 0 ? [] : ['the process was never killed in time'] };
};
