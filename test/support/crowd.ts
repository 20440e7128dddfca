import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type postgres from 'postgres';
import WebSocket from 'ws';
import { settleAudiences } from '../../src/audiences/commands.ts';
import { connect } from '../../src/database/connect.ts';
import { idOf } from '../../src/graphql/ids.ts';
import { decodeCursor } from '../../src/log/cursor.ts';
import { hashSecret, newSecret } from '../../src/secrets.ts';
import { startTestApp, type TestApp } from './app.ts';
import { TestClient } from './client.ts';
import { cursorOf, Oracle } from './log.ts';
import { operation } from './operations.ts';
import { placeEvents } from './placing.ts';
import { placeOf } from './socket.ts';
import { inDatabase } from './sql.ts';
import type { School } from './world.ts';

let phones = 0;

/** Many signed-in guardians of a school, made in bulk: what matters is what the server does for them, not how they came. */
async function crowdOf(app: TestApp, school: School, size: number): Promise<TestClient[]> {
  const organizationId = idOf('Organization', school.id);
  const tokens = Array.from({ length: size }, newSecret);
  const hashes = tokens.map((token) => hashSecret(token).toString('hex'));
  const from = 79_180_000_000 + phones;
  phones += size;
  await inDatabase(
    app,
    (sql) => sql`
      with given as (select hash, '+' || (${from}::bigint + n) as phone from unnest(${hashes}::text[]) with ordinality g (hash, n)),
      people as (insert into users (phone, signed_in_at) select phone, now() from given returning id, phone),
      signed_in as (
        insert into sessions (user_id, token_hash, client, expires_at)
        select p.id, decode(g.hash, 'hex'), 'test', now() + interval '1 day' from given g join people p using (phone))
      insert into memberships (organization_id, user_id, role) select ${organizationId}::uuid, id, 'GUARDIAN' from people`,
  );
  await using connection = await connect({ databaseUrl: app.databaseUrl, dataDirectory: 'memory://', poolSize: 1 });
  await connection.db.transaction((tx) => settleAudiences(tx, organizationId, 'everybody'));
  await placeEvents(connection);
  return tokens.map((token) => new TestClient(app.url, token));
}

/** The lock under which the log's sequencer works. */
const sequencing = 0x686f6d65;

/** Commits events with their places and tells every process, as another process would. Takes rows of audience, kind, subject. */
export async function publish(sql: postgres.Sql, events: postgres.PendingQuery<postgres.Row[]>): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${sequencing})`;
    await tx`
      with told as (
        insert into log_events (position, audience_id, kind, subject_id)
        select nextval('log_position'), e.* from (${events}) e returning position)
      select pg_notify('homeroom_log', max(position)::text) from told`;
  });
}

/** Tells all members that their school has changed, so many times in one transaction. */
const tellMembers = (sql: postgres.Sql, school: School, count = 1): Promise<void> =>
  publish(
    sql,
    sql`select id, 'ORGANIZATION_UPDATED', organization_id from audiences, generate_series(1, ${count}::int)
      where kind = 'MEMBERS' and organization_id = ${idOf('Organization', school.id)}`,
  );

/** A server with a school of so many members, and where its log stands. */
export async function openSchool(size: number) {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await startTestApp());
  const oracle = stack.use(new Oracle(app));
  const school = await app.world.school();
  const crowd = await crowdOf(app, school, size);
  const after = await cursorOf(school.administrator);
  const kept = stack.move();
  const tell = (count?: number) => tellMembers(oracle.sql, school, count);
  const told = async () => {
    const member = crowd[0] ?? school.administrator;
    return oracle.places(member, decodeCursor(after).position, school);
  };
  return { app, oracle, school, crowd, after, tell, told, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** A socket that follows a school and keeps of what it hears no more than the places. */
export class Ear implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly closed: Promise<number>;
  readonly places: number[] = [];
  /** The cursor of the last event, where to go on. */
  cursor = '';
  /** Why it was told that its access ended, if it was. */
  reason: string | null = null;

  private constructor(url: string) {
    this.socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    this.socket.on('error', () => {}); // its close tells
    this.closed = new Promise((resolve) => this.socket.once('close', resolve));
  }

  /** Opens one that has been let in, with so many subscriptions for the same. */
  static async open({ url, token }: TestClient, organizationId: string, after: string, count = 1): Promise<Ear> {
    const ear = new Ear(url);
    await once(ear.socket, 'open');
    const say = (message: object) => ear.socket.send(JSON.stringify(message));
    say({ type: 'connection_init', payload: { authorization: token } });
    await once(ear.socket, 'message');
    ear.socket.on('message', (data) => ear.#hear(JSON.parse(String(data))));
    const payload = { query: operation('OrganizationEvents'), variables: { organizationId, after } };
    for (let id = 0; id < count; id++) say({ id: String(id), type: 'subscribe', payload });
    return ear;
  }

  #hear({ type, payload }: { type: string; payload: { data: { organizationEvents: Record<string, string> } } }): void {
    if (type !== 'next') return;
    const { cursor = '', reason } = payload.data.organizationEvents;
    this.cursor = cursor;
    if (reason) this.reason = reason;
    else this.places.push(placeOf({ cursor }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

/** The server's side of the connection that is opened meanwhile, in this process as the server is. */
export async function withServerSide<Opened>(open: () => Promise<Opened>): Promise<[Opened, Socket]> {
  const accepted: Socket[] = [];
  // Boundary: what this channel tells is documented and untyped.
  const accept = (message: unknown) => void accepted.push((message as { socket: Socket }).socket);
  subscribe('net.server.socket', accept);
  try {
    const opened = await open();
    const [side, another] = accepted;
    if (!side || another) throw new Error(`${accepted.length} connections were opened`);
    return [opened, side];
  } finally {
    unsubscribe('net.server.socket', accept);
  }
}
