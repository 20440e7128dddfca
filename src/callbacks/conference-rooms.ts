import type { Logger } from 'pino';
import type { Conferencing, Room } from '../conferencing/conferencing.ts';
import type { Database } from '../database/connect.ts';
import type { Door } from '../graphql/http.ts';
import type { RecurringJob } from '../jobs/queue.ts';
import { Soon } from '../jobs/soon.ts';
import type { TaskKind } from '../jobs/tasks.ts';
import {
  forgetReceipts,
  leaveRoom,
  type RoomKeepers,
  type RoomLeaving,
  roomClosing,
  roomLeaving,
  sendOutUninvited,
} from '../participations/commands.ts';
import { ConferenceDoor } from './conference-door.ts';

export interface ConferenceRoomsOptions {
  readonly db: Database;
  /** Null: there is none, so nobody is in any room. */
  readonly conferencing: Conferencing | null;
  readonly keepers: RoomKeepers;
  readonly logger: Logger;
}

/** What goes on between the conferencing server and us beside people's requests: what it tells, and what it is told to do. */
export class ConferenceRooms implements AsyncDisposable {
  readonly #options: ConferenceRoomsOptions;
  readonly #keeping: Soon;

  constructor(options: ConferenceRoomsOptions) {
    this.#options = options;
    this.#keeping = new Soon(
      () => this.#keep(),
      (error) => options.logger.warn({ err: error }, 'people cannot be sent out of rooms now'),
    );
  }

  /** Somebody may see less than before, or has signed out: they may be in a room that is not theirs any more. */
  accessEnded(): void {
    if (this.#options.conferencing) this.#keeping.ask();
  }

  async #keep(): Promise<void> {
    const { db, conferencing, keepers } = this.#options;
    if (conferencing) await sendOutUninvited(db, conferencing, keepers);
  }

  /** What is done again and again: what was missed at once is made up for. */
  get recurring(): readonly RecurringJob[] {
    return [
      { name: 'room-keeping', cron: '* * * * *', run: () => this.#keep() },
      { name: 'conference-receipts', cron: '41 3 * * *', run: forgetReceipts },
    ];
  }

  /** What commands leave to be done when they have committed. */
  get tasks(): readonly TaskKind[] {
    const { conferencing } = this.#options;
    const closing: TaskKind<Room> = {
      ...roomClosing,
      run: async (_db, room) => {
        await conferencing?.closeRoom(room);
      },
    };
    const leaving: TaskKind<RoomLeaving> = {
      ...roomLeaving,
      run: async (db, task) => {
        if (conferencing) await leaveRoom(db, conferencing, task);
      },
    };
    return [closing, leaving];
  }

  /** Where the conferencing server tells what happens. */
  get doors(): readonly Door[] {
    const { db, conferencing, keepers, logger } = this.#options;
    if (!conferencing) return [];
    const onUnwanted = () => this.accessEnded();
    return [new ConferenceDoor({ db, conferencing, keepers, logger, onUnwanted })];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#keeping[Symbol.asyncDispose]();
  }
}
