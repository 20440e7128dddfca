/** Posts at a steady pace, each a transaction of its own, whatever becomes of the database meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../clock.ts';
import type { SchoolLog } from './log.ts';

export class Posting {
  /** Transactions that were answered; those that failed may have committed all the same, as the log tells. */
  committed = 0;
  failed = 0;
  readonly #log: SchoolLog;
  readonly #posting: Promise<void>;
  readonly #placing: Promise<void>;
  #stopping = false;
  #unplaced = false;

  constructor(log: SchoolLog, perSecond: number) {
    this.#log = log;
    this.#posting = this.#post(perSecond);
    this.#placing = this.#place();
  }

  async #post(perSecond: number): Promise<void> {
    const began = now();
    const open = new Set<Promise<void>>();
    for (let count = 0; !this.#stopping; count++) {
      const due = began + (count * 1000) / perSecond;
      if (due > now()) await delay(due - now());
      const one = this.#log.commit().then(
        () => {
          this.committed++;
          this.#unplaced = true;
        },
        () => {
          this.failed++;
        },
      );
      open.add(one);
      void one.finally(() => open.delete(one));
    }
    await Promise.all(open);
  }

  /** As a process of Homeroom's does: what was committed in 2 ms is placed by one statement. */
  async #place(): Promise<void> {
    for (;;) {
      await delay(2);
      if (!this.#unplaced) {
        if (this.#stopping) return;
        continue;
      }
      this.#unplaced = false;
      await this.#log.place().catch(() => {
        this.#unplaced = true;
      });
    }
  }

  /** Stops when everything posted is committed and placed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#posting;
    await this.#placing;
  }
}
