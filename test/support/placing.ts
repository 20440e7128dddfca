import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../src/database/connect.ts';
import { sequencer } from '../../src/log/sequence.ts';
import { throughPostgres } from '../../src/log/wake-up.ts';

/** Gives all that is committed its place and tells every process, where no process's tail does. */
export async function placeEvents(connection: Connection): Promise<void> {
  const place = sequencer(throughPostgres(connection).withPlaces);
  for (let turn = await place(connection.db); turn === null || turn.more; turn = await place(connection.db)) {
    await delay(turn ? 0 : 1);
  }
}
