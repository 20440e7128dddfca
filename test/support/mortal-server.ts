import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { TestClient } from './client.ts';
import { createDatabase, testSecret } from './postgres.ts';
import { eventually } from './waiting.ts';
import { applicationOf } from './world.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const operatorPhone = '+79161234567';
const administratorPhone = '+79161234568';

/** The server as operators run it: a process of its own, which knows nothing of this one. */
export class Server implements AsyncDisposable {
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
        HOMEROOM_SHARE_PERCENT: '1000000',
        HOMEROOM_SECRET: testSecret,
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
    return eventually(() => {
      const found = this.#lines.map((line) => pattern.exec(line)?.[1]).findLast((part) => part !== undefined);
      if (!found || this.#process.exitCode !== null) throw new Error(this.#lines.join('\n'));
      return found;
    });
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

export async function signIn(server: Server, phone: string): Promise<TestClient> {
  const visitor = new TestClient(server.url);
  const { challengeId } = await visitor.does('RequestSignInCode', { phone });
  const code = await server.said(new RegExp(`\\${phone}\\b.*\\b(\\d{6})\\b`));
  const { token } = await visitor.does('SignIn', { challengeId, code });
  return new TestClient(server.url, token);
}

/** Nothing came of a request because the server was gone; an answer that refuses is none of that. */
export function unlessAnswered(error: unknown): null {
  if (error instanceof TypeError) return null;
  throw error;
}

/** A school that invites into its staff, opened as on any new server. */
export async function openSchool(server: Server) {
  const [operator, administrator] = [await signIn(server, operatorPhone), await signIn(server, administratorPhone)];
  const wish = applicationOf('School 7', 'SCHOOL', administratorPhone);
  const application = await administrator.does('SubmitOrganizationApplication', { input: wish });
  const approved = await operator.does('ApproveOrganizationApplication', { applicationId: application.id });
  if (!approved.organization) throw new Error(JSON.stringify({ application, approved }));
  const organizationId: string = approved.organization.id;
  const { organization } = await administrator.run('Organization', { id: organizationId });
  return { token: administrator.token, organizationId, groupId: String(organization.groups.nodes[0].id) };
}

/** A database of a kind, as the server's environment names it, until the stack is disposed. */
export async function databaseOf(
  kind: 'Postgres' | 'the embedded database',
  stack: AsyncDisposableStack,
): Promise<Record<string, string>> {
  if (kind === 'Postgres') return { DATABASE_URL: stack.use(await createDatabase()).url };
  const directory = await mkdtemp(join(tmpdir(), 'homeroom-durability-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  return { HOMEROOM_DATA: directory };
}
