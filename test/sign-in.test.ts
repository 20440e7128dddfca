import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { newSecret } from '../src/secrets.ts';
import { operatorPhone, startTestApp, type TestApp } from './support/app.ts';
import { type Json, TestClient } from './support/client.ts';
import { operation } from './support/operations.ts';
import { inDatabase } from './support/sql.ts';

let numbers = 5_550_100;
const newPhone = () => `+7916${String(numbers++)}`;

/** Somebody at an address of their own, as our proxy tells it. */
const at = (app: TestApp, address: string) => new TestClient(app.url, null, { 'x-forwarded-for': address });

const ask = (client: TestClient, phone: string, deviceToken?: string): Promise<Json> =>
  client.does('RequestSignInCode', { phone, deviceToken });

const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

/** An app behind a proxy that says from where people come. */
const proxied = (options: Parameters<typeof startTestApp>[0] = {}) =>
  startTestApp({ ...options, config: { trustedProxies: 1, ...options.config } });

/** Lets a while pass for a phone: everything of its day becomes older. */
const later = (app: TestApp, minutes: number) =>
  inDatabase(
    app,
    (sql) => sql`update sign_in_challenges set created_at = created_at - make_interval(mins => ${minutes}),
      expires_at = expires_at - make_interval(mins => ${minutes}), attempted_at = attempted_at - make_interval(mins => ${minutes})`,
  );

/** Signs in, so that the phone knows the device. */
async function signedIn(app: TestApp, client: TestClient, phone: string, deviceToken?: string): Promise<TestClient> {
  const { challengeId } = await ask(client, phone, deviceToken);
  const signed = await client.does('SignIn', { challengeId, code: app.codeFor(phone) });
  if (!signed.token) throw new Error(JSON.stringify(signed));
  return new TestClient(app.url, signed.token, client.headers);
}

describe('a code', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await proxied();
    return () => app[Symbol.asyncDispose]();
  });

  test('is answered for alike whether or not the phone is known', async () => {
    const [known, unknown] = [
      await ask(at(app, '10.1.0.1'), operatorPhone),
      await ask(at(app, '10.1.0.1'), '8 (916) 555-01-02'),
    ];
    expect(unknown).toMatchObject({ __typename: 'SignInCodeRequest', phone: '+79165550102' });
    expect(Object.keys(known)).toEqual(Object.keys(unknown));
  });

  test('is sent once to a device that asks again within a minute, and each challenge is told to its own device alone', async () => {
    const [phone, device, client] = [newPhone(), newSecret(), at(app, '10.1.1.1')];
    const first = await ask(client, phone, device);
    const code = app.codeFor(phone);
    expect(await ask(client, phone, device)).toEqual(first);
    expect(app.codeFor(phone)).toBe(code);
    const other = await ask(at(app, '10.1.2.1'), phone, newSecret());
    expect(other.challengeId).not.toBe(first.challengeId);
    // Both live: the one that came later has not taken the first one's place.
    expect(await client.does('SignIn', { challengeId: first.challengeId, code })).toMatchObject({
      __typename: 'SignInPayload',
    });
  });

  test('is good once, for five attempts, for five minutes, and each refusal says which', async () => {
    const client = at(app, '10.1.3.1');
    const asked = async () => {
      const phone = newPhone();
      return { challengeId: (await ask(client, phone)).challengeId, code: app.codeFor(phone) };
    };
    const once = await asked();
    expect(await client.does('SignIn', once)).toMatchObject({ __typename: 'SignInPayload' });
    expect(await client.does('SignIn', once)).toMatchObject({ reason: 'USED', attemptsLeft: 0 });

    const tried = await asked();
    for (const attemptsLeft of [4, 3, 2, 1, 0]) {
      const refused = await client.does('SignIn', { ...tried, code: wrong(tried.code) });
      expect(refused).toMatchObject({ code: 'INVALID_CODE', reason: 'WRONG', attemptsLeft });
    }
    expect(await client.does('SignIn', tried)).toMatchObject({ reason: 'LOCKED', attemptsLeft: 0 });

    const late = await asked();
    await later(app, 5);
    expect(await client.does('SignIn', late)).toMatchObject({ reason: 'EXPIRED', attemptsLeft: 0 });
    for (const challengeId of ['', 'x'.repeat(1000), '00000000-0000-4000-8000-000000000000']) {
      expect(await client.does('SignIn', { challengeId, code: '000000' })).toMatchObject({ reason: 'EXPIRED' });
    }
  });

  test('is looked at five times, however many guess at once', async () => {
    const [phone, client] = [newPhone(), at(app, '10.1.4.1')];
    const { challengeId } = await ask(client, phone);
    const code = app.codeFor(phone);
    const guesses = await Promise.all(
      Array.from({ length: 20 }, () => client.does('SignIn', { challengeId, code: wrong(code) })),
    );
    const looked = guesses.filter(({ reason }) => reason === 'WRONG');
    expect(looked.map(({ attemptsLeft }) => attemptsLeft).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(await client.does('SignIn', { challengeId, code })).toMatchObject({ code: 'INVALID_CODE' });
  });

  test.for([
    '12',
    '+7 999',
    'not a phone',
    '+79161234567890123',
    '112',
    '+1 900 555 1234',
    '+7 800 555 35 35',
    '+8816 1234 5678',
  ])('is not sent to %s, which is no mobile phone', async (phone) => {
    expect(await app.world.anonymous().does('RequestSignInCode', { phone })).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'A mobile phone number in international form is needed, for example +79161234567.',
    });
  });

  test('cannot be asked for by a device that counts', async () => {
    const refused = await ask(at(app, '10.1.5.1'), newPhone(), 'device-0001');
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', message: expect.not.stringContaining('device-0001') });
  });

  test('cannot be found by trying all of them on what the database holds', async () => {
    const [phone, device] = [newPhone(), newSecret()];
    const { challengeId } = await ask(at(app, '10.1.6.1'), phone, device);
    const [row] = await inDatabase(app, (sql) => sql`select * from sign_in_challenges where id = ${challengeId}`);
    const hash: string = row?.code_hash.toString('hex');
    // What 0.1 stored, and the like: a thousand codes, the right one among them, in all compositions of what the row tells.
    const near = Math.max(0, Number(app.codeFor(phone)) - 500);
    const parts = ['', phone, challengeId, row?.device_hash.toString('hex')];
    for (let number = near; number < near + 1000; number++) {
      const code = String(number).padStart(6, '0');
      for (const part of parts) {
        for (const text of [`${part}${code}`, `${part}:${code}`, `${part} ${code}`, `${code}${part}`]) {
          expect(createHash('sha256').update(text).digest('hex') === hash).toBe(false);
        }
      }
    }
    expect(row?.device_hash).not.toEqual(createHash('sha256').update(device).digest());
    expect(row?.network_hash).not.toEqual(createHash('sha256').update('10.1.6.0/24').digest());
    expect(JSON.stringify(row)).not.toMatch(/10\.1\.6|"\d{6}"/);
  });
});

describe('strangers', () => {
  test('who ask for codes lock a phone for themselves: its owner signs in where they did before, and from elsewhere', async () => {
    await using app = await proxied();
    const [phone, device] = [newPhone(), newSecret()];
    await signedIn(app, at(app, '10.2.0.1'), phone, device);
    const stranger = at(app, '203.0.113.7');
    const answers = await Promise.all(Array.from({ length: 31 }, () => ask(stranger, phone)));
    expect(answers.filter(({ challengeId }) => challengeId)).toHaveLength(1);
    expect(answers.filter(({ code, retryAt }) => code === 'RATE_LIMITED' && retryAt)).toHaveLength(30);

    // At the stranger's very network, but on a device that the phone knows; and on a new device in another network.
    await signedIn(app, at(app, '203.0.113.8'), phone, device);
    await signedIn(app, at(app, '198.51.100.1'), phone, newSecret());
  });

  test('who guess spend their own attempts: the owner’s code stays good', async () => {
    await using app = await proxied();
    const [phone, owner, stranger] = [newPhone(), at(app, '10.2.1.1'), at(app, '203.0.113.7')];
    const mine = await ask(owner, phone);
    const code = app.codeFor(phone);
    const theirs = await ask(stranger, phone);
    for (const attemptsLeft of [4, 3, 2, 1, 0]) {
      const guess = await stranger.does('SignIn', { challengeId: theirs.challengeId, code: wrong(app.codeFor(phone)) });
      expect(guess).toMatchObject({ reason: 'WRONG', attemptsLeft });
    }
    expect(await owner.does('SignIn', { challengeId: mine.challengeId, code })).toMatchObject({
      token: expect.any(String),
    });
  });

  test('get some codes for a phone a day, a network a fifth of them, with growing waits between', async () => {
    await using app = await proxied();
    const phone = newPhone();
    const waits: number[] = [];
    const from = at(app, '203.0.113.7');
    for (let sent = 0; sent < 5; sent++) {
      expect(await ask(from, phone)).toMatchObject({ phone });
      const refused = await ask(at(app, '203.0.113.99'), phone);
      expect(refused.code).toBe('RATE_LIMITED');
      const [row] = await inDatabase(
        app,
        (sql) => sql`select extract(epoch from ${refused.retryAt}::timestamptz - max(created_at))::float8 / 60 as wait
          from sign_in_challenges where phone = ${phone}`,
      );
      waits.push(Math.round(row?.wait));
      await later(app, 8);
    }
    // The last is a day after the first code was over.
    expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(waits[4]).toBeGreaterThan(23 * 60);
    let others = 0;
    for (let network = 1; network < 30; network++) {
      if ((await ask(at(app, `198.51.${network}.1`), phone)).challengeId) others++;
      await later(app, 30);
    }
    expect(others).toBe(15);
  });

  test('guess 40 times a day at a phone over all challenges, from one network 10 times; 10 more are for devices that it knows', async () => {
    await using app = await proxied();
    const [phone, device] = [newPhone(), newSecret()];
    await signedIn(app, at(app, '10.2.2.1'), phone, device);
    /** Asks and guesses as long as anything is looked at; challenges are made in the past, so that no wait is met. */
    const guessesFrom = async (address: string, token?: string) => {
      let looked = 0;
      for (let challenge = 0; challenge < 4; challenge++) {
        await later(app, 31);
        const { challengeId } = await ask(at(app, address), phone, token);
        if (!challengeId) break;
        for (let guess = 0; guess < 5; guess++) {
          await inDatabase(
            app,
            (sql) => sql`update sign_in_challenges set attempted_at = attempted_at - interval '31 minutes'`,
          );
          const answer = await at(app, address).does('SignIn', { challengeId, code: wrong(app.codeFor(phone)) });
          if (answer.reason === 'WRONG') looked++;
        }
      }
      return looked;
    };
    const looked = [];
    for (const network of [1, 2, 3, 4, 5, 6]) looked.push(await guessesFrom(`198.51.${network}.1`));
    expect(looked).toEqual([10, 10, 10, 10, 0, 0]);
    expect(await guessesFrom('10.2.2.1', device)).toBe(10);
    expect(await guessesFrom('10.2.2.1', device)).toBe(0);
  });

  test('who guess at many codes at once, at two processes, are looked at as often as their network may', async () => {
    await using app = await proxied();
    await using other = await proxied({ databaseUrl: app.databaseUrl ?? '' });
    const phone = newPhone();
    const challenges: string[] = [];
    for (let count = 0; count < 4; count++) {
      challenges.push((await ask(at(app, '203.0.113.7'), phone)).challengeId);
      await inDatabase(app, (sql) => sql`update sign_in_challenges set created_at = created_at - interval '1 hour'`);
    }
    const answers = await Promise.all(
      challenges.flatMap((challengeId) =>
        [app, other].flatMap((one) =>
          Array.from({ length: 4 }, (_, guess) =>
            at(one, '203.0.113.7').does('SignIn', { challengeId, code: `00000${guess}` }),
          ),
        ),
      ),
    );
    const looked = answers.filter(({ reason }) => reason === 'WRONG').length;
    // Five are free of waits; the sixth would come a minute later.
    expect(looked).toBe(5);
    expect(answers.filter(({ code }) => code === 'RATE_LIMITED').length).toBeGreaterThan(0);
  });
});

describe('a device', () => {
  test('is known from its first sign-in until it is signed out, there or from elsewhere, and to that phone alone', async () => {
    await using app = await proxied();
    const [phone, device, lost] = [newPhone(), newSecret(), newSecret()];
    const client = at(app, '10.3.0.1');
    const isKnown = async (token: string, number = phone) => {
      const { challengeId } = await ask(client, number, token);
      if (!challengeId) return 'RATE_LIMITED';
      const [row] = await inDatabase(
        app,
        (sql) => sql`select is_known from sign_in_challenges where id = ${challengeId}`,
      );
      await later(app, 60);
      return row?.is_known;
    };
    expect(await isKnown(device)).toBe(false);
    const here = await signedIn(app, client, phone, device);
    await signedIn(app, client, phone, lost);
    expect([await isKnown(device), await isKnown(lost), await isKnown(device, newPhone())]).toEqual([
      true,
      true,
      false,
    ]);
    const { nodes } = (await here.run('ViewerSessions')).viewer.sessions;
    expect(nodes.map(({ knowsDevice }: Json) => knowsDevice)).toEqual([true, true]);

    expect(await here.run('RevokeOtherSessions')).toEqual({ revokeOtherSessions: 1 });
    expect([await isKnown(device), await isKnown(lost)]).toEqual([true, false]);
    await inDatabase(app, (sql) => sql`update sessions set expires_at = now()`);
    expect(await isKnown(device)).toBe(true);
    const back = await signedIn(app, client, phone, device);
    await back.run('SignOut');
    expect(await isKnown(device)).toBe(false);
  });

  test('that is a browser is known by a cookie that no script reads, given at the first code and kept', async () => {
    await using app = await proxied();
    const phone = newPhone();
    const browser = { origin: new URL(app.url).origin, 'x-forwarded-for': '10.3.1.1' };
    const visitor = app.world.anonymous();
    const first = await visitor.send(operation('RequestSignInCode'), { phone }, browser);
    const [given = ''] = first.headers.getSetCookie();
    expect(given).toMatch(/^homeroom_device=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d{8}$/);
    const cookie = given.split(';')[0] ?? '';
    const again = await visitor.send(operation('RequestSignInCode'), { phone }, { ...browser, cookie });
    expect(again.headers.getSetCookie()).toEqual([]);
    expect(again.data).toEqual(first.data);
    const program = await visitor.send(operation('RequestSignInCode'), { phone: newPhone() });
    expect(program.headers.getSetCookie()).toEqual([]);
  });

  test('that is known asks though strangers have spent what its address has in an hour', async () => {
    await using app = await proxied({ config: { signInRatePerHour: 6 } });
    const [phone, device, school] = [newPhone(), newSecret(), at(app, '10.3.2.1')];
    await signedIn(app, school, phone, device);
    const answers = [];
    for (let count = 0; count < 6; count++) answers.push(await ask(school, newPhone()));
    expect(answers.at(-1)).toMatchObject({ code: 'RATE_LIMITED' });
    await signedIn(app, school, phone, device);
  });
});

test('codes and tokens are stored hashed', async () => {
  await using app = await startTestApp();
  const person = await app.world.person();
  const stored = await inDatabase(
    app,
    (db) => db`
    select coalesce(string_agg(t, ' '), '') as everything from (
      select row_to_json(s)::text as t from sessions s union all select row_to_json(c)::text from sign_in_challenges c
    ) rows`,
  );
  expect(stored[0]?.everything).not.toContain(person.token);
  expect(stored[0]?.everything).not.toContain(app.codeFor(person.phone));
});

test('what is over is forgotten', async () => {
  await using app = await startTestApp();
  await ask(app.world.anonymous(), newPhone());
  await later(app, 24 * 60 + 6);
  await inDatabase(app, (sql) => sql`update sms_counts set day = day - 2`);
  await app.jobs.runNow('spent-codes');
  const [left] = await inDatabase(
    app,
    (sql) =>
      sql`select (select count(*)::int from sign_in_challenges) as codes, (select count(*)::int from sms_counts) as counts`,
  );
  expect(left).toEqual({ codes: 0, counts: 0 });
});
