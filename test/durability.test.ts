import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { type Json, TestClient } from './support/client.ts';
import { cursorOf } from './support/log.ts';
import { createDatabase } from './support/postgres.ts';
import { ResumingStream } from './support/socket.ts';
import { applicationOf } from './support/world.ts';

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const operatorPhone = '+79161234567';
const administratorPhone = '+79161234568';

/** The server as operators run it: a process of its own, which knows nothing of this one. */
class Server implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  url = '';

  private constructor(environment: Record<string, string>) {
    this.#process = spawn(process.execPath, [program], {
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        HOMEROOM_DEMO: '0',
        HOMEROOM_FILES: 'memory://',
        HOMEROOM_OPERATOR_PHONES: operatorPhone,
        HOMEROOM_RATE_PER_MINUTE: '1000000',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#lines.push(line));
    }
  }

  static async start(environment: Record<string, string>): Promise<Server> {
    const server = new Server(environment);
    server.url = await server.said(/"url":"([^"]+)"/);
    return server;
  }

  /** What a pattern found in the last line that it fits, once there is one. */
  said(pattern: RegExp): Promise<string> {
    return vi.waitFor(
      () => {
        const found = this.#lines.map((line) => pattern.exec(line)?.[1]).findLast((part) => part !== undefined);
        if (!found || this.#process.exitCode !== null) throw new Error(this.#lines.join('\n'));
        return found;
      },
      { timeout: 20_000, interval: 10 },
    );
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

async function signIn(server: Server, phone: string): Promise<TestClient> {
  const visitor = new TestClient(server.url);
  await visitor.does('RequestSignInCode', { phone });
  const code = await server.said(new RegExp(`\\${phone}\\b.*\\b(\\d{6})\\b`));
  const { token } = await visitor.does('SignIn', { phone, code });
  return new TestClient(server.url, token);
}

/** A school that invites into its staff, opened as on any new server. */
async function openSchool(server: Server) {
  const [operator, administrator] = [await signIn(server, operatorPhone), await signIn(server, administratorPhone)];
  const wish = applicationOf('School 7', 'SCHOOL', administratorPhone);
  const application = await administrator.does('SubmitOrganizationApplication', { input: wish });
  const approved = await operator.does('ApproveOrganizationApplication', { applicationId: application.id });
  if (!approved.organization) throw new Error(JSON.stringify({ application, approved }));
  const organizationId: string = approved.organization.id;
  const { organization } = await administrator.run('Organization', { id: organizationId });
  return { token: administrator.token, organizationId, groupId: String(organization.groups.nodes[0].id) };
}

/** Makes invites, each with a key of its own, until the server is gone; remembers those that it was told of. */
async function inviteUntilKilled(person: TestClient, groupId: string, acknowledged: Map<string, string>) {
  for (;;) {
    const idempotencyKey = crypto.randomUUID();
    const input = { groupId, role: 'EMPLOYEE', idempotencyKey };
    const result = await person.does('CreateInvite', { input }).catch(() => null);
    if (!result) return;
    acknowledged.set(result.invite.id, idempotencyKey);
  }
}

test.concurrent.each(['Postgres', 'PGlite'])('nothing acknowledged is missing after kill -9 in mid-write on %s', {
  timeout: 90_000,
}, async (kind) => {
  await using stack = new AsyncDisposableStack();
  const environment: Record<string, string> = {};
  if (kind === 'Postgres') environment.DATABASE_URL = stack.use(await createDatabase()).url;
  else {
    environment.HOMEROOM_DATA = await mkdtemp(join(tmpdir(), 'homeroom-durability-'));
    stack.defer(() => rm(environment.HOMEROOM_DATA ?? '', { recursive: true, force: true }));
  }
  const acknowledged = new Map<string, string>();
  let server = stack.use(await Server.start(environment));
  const { token, organizationId, groupId } = await openSchool(server);
  const after = await cursorOf(new TestClient(server.url, token));

  for (let round = 0; round < 3; round++) {
    const before = acknowledged.size;
    const person = new TestClient(server.url, token);
    const writing = Promise.all([1, 2, 3, 4].map(() => inviteUntilKilled(person, groupId, acknowledged)));
    await vi.waitFor(() => expect(acknowledged.size).toBeGreaterThan(before + 20), { timeout: 20_000, interval: 1 });
    await delay(Math.random() * 10);
    await server.kill();
    await writing;
    server = stack.use(await Server.start(environment));
  }

  const person = new TestClient(server.url, token);
  const kept = new Set<string>();
  for (let page: Json = { hasNextPage: true, endCursor: null }; page.hasNextPage; ) {
    const { invites } = (await person.run('Invites', { organizationId, first: 100, after: page.endCursor }))
      .organization;
    for (const { id } of invites.nodes) kept.add(id);
    page = invites.pageInfo;
  }
  expect(new Set(acknowledged.keys()).difference(kept)).toEqual(new Set());
  const [id, idempotencyKey] = [...acknowledged].at(-1) ?? [];
  const repeated = await person.does('CreateInvite', { input: { groupId, role: 'EMPLOYEE', idempotencyKey } });
  expect(repeated.invite.id).toBe(id);

  // What was committed got its place in the log too, acknowledged or not, although nobody was left to give it.
  await using stream = new ResumingStream([server.url], person, 'OrganizationEvents', { organizationId, after });
  await vi.waitFor(() => expect(stream.delivered.length).toBeGreaterThanOrEqual(kept.size), { timeout: 10_000 });
  expect(stream.delivered.map(({ invite }) => invite.id)).toHaveLength(kept.size);
  expect(new Set(stream.delivered.map(({ invite }) => invite.id))).toEqual(kept);
  expect(stream.places).toEqual([...stream.places].sort((one, other) => one - other));
});
