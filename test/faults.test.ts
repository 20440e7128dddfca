import { expect, test } from 'vitest';
import { decodeCursor } from '../src/log/cursor.ts';
import { text } from '../src/texts.ts';
import { startTestApp } from './support/app.ts';
import { type GraphQLResult, TestClient } from './support/client.ts';
import { watchProcess } from './support/halves.ts';
import { cursorOf, Oracle } from './support/log.ts';
import { operation } from './support/operations.ts';
import { administer, databaseIn } from './support/postgres.ts';
import { startCluster } from './support/postgres-cluster.ts';
import { ResumingStream } from './support/socket.ts';
import { anyMoment, eventually } from './support/waiting.ts';
import type { School } from './support/world.ts';

/** People who read and write without pause; remembers every result that was an error, and what was acknowledged. */
class HttpLoad {
  readonly acknowledged: string[] = [];
  readonly failures: GraphQLResult[] = [];
  readonly broken: unknown[] = [];
  answered = 0;
  readonly #workers: Promise<void>[];
  #stopping = false;

  constructor({ id, administrator, staffGroupId }: School, workers: number) {
    const { url, token } = administrator;
    const input = { groupId: staffGroupId, role: 'EMPLOYEE' };
    this.#workers = Array.from({ length: workers }, async (_, worker) => {
      const person = new TestClient(url, token);
      for (let turn = worker; !this.#stopping; turn++) {
        try {
          const result = await (turn % 2
            ? person.send(operation('Organization'), { id })
            : person.send(operation('CreateInvite'), { input }));
          if (result.errors) this.failures.push(result);
          else if (result.data.createInvite) this.acknowledged.push(result.data.createInvite.invite.id);
          if (!result.errors) this.answered++;
          // A server without its database refuses at once.
          if (result.errors) await anyMoment(10);
        } catch (error) {
          this.broken.push(error);
        }
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
  }
}

test('a database that hangs up eight times and crashes costs clean errors, and no event that was acknowledged', async () => {
  using observed = watchProcess();
  await using cluster = await startCluster();
  await administer(cluster.url, 'create database homeroom');
  const databaseUrl = databaseIn(cluster.url, 'homeroom');
  await using app = await startTestApp({ databaseUrl });
  const school = await app.world.school();
  const { administrator, id: organizationId } = school;
  const after = await cursorOf(administrator);
  await using stream = new ResumingStream([app.url], administrator, 'OrganizationEvents', { organizationId, after });

  const load = new HttpLoad(school, 8);
  const moreAnswers = async () => {
    const before = load.answered;
    await eventually(() => expect(load.answered).toBeGreaterThan(before + 40));
  };
  for (let round = 0; round < 8; round++) {
    await moreAnswers();
    await administer(
      cluster.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'homeroom' and pid <> pg_backend_pid()`,
    );
  }
  await moreAnswers();
  await cluster.restart('immediate');
  await load.stop();

  // Soon everything answers again.
  await eventually(async () => {
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => administrator.send(operation('Organization'), { id: organizationId })),
    );
    expect(answers.filter(({ errors }) => errors)).toEqual([]);
  });
  expect((await fetch(app.url.replace('graphql', 'ready'))).status).toBe(200);

  await using oracle = new Oracle({ databaseUrl });
  const heard = await oracle.places(administrator, decodeCursor(after).position, school);
  await eventually(() => expect(stream.places).toEqual(heard));
  const told = new Set(stream.delivered.map(({ invite }) => invite?.id));
  expect(new Set(load.acknowledged).difference(told)).toEqual(new Set());

  expect(observed.fatal).toEqual([]);
  expect(load.broken).toEqual([]);
  expect(load.failures.length).toBeGreaterThan(0);
  const errors = [...load.failures.flatMap((failure) => failure.errors ?? []), ...stream.errors];
  expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['UNAVAILABLE']));
  // Nothing else, so no word of the driver's; whose profile cannot be read is spoken to in the request's language.
  const texts = [text('en', 'UNAVAILABLE'), text('ru', 'UNAVAILABLE')];
  expect(errors.filter(({ message }) => !texts.includes(message))).toEqual([]);
  // Every close was one that stock clients come back from.
  expect(stream.closes.filter((code) => ![1012, 1013].includes(code))).toEqual([]);
});
