import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { inDatabase } from './support/sql.ts';

test('a person sees their sessions, ends one, and ends the others', async () => {
  await using app = await startTestApp();
  const phone = '+79165550114';
  const laptop = await app.world.person('Ivanova', phone);
  const telephone = await app.world.person(undefined, phone);
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
