import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { idOf } from '../src/graphql/ids.ts';
import { Streaming } from '../src/streaming/streaming.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { atOnce, follow, kinds, kindsUntil, type Newsroom, openNewsroom } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { fewestStatements } from './support/statements.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

const secret = 'a secret of thirty-two characters';
const { streaming } = readConfig({
  HOMEROOM_INGEST_URL: 'rtmp://media.example.org/live',
  HOMEROOM_PLAYBACK_URL: 'https://media.example.org/hls',
  HOMEROOM_MEDIA_SECRET: secret,
  HOMEROOM_STREAM_GRACE_SECONDS: '1',
});

let app: TestApp;
let room: Newsroom;
beforeAll(async () => {
  app = await startTestApp({ config: { streaming } });
  room = await openNewsroom(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const authorization = `Bearer ${secret}`;

/** Tells the server something as nginx's RTMP module does, and answers with the status. */
async function tell(door: string, form: object, headers: Record<string, string> = { authorization }): Promise<number> {
  const about = { app: 'live', flashver: 'FMLE/3.0', tcurl: 'rtmp://media/live', addr: '10.0.0.1', ...form };
  const body = new URLSearchParams(about);
  const told = await fetch(new URL(`/media/${door}`, app.url), { method: 'POST', body, headers, redirect: 'manual' });
  if (told.status === 302) moved.push(told.headers.get('location') ?? '');
  return told.status;
}

/** The names under which pictures were to go on. */
const moved: string[] = [];

let connections = 0;
/** A program that sends with a key, over a connection of its own. */
function sender(key: string) {
  const form = { name: key, clientid: String(++connections) };
  return {
    begins: () => tell('publish', { ...form, call: 'publish', type: 'live' }),
    goesOn: () => tell('update', { ...form, call: 'update_publish', time: '10', timestamp: '9923' }),
    stops: () => tell('publish-done', { ...form, call: 'publish_done' }),
  };
}

const made: { id: string; host: Person }[] = [];
async function planned(host: Person, channelId: string): Promise<{ id: string; key: string }> {
  const { id } = await host.does('ScheduleBroadcast', { input: { channelId, title: 'The new playground' } });
  made.push({ id, host });
  return { id, key: await keyOf(host, id) };
}
/** A channel shows one at a time. */
afterEach(async () => {
  for (const { id } of made.splice(0)) await room.administrator.does('EndBroadcast', { broadcastId: id });
});

const keyOf = async (host: Person, id: string): Promise<string> =>
  (await host.run('Broadcast', { id })).node.viewerIngest.streamKey;
const stateOf = async (id: string): Promise<string> => (await room.head.run('Broadcast', { id })).node.state;
const play = (token: string, headers: Record<string, string> = { authorization }): Promise<Response> =>
  fetch(new URL('/media/play', app.url), { headers: { ...headers, 'x-playback-token': token } });
const plays = async (token: string): Promise<number> => (await play(token)).status;
const tokenOf = (url: string): string => /hls\/([^/]+)\/index\.m3u8$/.exec(url)?.[1] ?? '';
const tokenFor = async (person: Person, broadcastId: string): Promise<string> =>
  tokenOf((await person.does('JoinBroadcast', { broadcastId })).playback.url);

test('the picture starts the broadcast in the host’s name, comes again in time, and ends it when it stays away', async () => {
  const { teacher, guardian, groupChannel } = room;
  const { id, key } = await planned(teacher, groupChannel);
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });
  const first = sender(key);
  expect(await first.begins()).toBe(302);
  expect(await first.goesOn()).toBe(204);
  expect(moved.at(-1)).toMatch(/^[0-9a-f-]{36}$/);
  expect(key).not.toContain(moved.at(-1));
  expect((await guardian.run('Broadcast', { id })).node).toMatchObject({ state: 'LIVE', isReceiving: true });

  // The program has lost its line and is back before the media server notices; what it then tells of the old one is past.
  const second = sender(key);
  expect(await second.begins()).toBe(302);
  expect(await first.goesOn()).toBe(403);
  expect(await first.stops()).toBe(204);
  expect(await second.goesOn()).toBe(204);
  expect(await second.stops()).toBe(204);
  const third = sender(key);
  expect(await third.begins()).toBe(302);
  expect(await third.stops()).toBe(204);
  // The time that began with the second's end is not meant for what came after it.
  await inDatabase(app, async (sql) => {
    const states = async () =>
      (await sql`select state from jobs.job where name = 'stream-grace' order by start_after`).map(
        ({ state }) => state,
      );
    const last = sql`(select id from jobs.job where name = 'stream-grace' order by start_after desc limit 1)`;
    await sql`update jobs.job set start_after = start_after + interval '1 hour' where id = ${last}`;
    await eventually(async () => expect(await states()).toEqual(['completed', 'created']));
    expect(await stateOf(id)).toBe('LIVE');
    await sql`update jobs.job set start_after = now() where id = ${last}`;
  });
  await kindsUntil(events, 'BROADCAST_ENDED');
  const oneTime = ['BROADCAST_STREAM_BEGAN', 'BROADCAST_STREAM_ENDED'];
  expect(kinds(events)).toEqual(['BROADCAST_STARTED', ...oneTime, ...oneTime, 'BROADCAST_ENDED']);

  const hostId = idOf('User', await app.world.userId(teacher));
  const deeds = await inDatabase(
    app,
    (sql) => sql`select action, actor_id from audit_entries where target_id = ${moved.at(-1) ?? ''} order by id`,
  );
  expect(deeds).toEqual([
    { action: 'broadcast.schedule', actor_id: hostId },
    { action: 'broadcast.start', actor_id: hostId },
    { action: 'broadcast.end', actor_id: null },
  ]);
  for (const again of [sender(key), third]) {
    expect(await again.begins()).toBe(403);
    expect(await again.goesOn()).toBe(403);
    expect(await again.stops()).toBe(204);
  }
});

test('there is nothing at these doors for whoever does not know the secret', async () => {
  const { key } = await planned(room.teacher, room.groupChannel);
  const form = { name: key, clientid: '1', call: 'publish' };
  const strangers: Record<string, string>[] = [
    {},
    { authorization: 'Bearer ' },
    { authorization: `Bearer ${secret.replace('a', 'b')}` },
    { authorization: `Bearer ${secret}x` },
    { authorization: secret },
    { authorization: `Bearer ${room.administrator.token}` },
  ];
  const absent = await (await fetch(new URL('/absent', app.url))).text();
  for (const headers of strangers) {
    for (const door of ['publish', 'update', 'publish-done', 'constructor', ''])
      expect(await tell(door, form, headers), `${door} ${headers.authorization}`).toBe(404);
    const played = await play('token', headers);
    expect([played.status, await played.text()]).toEqual([404, absent]);
  }
  for (const door of ['play', 'constructor', '', 'publish/']) expect(await tell(door, form), door).toBe(404);
  expect((await fetch(new URL('/media/publish', app.url), { headers: { authorization } })).status).toBe(404);
  expect(await tell('publish', { ...form, swfurl: 'x'.repeat(10_000) })).toBe(413);
  await using without = await startTestApp({ databaseUrl: app.databaseUrl ?? '' });
  const unconfigured = await fetch(new URL('/media/play', without.url), { headers: { authorization } });
  expect([unconfigured.status, await unconfigured.text()]).toEqual([404, absent]);
});

test('a picture is taken only with the key of a broadcast that may begin', async () => {
  const { head, teacher, community, groupChannel } = room;
  const { id, key } = await planned(teacher, groupChannel);
  const other = await planned(head, community);
  const wrong = [
    '',
    'key',
    id,
    `${key}A`,
    key.slice(0, -1),
    key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    // Another's proof, and another spelling of one's own name.
    `${key.slice(0, 22)}${other.key.slice(22)}`,
    `${key.slice(0, 21)}${key[21] === 'A' ? 'B' : 'A'}${key.slice(22)}`,
    `${'A'.repeat(22)}${key.slice(22)}`,
  ];
  for (const one of wrong) expect(await sender(one).begins(), one).toBe(403);
  expect(await stateOf(id)).toBe('SCHEDULED');

  await teacher.does('RotateStreamKey', { broadcastId: id });
  expect(await sender(key).begins()).toBe(403);
  const next = await keyOf(teacher, id);
  await teacher.does('CancelBroadcast', { broadcastId: id });
  expect(await sender(next).begins()).toBe(403);
});

test('of two broadcasts in a channel the second waits until the first is over', async () => {
  const { teacher, head, groupChannel } = room;
  const [first, second] = [await planned(teacher, groupChannel), await planned(head, groupChannel)];
  const raced = await Promise.all([sender(first.key).begins(), sender(second.key).begins()]);
  expect(raced.toSorted()).toEqual([302, 403]);
  const [winner, loser] = raced[0] === 302 ? [first, second] : [second, first];
  expect(await sender(loser.key).begins()).toBe(403);
  expect(await stateOf(loser.id)).toBe('SCHEDULED');
  await head.does('EndBroadcast', { broadcastId: winner.id });
  expect(await sender(loser.key).begins()).toBe(302);
});

test('who may host no longer is cut off, and so is who sends with an old key, or after the end', async () => {
  const { administrator, school, community, head, groupId } = room;
  const teacher = await app.world.teacher(school, groupId);
  const hostId = await app.world.userId(teacher);
  const { id } = await administrator.does('ScheduleBroadcast', {
    input: { channelId: community, title: 'Hers', hostId },
  });
  made.push({ id, host: teacher });
  const old = sender(await keyOf(teacher, id));
  expect(await old.begins()).toBe(302);
  await teacher.does('RotateStreamKey', { broadcastId: id });
  expect(await old.goesOn()).toBe(403);
  const anew = sender(await keyOf(teacher, id));
  expect(await anew.begins()).toBe(302);
  await administrator.does('EndMembership', { membershipId: teacher.membershipId, reason: 'Moved away' });
  expect(await anew.goesOn()).toBe(403);
  expect(await anew.begins()).toBe(403);
  await anew.stops();
  await eventually(async () => expect(await stateOf(id)).toBe('ENDED'));

  const next = await planned(head, community);
  const sending = sender(next.key);
  await sending.begins();
  await head.does('EndBroadcast', { broadcastId: next.id });
  expect(await sending.goesOn()).toBe(403);
});

test('a media server that falls silent ends the broadcast after the same time; one that was only not heard goes on', async () => {
  const { head, community } = room;
  const { id, key } = await planned(head, community);
  const sending = sender(key);
  await sending.begins();
  const seenLongAgo = () =>
    inDatabase(
      app,
      (sql) => sql`update broadcasts set stream_seen_at = now() - interval '61 seconds' where stream_id is not null`,
    );
  await seenLongAgo();
  expect(await sending.goesOn()).toBe(204);
  await app.jobs.runNow('stream-watch');
  expect((await head.run('Broadcast', { id })).node).toMatchObject({ state: 'LIVE', isReceiving: true });

  await seenLongAgo();
  await app.jobs.runNow('stream-watch');
  expect((await head.run('Broadcast', { id })).node).toMatchObject({ state: 'LIVE', isReceiving: false });
  expect(await sending.goesOn()).toBe(204);
  expect((await head.run('Broadcast', { id })).node).toMatchObject({ state: 'LIVE', isReceiving: true });

  await seenLongAgo();
  await app.jobs.runNow('stream-watch');
  await eventually(async () => expect(await stateOf(id)).toBe('ENDED'));
  expect(await sending.goesOn()).toBe(403);
});

test('what the media server hears from its own inner way is no picture', async () => {
  const { head, community } = room;
  const { id, key } = await planned(head, community);
  await sender(key).begins();
  expect(await tell('update', { name: moved.at(-1), clientid: '99', call: 'update_play' })).toBe(204);
  expect((await head.run('Broadcast', { id })).node.isReceiving).toBe(true);
});

test('a broadcast plays for its channel’s readers while it is LIVE, each by their own token, while they are there', async () => {
  const { administrator, school, head, teacher, guardian, otherGuardian, unverified, community, groupChannel } = room;
  const { id, key } = await planned(teacher, groupChannel);
  for (const person of [guardian, otherGuardian])
    expect((await person.does('JoinBroadcast', { broadcastId: id })).__typename).not.toBe('JoinBroadcastPayload');
  await sender(key).begins();
  const broadcastId = moved.at(-1) ?? '';
  const token = await tokenFor(guardian, id);
  const played = await play(token);
  expect([played.status, played.headers.get('x-broadcast')]).toEqual([204, broadcastId]);
  for (const person of [otherGuardian, unverified, await app.world.person('Stranger')])
    expect((await person.does('JoinBroadcast', { broadcastId: id })).__typename).not.toBe('JoinBroadcastPayload');

  if (!streaming) throw new Error('no media server');
  const issuer = await Streaming.with(streaming);

  // A token of another broadcast opens that one alone.
  const second = await planned(head, community);
  await sender(second.key).begins();
  const secondId = moved.at(-1) ?? '';
  expect(secondId).not.toBe(broadcastId);
  const otherToken = await tokenFor(otherGuardian, second.id);
  expect((await play(otherToken)).headers.get('x-broadcast')).toBe(secondId);
  const joined = await administrator.does('JoinBroadcast', { broadcastId: second.id });
  expect(joined.playback.url).toMatch(/^https:\/\/media\.example\.org\/hls\//);

  const [header = '', claims = '', mark = ''] = token.split('.');
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString());
  const retold = (change: object) => Buffer.from(JSON.stringify({ ...said, ...change })).toString('base64url');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const forged = [
    '',
    'token',
    key,
    broadcastId,
    id,
    `${header}.${claims}.`,
    `${none}.${claims}.`,
    `${header}.${retold({ sub: secondId })}.${mark}`,
    `${header}.${retold({ exp: said.exp + 600 })}.${mark}`,
    `${header}.${claims}.${otherToken.split('.')[2]}`,
    `${token}${'A'.repeat(2_000)}`,
  ];
  for (const one of forged) expect(await plays(one), one.slice(0, 300)).toBe(403);

  // Nobody else can say that it was made so long ago.
  const madeBefore = async (seconds: number) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - seconds * 1000 });
    const made = issuer.playbackOf({ broadcastId, sessionId: said.sid });
    vi.useRealTimers();
    return tokenOf((await made).url);
  };
  expect(await plays(await madeBefore(290))).toBe(204);
  expect(await plays(await madeBefore(301))).toBe(403);

  // Somebody who came, and whose right then went.
  const second_ = await app.world.guardian(school, room.child);
  const leaving = await tokenFor(second_, id);
  expect(await plays(leaving)).toBe(204);
  await administrator.does('RevokeGuardianLink', { guardianLinkId: second_.linkId, reason: 'By a court' });
  expect(await plays(leaving)).toBe(403);

  const device = await app.world.person(undefined, guardian.phone);
  const onDevice = await tokenFor(device, id);
  expect(await plays(onDevice)).toBe(204);
  await device.run('SignOut');
  expect(await plays(onDevice)).toBe(403);
  expect(await plays(token)).toBe(204);

  await teacher.does('EndBroadcast', { broadcastId: id });
  expect(await plays(token)).toBe(403);
});

test('a hundred players are answered by a few statements, and who watches is written down, also when the server stops', async () => {
  const { head, guardian, community } = room;
  const { id, key } = await planned(head, community);
  await sender(key).begins();
  const token = await tokenFor(guardian, id);
  const { data, statements } = await fewestStatements(() => atOnce(100, () => plays(token)), 10);
  expect(new Set(data)).toEqual(new Set([204]));
  expect(statements.length).toBeLessThanOrEqual(10);

  const isWatching = async () =>
    (await head.run('BroadcastAttendance', { id })).node.attendance.nodes.map((one: Json) => one.isWatching);
  // Noted already, it is not noted again so soon; another process does not know that.
  await guardian.does('LeaveBroadcast', { broadcastId: id });
  expect(await isWatching()).toEqual([false]);
  {
    await using second = await startTestApp({ databaseUrl: app.databaseUrl ?? '', config: { streaming } });
    const headers = { authorization, 'x-playback-token': token };
    expect((await fetch(new URL('/media/play', second.url), { headers })).status).toBe(204);
  }
  expect(await isWatching()).toEqual([true]);
});
