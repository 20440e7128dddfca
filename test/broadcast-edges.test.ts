import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { chatDeed, talk } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { planned as plannedMeeting } from './support/meetings.ts';
import { answer, atOnce, follow, inSeconds, kinds, type Newsroom, openNewsroom } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

const secret = 'a secret of thirty-two characters';
const { streaming } = readConfig({
  HOMEROOM_INGEST_URL: 'rtmp://media.example.org/live',
  HOMEROOM_PLAYBACK_URL: 'https://media.example.org/hls',
  HOMEROOM_MEDIA_SECRET: secret,
});

let app: TestApp;
let room: Newsroom;
/** What the server could not do. */
const faults: Json[] = [];

beforeAll(async () => {
  const onLog = (line: Json) => void (line.level >= 40 && faults.push(line));
  app = await startTestApp({ config: { streaming, questionsPerMinute: 6 }, onLog });
  room = await openNewsroom(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());
beforeEach(() => {
  faults.length = 0;
});

const authorization = `Bearer ${secret}`;
const deed = (person: Person, name: string, broadcastId: string, more: object = {}): Promise<Json> =>
  person.does(name, { broadcastId, ...more });
const broadcastFor = async (person: Person, id: string): Promise<Json> => (await person.run('Broadcast', { id })).node;
const keyOf = async (host: Person, id: string): Promise<string> =>
  (await broadcastFor(host, id)).viewerIngest.streamKey;
const attendeesOf = async (id: string): Promise<Json[]> =>
  (await room.administrator.run('BroadcastAttendance', { id })).node.attendance.nodes;

async function channel(): Promise<string> {
  const input = { organizationId: room.school.id, kind: 'COMMUNITY', name: `Channel ${randomUUID().slice(0, 8)}` };
  return (await room.administrator.does('CreateChannel', { input })).id;
}

/** What an administrator is answered who plans a broadcast that the teacher is to host. */
const plan = async (channelId: string, input: object = {}): Promise<Json> =>
  room.administrator.does('ScheduleBroadcast', {
    input: {
      channelId,
      title: 'The new playground',
      startsAt: inSeconds(3600),
      hostId: await app.world.userId(room.teacher),
      ...input,
    },
  });

async function onAir(input: object = {}): Promise<string> {
  const { id } = await plan(await channel(), input);
  await deed(room.teacher, 'StartBroadcast', id);
  return id;
}

/** Tells the server something as nginx's RTMP module does, and answers with the status. */
const tell = async (door: string, form: Record<string, string>): Promise<number> => {
  const body = new URLSearchParams({ app: 'live', ...form });
  const init = { method: 'POST', body, headers: { authorization }, redirect: 'manual' } as const;
  return (await fetch(new URL(`/media/${door}`, app.url), init)).status;
};

/** A player has asked for a piece of the picture. */
async function plays(person: Person, broadcastId: string): Promise<void> {
  const { playback } = await deed(person, 'JoinBroadcast', broadcastId);
  const headers = { authorization, 'x-playback-token': playback.url.split('/').at(-2) };
  expect((await fetch(new URL('/media/play', app.url), { headers })).status).toBe(204);
}

test('who leaves right after their player was seen has left, and who stays was noted with them', async () => {
  const { guardian, otherGuardian } = room;
  const id = await onAir();
  for (const person of [guardian, otherGuardian]) await plays(person, id);
  expect(await deed(guardian, 'LeaveBroadcast', id)).toMatchObject({ watchingCount: 1 });
  const before = (await attendeesOf(id)).map(({ leftAt }) => leftAt);
  const noted = () =>
    inDatabase(
      app,
      (sql) => sql`
        select a.seen_at > a.joined_at as noted from broadcast_attendances a
        where a.broadcast_id = ${idOf('Broadcast', id)} and a.left_at is null`,
    );
  await eventually(async () => expect(await noted()).toMatchObject([{ noted: true }]));
  const after = await attendeesOf(id);
  expect(after.map(({ leftAt }) => leftAt)).toEqual(before);
  expect(after.map(({ isWatching }) => isWatching).toSorted()).toEqual([false, true]);
  expect(await broadcastFor(guardian, id)).toMatchObject({ watchingCount: 1 });
});

test('nobody is reminded of what can no longer begin, because its place was put away', async () => {
  const { administrator, teacher, guardian, school } = room;
  const [archived, kept] = [await channel(), await channel()];
  const chatId = await talk(teacher, school, [guardian]);
  const [broadcast, other] = [await plan(archived), await plan(kept)];
  const meetingId = await plannedMeeting(teacher, { chatId });
  await administrator.does('ArchiveChannel', { channelId: archived });
  await chatDeed(teacher, 'MakeChatReadOnly', chatId, {});
  await using heard = await follow(guardian, 'ViewerEvents');
  await using told = await follow(guardian, 'BroadcastEvents', { broadcastId: other.id });
  await inDatabase(
    app,
    (sql) => sql`
      update jobs.job set start_after = now() where name = 'meeting-reminder' or data->>'broadcastId' = ${idOf('Broadcast', broadcast.id)}`,
  );
  const waiting = () =>
    inDatabase(
      app,
      (sql) => sql`
        select name from jobs.job where state in ('created', 'retry', 'active')
          and (data->>'meetingId' = ${idOf('Meeting', meetingId)} or data->>'broadcastId' = ${idOf('Broadcast', broadcast.id)})`,
    );
  await eventually(async () => expect(await waiting()).toEqual([]));
  await inDatabase(app, (sql) => sql`update jobs.job set start_after = now() where name = 'broadcast-reminder'`);
  // What is told of the other stands behind all that was told before.
  expect(await told.next()).toMatchObject({ kind: 'BROADCAST_REMINDED' });
  await heard.count(1);
  expect(kinds(heard)).toEqual(['BROADCAST_REMINDED']);
  expect(answer(await deed(teacher, 'StartBroadcast', broadcast.id))).toBe('INVALID_INPUT');
});

test('nor does it notify anybody any more', async () => {
  const { administrator, teacher, guardian, school } = room;
  const [archived, kept] = [await channel(), await channel()];
  const chatId = await talk(teacher, school, [guardian]);
  const soon = { remindBefore: 180 };
  const broadcasts = [(await plan(archived, soon)).id, (await plan(kept, soon)).id];
  const ids = [...broadcasts, await plannedMeeting(teacher, { chatId }, soon)];
  const toldOf = async () =>
    (await guardian.run('Notifications')).viewer.notifications.nodes
      .map(({ broadcast, meeting }: Json) => (broadcast ?? meeting)?.id)
      .filter((id: string) => ids.includes(id));
  await inDatabase(app, (sql) => sql`update organizations set quiet_from = null, quiet_until = null`);
  expect(new Set(await toldOf())).toEqual(new Set(ids));
  await administrator.does('ArchiveChannel', { channelId: archived });
  await chatDeed(teacher, 'MakeChatReadOnly', chatId, {});
  expect(await toldOf()).toEqual([broadcasts[1]]);
});

test('a key that was used for another wish is refused, also when both come at once', async () => {
  const { guardian } = room;
  const channels = await Promise.all([channel(), channel()]);
  for (let round = 0; round < 5; round++) {
    const idempotencyKey = `wish-${randomUUID()}`;
    const made = await atOnce(8, (index) => plan(channels[index % 2] as string, { idempotencyKey }));
    const first = made.find(({ __typename }) => __typename === 'Broadcast');
    const place = made.indexOf(first as Json) % 2;
    expect(made.map(answer)).toEqual(made.map((_, index) => (index % 2 === place ? 'Broadcast' : 'INVALID_INPUT')));
  }
  const ids = [await onAir({ questioning: 'OPEN' }), await onAir({ questioning: 'OPEN' })];
  const idempotencyKey = `wish-${randomUUID()}`;
  const asked = await atOnce(8, (index) =>
    deed(guardian, 'AskBroadcastQuestion', ids[index % 2] as string, { text: 'When?', idempotencyKey }),
  );
  expect(asked.map(answer).filter((one) => one === 'BroadcastQuestion')).toHaveLength(4);
  expect(asked.map(answer).filter((one) => one === 'INVALID_INPUT')).toHaveLength(4);
});

test('one person asks a few times a minute in a broadcast, and no more, also at once; others still may', async () => {
  const { guardian, otherGuardian } = room;
  const id = await onAir();
  const ask = (person: Person, more: object = {}) =>
    deed(person, 'AskBroadcastQuestion', id, { text: 'Is there a slide?', ...more });
  const wish = { idempotencyKey: `wish-${randomUUID()}` };
  const first = await ask(guardian, wish);
  const asked = await atOnce(20, () => ask(guardian));
  expect(asked.filter((one) => answer(one) === 'BroadcastQuestion')).toHaveLength(5);
  const refused = asked.find((one) => answer(one) === 'RATE_LIMITED');
  expect(Date.parse(refused?.retryAt)).toBeGreaterThan(Date.now());
  expect(await ask(guardian, wish)).toMatchObject({ id: first.id });
  expect(answer(await ask(otherGuardian))).toBe('BroadcastQuestion');
  expect(answer(await deed(guardian, 'AskBroadcastQuestion', await onAir(), { text: 'And here?' }))).toBe(
    'BroadcastQuestion',
  );
});

test('whatever people and the media server do at once, a channel shows one broadcast at a time, and each begins and ends once', async () => {
  const { administrator, head, teacher, guardian, otherGuardian } = room;
  for (let round = 0; round < 3; round++) {
    const channelId = await channel();
    const ids = [(await plan(channelId)).id, (await plan(channelId)).id];
    const keys = await Promise.all(ids.map((id) => keyOf(teacher, id)));
    await using heard = await follow(guardian, 'BroadcastStarted', { channelId });
    const streams = await Promise.all(ids.map((broadcastId) => follow(guardian, 'BroadcastEvents', { broadcastId })));
    const done = await atOnce(80, async (index) => {
      const id = ids[index % 2] as string;
      const form = { name: keys[index % 2] as string, clientid: String(index % 4), call: 'update_publish' };
      const deeds: (() => Promise<Json>)[] = [
        async () => ({ status: await tell('publish', form) }),
        async () => ({ status: await tell('update', form) }),
        async () => ({ status: await tell('publish-done', form) }),
        () => deed(teacher, 'StartBroadcast', id),
        () => deed(guardian, 'JoinBroadcast', id),
        () => deed(otherGuardian, 'AskBroadcastQuestion', id, { text: 'When?' }),
        () => deed(guardian, 'LeaveBroadcast', id),
        () => deed(teacher, 'RotateStreamKey', id),
        () => head.does('UpdateBroadcast', { input: { broadcastId: id, title: `Title ${index}` } }),
        async () => {
          const hostId = await app.world.userId(index % 3 ? head : teacher);
          return head.does('UpdateBroadcast', { input: { broadcastId: id, hostId } });
        },
        () => deed(administrator, index > 50 ? 'EndBroadcast' : 'StartBroadcast', id),
      ];
      return (deeds[(index * 7 + round) % deeds.length] as () => Promise<Json>)();
    });
    const known = [204, 302, 403, 'Broadcast', 'JoinBroadcastPayload', 'BroadcastQuestion'];
    // FORBIDDEN: to replace the key of what the other hosts by then.
    const refused = ['INVALID_STATE', 'INVALID_INPUT', 'RATE_LIMITED', 'FORBIDDEN'];
    const answers = new Set(done.map((one) => one.status ?? answer(one)));
    expect(answers.difference(new Set([...known, ...refused]))).toEqual(new Set());
    const live = (await Promise.all(ids.map((id) => broadcastFor(teacher, id)))).filter(
      ({ state }) => state === 'LIVE',
    );
    expect(live.length).toBeLessThan(2);
    for (const id of ids) await deed(administrator, 'EndBroadcast', id);
    const ended = (await Promise.all(ids.map((id) => broadcastFor(teacher, id)))).filter(
      ({ state }) => state === 'ENDED',
    );
    await eventually(() => expect(heard.delivered).toHaveLength(ended.length));
    for (const [index, stream] of streams.entries()) {
      const isEnded = ended.some(({ id }) => id === ids[index]);
      const ends = () => kinds(stream).filter((kind) => kind === 'BROADCAST_STARTED' || kind === 'BROADCAST_ENDED');
      await eventually(() => expect(ends()).toEqual(isEnded ? ['BROADCAST_STARTED', 'BROADCAST_ENDED'] : []));
      await stream[Symbol.asyncDispose]();
    }
  }
  expect(faults).toEqual([]);
});
