/** Many people come to watch one broadcast: through Homeroom, by the one statement of a join, and by the same behind one lock. */
import { operation } from '../../support/operations.ts';
import type { Bench } from '../bench.ts';
import { mediaSecret } from '../contestants/live-homeroom.ts';
import type { AttenderOrders } from '../load/attender.ts';
import type { JoinerOrders } from '../load/joiner.ts';
import type { Done } from '../load/once.ts';
import { Helper } from '../processes/child.ts';
import type { Server } from '../processes/server.ts';
import type { Person } from '../school/seed.ts';
import { openBroadcast, type Planned, type Studio } from '../school/studio.ts';

export type Way = 'homeroom' | 'statement' | 'locking';
export const ways: readonly Way[] = ['homeroom', 'statement', 'locking'];

export const atOnce = 128;
/** As many as Homeroom has. */
const connections = 10;

/** What of joining through Homeroom is known besides: microseconds of the server's CPU each, and how they then played it. */
interface Watched {
  readonly cpu: number;
  readonly played: Done;
  readonly playedCpu: number;
}

/** Each time is a broadcast of its own. */
export class Joins {
  /** What was wrong: who could not join, was not there afterwards or was not counted. */
  readonly problems: string[] = [];
  readonly #bench: Bench;
  readonly #studio: Studio;
  readonly #server: Server;

  constructor(bench: Bench, studio: Studio, server: Server) {
    this.#bench = bench;
    this.#studio = studio;
    this.#server = server;
  }

  /** So many people join: how that went. */
  async by(way: Way, count: number): Promise<Done & Partial<Watched>> {
    const { sql } = this.#bench.database;
    const broadcast = await openBroadcast(sql, this.#studio);
    await sql`vacuum analyze broadcasts, broadcast_attendances`;
    await sql`checkpoint`;
    await this.#server.untilAtRest();
    const people = this.#studio.people.slice(0, count);
    const done =
      way === 'homeroom' ? await this.#overHttp(broadcast, people) : await this.#byHand(broadcast, people, way);
    if (done.failures.length > 0) this.problems.push(`${way}: joins failed: ${done.failures[0]}`);
    await this.#check(broadcast, way, count);
    return done;
  }

  /** As `by`, where each join holds all that it locks for so long before it commits. */
  async slowlyBy(way: Way, count: number, ms: number): Promise<Done> {
    const { sql } = this.#bench.database;
    await sql.unsafe(`
      create function take_long() returns trigger language plpgsql as $$ begin perform pg_sleep(${ms / 1000}); return null; end $$;
      create trigger take_long after insert on broadcast_attendances for each row execute function take_long();`);
    try {
      return await this.by(way, count);
    } finally {
      await sql`drop function take_long cascade`;
    }
  }

  async #overHttp({ id, rowId }: Planned, people: readonly Person[]): Promise<Done & Watched> {
    await using joiner = new Helper<JoinerOrders>(new URL('../load/joiner.ts', import.meta.url));
    const { url } = this.#server;
    const body = JSON.stringify({ query: operation('JoinBroadcast'), variables: { broadcastId: id } });
    const tokens = people.map(({ token }) => token);
    const before = this.#server.cpu();
    const done = await joiner.order('join', { url, body, tokens, atOnce, proof: '"state":"LIVE"' });
    const cpu = (this.#server.cpu() - before) / people.length;
    await this.#server.untilAtRest();
    const rested = this.#server.cpu();
    const played = await joiner.order('play', { url, secret: mediaSecret, atOnce, broadcastId: rowId });
    const playedCpu = (this.#server.cpu() - rested) / people.length;
    if (played.failures.length > 0) this.problems.push(`who joined could not play: ${played.failures[0]}`);
    return { ...done, cpu, played, playedCpu };
  }

  async #byHand({ rowId: broadcastId }: Planned, people: readonly Person[], way: Way): Promise<Done> {
    await using attender = new Helper<AttenderOrders>(new URL('../load/attender.ts', import.meta.url));
    const userIds = people.map(({ userId }) => userId);
    const databaseUrl = this.#bench.database.url;
    const attending = { databaseUrl, connections, atOnce, broadcastId, userIds, locking: way === 'locking' };
    return await attender.order('attend', attending);
  }

  /** Everybody is there, once, and counted. */
  async #check({ rowId, id }: Planned, way: Way, count: number): Promise<void> {
    const [found] = await this.#bench.database.sql<{ there: number }[]>`
      select count(distinct user_id) as there from broadcast_attendances where broadcast_id = ${rowId}`;
    if (Number(found?.there) !== count) this.problems.push(`${way}: ${found?.there} have joined of ${count}`);
    const query = operation('BroadcastAttendance');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${this.#studio.head.token}` };
    const body = JSON.stringify({ query, variables: { id } });
    const answer = await (await fetch(this.#server.url, { method: 'POST', headers, body })).json();
    const { watchingCount, attendance } = answer.data?.node ?? {};
    if (watchingCount !== count || attendance?.totalCount !== count)
      this.problems.push(`${way}: ${watchingCount} watch, ${attendance?.totalCount} have watched, of ${count}`);
  }
}
