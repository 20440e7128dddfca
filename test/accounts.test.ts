import { expect, test } from 'vitest';
import { operatorPhone, startTestApp } from './support/app.ts';
import { inDatabase } from './support/sql.ts';

test('a known and an unknown phone get the same answer, and a repeat within a minute sends nothing new', async () => {
  await using app = await startTestApp();
  const visitor = app.world.anonymous();
  const known = await visitor.does('RequestSignInCode', { phone: operatorPhone });
  const unknown = await visitor.does('RequestSignInCode', { phone: '8 (916) 555-01-02' });
  expect(unknown).toMatchObject({ __typename: 'SignInCodeRequest', phone: '+79165550102' });
  expect(Object.keys(known)).toEqual(Object.keys(unknown));
  const code = app.codeFor('+79165550102');
  const repeated = await visitor.does('RequestSignInCode', { phone: '+79165550102' });
  expect(repeated).toEqual(unknown);
  expect(app.codeFor('+79165550102')).toBe(code);
});

test('twenty people who ask for a code for one phone at once cause one message', async () => {
  let sent = 0;
  await using app = await startTestApp({ deliverCode: async () => void sent++ });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => app.world.anonymous().does('RequestSignInCode', { phone: '+79165550103' })),
  );
  expect(new Set(answers.map(({ __typename }) => __typename))).toEqual(new Set(['SignInCodeRequest']));
  expect(sent).toBe(1);
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
])('%s is not a phone', async (phone) => {
  await using app = await startTestApp();
  expect(await app.world.anonymous().does('RequestSignInCode', { phone })).toMatchObject({
    code: 'INVALID_INPUT',
    message: 'A mobile phone number in international form is needed, for example +79161234567.',
  });
});

test('a code is good once, for five attempts, for five minutes', async () => {
  await using app = await startTestApp();
  const visitor = app.world.anonymous();
  const ask = async (phone: string) => {
    await visitor.does('RequestSignInCode', { phone });
    return app.codeFor(phone);
  };
  const wrongOf = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

  const once = await ask('+79165550104');
  expect(await visitor.does('SignIn', { phone: '+79165550104', code: once })).toMatchObject({
    __typename: 'SignInPayload',
  });
  expect(await visitor.does('SignIn', { phone: '+79165550104', code: once })).toMatchObject({ code: 'INVALID_CODE' });

  const locked = await ask('+79165550105');
  for (const attemptsLeft of [4, 3, 2, 1, 0]) {
    const refused = await visitor.does('SignIn', { phone: '+79165550105', code: wrongOf(locked) });
    expect(refused).toMatchObject({ code: 'INVALID_CODE', attemptsLeft });
  }
  expect(await visitor.does('SignIn', { phone: '+79165550105', code: locked })).toMatchObject({ code: 'INVALID_CODE' });

  const late = await ask('+79165550106');
  await inDatabase(app, (db) => db`update sign_in_challenges set expires_at = now() where phone = '+79165550106'`);
  expect(await visitor.does('SignIn', { phone: '+79165550106', code: late })).toMatchObject({ attemptsLeft: 0 });

  expect(await visitor.does('SignIn', { phone: '+79165550107', code: '000000' })).toMatchObject({ attemptsLeft: 0 });
});

test('of twenty simultaneous guesses at most five are looked at', async () => {
  await using app = await startTestApp();
  const phone = '+79165550108';
  await app.world.anonymous().does('RequestSignInCode', { phone });
  const code = app.codeFor(phone);
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
  const guesses = await Promise.all(
    Array.from({ length: 20 }, () => app.world.anonymous().does('SignIn', { phone, code: wrong })),
  );
  expect(guesses.map(({ attemptsLeft }) => attemptsLeft).sort()).toEqual([...Array(16).fill(0), 1, 2, 3, 4]);
  expect(await app.world.anonymous().does('SignIn', { phone, code })).toMatchObject({ code: 'INVALID_CODE' });
});

test('codes are limited per phone and requests per address', async () => {
  await using app = await startTestApp({ config: { signInRatePerHour: 8 } });
  const visitor = app.world.anonymous();
  const phone = '+79165550109';
  for (let round = 0; round < 5; round++) {
    expect(await visitor.does('RequestSignInCode', { phone })).toMatchObject({ phone });
    await inDatabase(app, (db) => db`update sign_in_challenges set created_at = created_at - interval '2 minutes'`);
  }
  const sixth = await visitor.does('RequestSignInCode', { phone });
  expect(sixth).toMatchObject({ __typename: 'RateLimited', code: 'RATE_LIMITED' });
  await visitor.does('RequestSignInCode', { phone: '+79165550110' });
  await visitor.does('RequestSignInCode', { phone: '+79165550111' });
  expect(await visitor.does('RequestSignInCode', { phone: '+79165550112' })).toMatchObject({ code: 'RATE_LIMITED' });
});

test('a code that could not be sent may be asked for again at once', async () => {
  let broken = true;
  await using app = await startTestApp({
    deliverCode: async () => {
      if (broken) throw new Error('the gateway is down: secret detail');
    },
  });
  const visitor = app.world.anonymous();
  const failed = await visitor.does('RequestSignInCode', { phone: '+79165550113' });
  expect(failed).toEqual({
    __typename: 'DeliveryFailed',
    code: 'DELIVERY_FAILED',
    message: expect.not.stringContaining('secret'),
  });
  broken = false;
  expect(await visitor.does('RequestSignInCode', { phone: '+79165550113' })).toMatchObject({ phone: '+79165550113' });
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

test('a person sees their sessions, ends one, and ends the others', async () => {
  await using app = await startTestApp();
  const phone = '+79165550114';
  const laptop = await app.world.person('Ivanova', phone);
  await inDatabase(app, (db) => db`update sign_in_challenges set created_at = created_at - interval '2 minutes'`);
  const telephone = await app.world.person(undefined, phone);
  await inDatabase(app, (db) => db`update sign_in_challenges set created_at = created_at - interval '2 minutes'`);
  const tablet = await app.world.person(undefined, phone);
  const { sessions } = (await laptop.run('ViewerSessions')).viewer;
  expect(sessions.totalCount).toBe(3);
  const [tabletSession, , laptopSession] = sessions.nodes;
  expect(laptopSession.isCurrent).toBe(true);

  expect(await laptop.does('RevokeSession', { sessionId: tabletSession.id })).toMatchObject({
    endedAt: expect.any(String),
  });
  expect(await tablet.run('Viewer')).toEqual({ viewer: null });
  expect(await laptop.run('RevokeOtherSessions')).toEqual({ revokeOtherSessions: 1 });
  expect(await telephone.run('Viewer')).toEqual({ viewer: null });
  expect((await laptop.run('ViewerSessions', { includeEnded: true })).viewer.sessions.totalCount).toBe(3);

  const stranger = await app.world.person();
  expect(await stranger.does('RevokeSession', { sessionId: laptopSession.id })).toMatchObject({ code: 'NOT_FOUND' });
  expect(await laptop.run('SignOut')).toEqual({ signOut: true });
  expect((await laptop.send('mutation { signOut }')).errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED' });
});

test('a session ends when it is idle too long, and when it is too old', async () => {
  await using app = await startTestApp();
  const idle = await app.world.person();
  const old = await app.world.person();
  const used = await app.world.person();
  await inDatabase(app, async (db) => {
    const of = (phone: string) => db`(select id from users where phone = ${phone})`;
    await db`update sessions set used_at = now() - interval '31 days' where user_id = ${of(idle.phone)}`;
    await db`update sessions set expires_at = now() where user_id = ${of(old.phone)}`;
    await db`update sessions set used_at = now() - interval '29 days' where user_id = ${of(used.phone)}`;
  });
  await inDatabase(
    app,
    (sql) => sql`insert into sessions (user_id, token_hash, used_at, expires_at)
    select user_id, sha256(token_hash), now() - interval '31 days', expires_at from sessions`,
  );
  expect((await used.run('ViewerSessions')).viewer.sessions.totalCount).toBe(1);
  expect(await idle.run('Viewer')).toEqual({ viewer: null });
  expect(await old.run('Viewer')).toEqual({ viewer: null });
  expect((await used.run('Viewer')).viewer).not.toBeNull();
  const [row] = await inDatabase(
    app,
    (db) => db`select used_at > now() - interval '1 minute' as fresh from sessions
    where user_id = (select id from users where phone = ${used.phone})`,
  );
  expect(row?.fresh).toBe(true);
});

test('a profile takes what is given, keeps what is not, and says in the person’s language what is wrong', async () => {
  await using app = await startTestApp();
  const person = await app.world.person('Ivanova');
  const input = { patronymic: ' Петровна ', email: 'a@example.org' };
  expect(await person.does('UpdateProfile', { input })).toMatchObject({ displayName: 'Ivanova Test Петровна' });
  expect(await person.does('UpdateProfile', { input: { patronymic: null } })).toMatchObject({
    displayName: 'Ivanova Test',
  });
  const wrong = await person.does('UpdateProfile', { input: { email: 'nowhere' } });
  expect(wrong).toMatchObject({ code: 'INVALID_INPUT', field: 'email', message: 'Invalid email address' });
  await person.does('UpdateProfile', { input: { locale: 'ru' } });
  const russian = await person.does('UpdateProfile', { input: { givenName: '' } });
  expect(russian).toMatchObject({ field: 'givenName', message: expect.stringMatching(/[а-я]/) });
});
