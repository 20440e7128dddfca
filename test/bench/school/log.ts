/**
 * The log as the bench writes and reads it: publishes like another process of Homeroom's, so that a measured server's CPU
 * holds all of the delivery and nothing of the command; and knows what was to be heard.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../../src/database/connect.ts';
import { append, transact } from '../../../src/log/append.ts';
import { placeEvents } from '../../support/placing.ts';
import { now } from '../clock.ts';
import type { Expected } from '../load/verdict.ts';
import type { BenchDatabase, Sql } from './database.ts';
import type { School } from './seed.ts';

export class SchoolLog {
  readonly school: School;
  readonly #connection: Connection;
  readonly #sql: Sql;

  constructor({ connection, sql }: BenchDatabase, school: School) {
    this.#connection = connection;
    this.#sql = sql;
    this.school = school;
  }

  /** Commits events for all members, in one transaction, and leaves them without a place. Returns when that was. */
  async commit(count = 1): Promise<number> {
    const { organizationId, membersAudienceId } = this.school;
    const event = {
      kind: 'ORGANIZATION_UPDATED',
      audienceId: membersAudienceId,
      organizationId,
      subjectId: organizationId,
    };
    await transact(this.#connection.db, (tx) => append(tx, ...Array.from({ length: count }, () => event)));
    return now();
  }

  /** Gives what is committed its place, and tells every process. */
  async place(): Promise<void> {
    await placeEvents(this.#connection);
  }

  /** Commits and places. Returns when it was committed. */
  async publish(count = 1): Promise<number> {
    const at = await this.commit(count);
    await this.place();
    return at;
  }

  /** The places of the last events of a kind for all members, in order. */
  async latest(count: number, kind = 'ORGANIZATION_UPDATED'): Promise<number[]> {
    const found = await this.#sql<{ position: number }[]>`
      select position from log_events where audience_id = ${this.school.membersAudienceId} and kind = ${kind}
      order by position desc limit ${count}`;
    return found.map(({ position }) => position).reverse();
  }

  /** The place of the last event of all. */
  async head(): Promise<number> {
    const [found] = await this.#sql<{ head: number }[]>`select coalesce(max(position), 0) as head from log_events`;
    return Number(found?.head);
  }

  /** How many events wait for their place. */
  async unplaced(): Promise<number> {
    const [found] = await this.#sql<{ count: number }[]>`select count(*) from log_events where position is null`;
    return Number(found?.count);
  }

  /** The places behind one, of each audience: what its members were to hear since, of one kind or of all. */
  async expected(after: number, kind: string | null = null): Promise<Expected> {
    // What has been committed may not have its place yet, and is to be heard all the same.
    while ((await this.unplaced()) > 0) await delay(5);
    const found = await this.#sql<{ audience: string; positions: string[] }[]>`
      select audience_id as audience, array_agg(position order by position) as positions from log_events
      where position > ${after} and kind not in ('ACCESS_BEGAN', 'ACCESS_ENDED', 'SESSION_ENDED') and (${kind}::text is null or kind = ${kind}::text)
      group by audience_id`;
    return Object.fromEntries(found.map(({ audience, positions }) => [audience, positions.map(Number)]));
  }
}
