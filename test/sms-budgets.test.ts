import { expect, test } from 'vitest';
import { newSecret } from '../src/secrets.ts';
import { reachedShare } from '../src/sms/policy.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { type Json, TestClient } from './support/client.ts';
import { inDatabase } from './support/sql.ts';

let numbers = 5_650_100;
const newPhone = () => `+7916${String(numbers++)}`;

const budgets = {
  perDay: 10_000,
  countries: ['7'],
  abroadPerDay: 5,
  perNetwork: 1000,
  perAddress: 1000,
  perPhone: 25,
};

const limited = (some: Partial<typeof budgets>, more: Parameters<typeof startTestApp>[0] = {}) =>
  startTestApp({ ...more, config: { trustedProxies: 1, smsBudgets: { ...budgets, ...some }, ...more.config } });

const at = (app: TestApp, address: string) => new TestClient(app.url, null, { 'x-forwarded-for': address });
const ask = (app: TestApp, address: string, phone = newPhone(), deviceToken?: string): Promise<Json> =>
  at(app, address).does('RequestSignInCode', { phone, deviceToken });
const codesOf = (answers: readonly Json[]) => answers.map(({ code }) => code ?? 'SENT');
const times = (size: number, make: (index: number) => Promise<Json>) =>
  Promise.all(Array.from({ length: size }, (_, index) => make(index)));

test('twenty codes asked for in one request are twenty messages, of which an address pays all', async () => {
  let sent = 0;
  await using app = await limited({ perAddress: 3 }, { deliverCode: async () => void sent++ });
  const aliased = Array.from(
    { length: 20 },
    (_, at) =>
      `a${at}: requestSignInCode(input: { phone: "${newPhone()}" }) { ... on Error { code } ... on RateLimited { retryAt } }`,
  );
  const { data } = await at(app, '10.0.0.1').send(`mutation { ${aliased.join(' ')} }`);
  const refused = Object.values<Json>(data).filter(({ code }) => code === 'RATE_LIMITED');
  expect([sent, refused.length]).toEqual([3, 17]);
  expect(new Date(refused[0].retryAt).toISOString()).toMatch(/T00:00:00.000Z$/);
});

test('a network’s addresses share what it has, also at two processes at once, and other networks have theirs', async () => {
  await using app = await limited({ perNetwork: 6 });
  await using other = await limited({ perNetwork: 6 }, { databaseUrl: app.databaseUrl ?? '' });
  const answers = await times(12, (index) => ask(index % 2 ? app : other, `10.0.0.${index}`));
  expect(codesOf(answers).filter((code) => code === 'SENT')).toHaveLength(6);
  expect(codesOf([await ask(app, '10.0.1.1')])).toEqual(['SENT']);
});

test('a code that signs in is taken off its place: a school is not held to what strangers there might do', async () => {
  await using app = await limited({ perAddress: 2, perNetwork: 2 });
  for (let person = 0; person < 6; person++) {
    const phone = newPhone();
    const { challengeId } = await ask(app, '10.0.0.1', phone);
    expect(await at(app, '10.0.0.1').does('SignIn', { challengeId, code: app.codeFor(phone) })).toMatchObject({
      __typename: 'SignInPayload',
    });
  }
});

test('a country that is not ours has a budget of its own, or gets none at all', async () => {
  const lines: Json[] = [];
  await using app = await limited({}, { onLog: (line) => void lines.push(line) });
  const german = (index: number) => `+49151234567${10 + index}`;
  const answers = [];
  for (let index = 0; index < 5; index++) answers.push(await ask(app, `10.0.${index}.1`, german(index)));
  expect(codesOf(answers)).toEqual(['SENT', 'SENT', 'SENT', 'SENT', 'RATE_LIMITED']);
  expect(lines.filter(({ budget }) => budget)).toMatchObject([
    { budget: 'country:49', percent: 80, sent: 4, level: 40 },
  ]);
  expect(JSON.stringify(lines)).not.toContain('15123');
  await using closed = await limited({ abroadPerDay: 0 });
  expect(await ask(closed, '10.0.0.1', german(1))).toMatchObject({ code: 'INVALID_INPUT' });
});

test('strangers cannot spend the last fifth of the installation’s budget; the log says once when much and when all is spent', async () => {
  const lines: Json[] = [];
  await using app = await limited({ perDay: 10 }, { onLog: (line) => void lines.push(line) });
  const known = [newPhone(), newPhone()].map((phone) => ({ phone, device: newSecret() }));
  for (const { phone, device } of known) {
    const { challengeId } = await ask(app, '10.0.0.1', phone, device);
    await at(app, '10.0.0.1').does('SignIn', { challengeId, code: app.codeFor(phone) });
  }
  const strangers = await times(9, (index) => ask(app, `10.1.${index}.1`));
  expect(codesOf(strangers).filter((code) => code === 'SENT')).toHaveLength(6);
  for (const { phone, device } of known) {
    await inDatabase(app, (sql) => sql`update sign_in_challenges set created_at = created_at - interval '2 minutes'`);
    expect(codesOf([await ask(app, '10.1.1.1', phone, device)])).toEqual(['SENT']);
  }
  const alarms = lines.filter(({ budget }) => budget === 'installation');
  expect(alarms.map(({ percent, level }) => [percent, level])).toEqual([
    [80, 40],
    [100, 50],
  ]);
});

test('a share is reached once, whatever was given back meanwhile', () => {
  expect([
    reachedShare(10, 7, 8),
    reachedShare(10, 8, 8),
    reachedShare(10, 8, 9),
    reachedShare(10, 9, 10),
    reachedShare(1, 0, 1),
  ]).toEqual([80, null, null, 100, 100]);
});

test('a code that could not be sent may be asked for again at once; what may have been sent all the same is counted', async () => {
  let sent = 0;
  await using app = await limited(
    {},
    {
      deliverCode: async () => {
        sent++;
        throw new Error('the gateway is slow: secret detail');
      },
    },
  );
  const phone = newPhone();
  const answers = [];
  for (let attempt = 0; attempt < 6; attempt++) answers.push(await ask(app, '10.0.0.1', phone));
  expect(answers[0]).toEqual({
    __typename: 'DeliveryFailed',
    code: 'DELIVERY_FAILED',
    message: expect.not.stringContaining('secret'),
  });
  expect(codesOf(answers)).toEqual([...Array(5).fill('DELIVERY_FAILED'), 'RATE_LIMITED']);
  expect(sent).toBe(5);
});
