import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { TokenVerifier } from 'livekit-server-sdk';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { globalId } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { custom, idOfUser } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { LiveKit, post, roomOf, told, webhook } from './support/livekit.ts';
import { begun, joined, meetingFor, peopleOf } from './support/meetings.ts';
import { type Newsroom, openNewsroom } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let livekit: LiveKit;
let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  livekit = await LiveKit.start();
  app = await startTestApp({ config: { conferencing: livekit.config } });
  room = await openNewsroom(app.world);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await livekit[Symbol.asyncDispose]();
});
beforeEach(() => {
  livekit.status = 200;
});

const ago = (seconds: number): Date => new Date(Math.floor(Date.now() / 1000 - seconds) * 1000);
const ownIn = async (person: Person, meetingId: string): Promise<Json> =>
  (await meetingFor(person, meetingId)).viewerParticipation;

/** Somebody has been let into a new meeting of the group. */
async function inside(who: Person = room.guardian) {
  const meetingId = await begun(room.teacher, { groupId: room.groupId });
  const { identity, ticket } = await joined(who, meetingId);
  const tell = (event: string, more: Json = {}) =>
    webhook(app, told(event, roomOf(meetingId), { identity, sid: `PA_${meetingId}`, ...more }));
  return { meetingId, identity, ticket, tell, name: roomOf(meetingId) };
}

test('a ticket is LiveKit’s own, opens one room for minutes, and names nobody', async () => {
  const { meetingId, ticket, identity } = await inside();
  const { apiKey, apiSecret, url } = livekit.config;
  const claims = await new TokenVerifier(apiKey, apiSecret).verify(ticket.token);
  expect(claims.video).toEqual({
    roomJoin: true,
    room: roomOf(meetingId),
    canPublishData: false,
    canUpdateOwnMetadata: false,
  });
  expect(ticket).toMatchObject({ url, identity });
  const { sub, exp = 0, nbf = 0, ...rest } = decodeJwt(ticket.token);
  expect(sub).toBe(identity);
  expect(exp - Date.now() / 1000).toBeLessThanOrEqual(600);
  expect(exp - Date.now() / 1000).toBeGreaterThan(240);
  expect(nbf).toBeLessThanOrEqual(Date.now() / 1000);
  expect(Math.abs(Date.parse(ticket.expiresAt) / 1000 - exp)).toBeLessThanOrEqual(1);
  expect(Object.keys(rest).toSorted()).toEqual(['iss', 'video']);
  const user = await idOfUser(room.guardian);
  expect([globalId('User', identity), identity]).not.toContain(user);
  await expect(
    new TokenVerifier(apiKey, 'another secret of thirty-two characters').verify(ticket.token),
  ).rejects.toThrow();
});

test('who joins again is the same in the room, and other people are others', async () => {
  const { meetingId, identity } = await inside();
  expect((await joined(room.guardian, meetingId)).identity).toBe(identity);
  expect((await joined(room.head, meetingId)).identity).not.toBe(identity);
});

test('who is there is what LiveKit tells', async () => {
  const { meetingId, tell } = await inside();
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, joinedAt: null, leftAt: null });
  const [came, went] = [ago(90), ago(30)];
  expect(await tell('participant_joined', { at: came })).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({
    isPresent: true,
    joinedAt: came.toISOString(),
    leftAt: null,
  });
  expect((await meetingFor(room.teacher, meetingId)).presentCount).toBe(1);
  expect(await tell('participant_left', { at: went, joinedAt: came })).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, leftAt: went.toISOString() });
  expect((await meetingFor(room.teacher, meetingId)).presentCount).toBe(0);
});

test('of several connections the first beginning and the last end count', async () => {
  const { meetingId, tell } = await inside();
  await tell('participant_joined', { at: ago(90), sid: 'PA_a' });
  await tell('participant_joined', { at: ago(60), sid: 'PA_b' });
  await tell('participant_left', { at: ago(50), joinedAt: ago(90), sid: 'PA_a' });
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: true, leftAt: null });
  const end = ago(20);
  await tell('participant_left', { at: end, joinedAt: ago(60), sid: 'PA_b' });
  const own = await ownIn(room.guardian, meetingId);
  expect(own).toMatchObject({ isPresent: false, leftAt: end.toISOString() });
  expect(Date.parse(own.joinedAt)).toBeLessThanOrEqual(+ago(90) + 2_000);
});

test('webhooks that come late, twice, or in the wrong order tell the same', async () => {
  const [came, went] = [ago(90), ago(30)];
  const both = {
    joined: ['participant_joined', { at: came }],
    left: ['participant_left', { at: went, joinedAt: came }],
  } as const;
  for (const order of [
    ['joined', 'left'],
    ['left', 'joined'],
    ['left'],
    ['joined', 'joined', 'left', 'left'],
    ['left', 'joined', 'left', 'joined'],
  ] as const) {
    const { meetingId, tell } = await inside();
    for (const which of order)
      expect(await tell(both[which][0], { ...both[which][1], sid: `PA_${meetingId}` })).toBe(204);
    const own = await ownIn(room.guardian, meetingId);
    expect({ order, ...own }).toMatchObject({
      order,
      isPresent: false,
      joinedAt: came.toISOString(),
      leftAt: went.toISOString(),
    });
  }
});

test('a room that has emptied leaves nobody in it, though who left was not told, and may fill again', async () => {
  const { meetingId, tell, name } = await inside();
  await tell('participant_joined', { at: ago(90), sid: 'PA_before' });
  const end = ago(60);
  expect(await webhook(app, told('room_finished', name, { at: end }))).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, leftAt: end.toISOString() });
  await tell('participant_joined', { at: ago(30), sid: 'PA_after' });
  expect(await webhook(app, told('room_finished', name, { at: end }))).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: true, leftAt: null });
  expect(livekit.about(name, 'DeleteRoom')).toEqual([]);
});

test('a forged webhook is refused and changes nothing', async () => {
  const { meetingId, identity, ticket, name } = await inside();
  const event = told('participant_joined', name, { identity, sid: 'PA_forged' });
  const body = JSON.stringify(event);
  const [first] = ticket.token.split('.');
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${ticket.token.split('.')[1]}.`;
  expect(await webhook(app, event, { secret: 'another secret of thirty-two characters' })).toBe(401);
  expect(await webhook(app, event, { key: 'another key' })).toBe(401);
  expect(await webhook(app, event, { signed: body.replace('PA_forged', 'PA_other') })).toBe(401);
  expect(await post(app, body, {})).toBe(401);
  for (const authorization of [ticket.token, `Bearer ${ticket.token}`, unsigned, `${first}..`, 'nonsense'])
    expect(await post(app, body, { authorization })).toBe(401);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, joinedAt: null });
  // It was refused for how it was signed.
  expect(await webhook(app, event)).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: true });
});

test('a webhook is taken once, also when many bring it at once', async () => {
  const { meetingId, identity, name } = await inside();
  const event = told('participant_joined', name, { identity, sid: 'PA_once', at: ago(60) });
  const answers = await Promise.all(Array.from({ length: 10 }, () => webhook(app, event)));
  expect(answers.toSorted()).toEqual([204, ...Array(9).fill(409)]);
  await webhook(app, told('participant_left', name, { identity, sid: 'PA_once', at: ago(30), joinedAt: ago(60) }));
  expect(await webhook(app, event)).toBe(409);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false });
});

test('an old webhook is refused, though its signature is good', async () => {
  const { identity, name } = await inside();
  expect(await webhook(app, told('participant_joined', name, { identity, sid: 'PA_old', at: ago(700) }))).toBe(401);
});

test('what is forgotten of webhooks is so old that it would be refused', async () => {
  const { identity, name } = await inside();
  const event = told('participant_joined', name, { identity, sid: 'PA_kept' });
  expect(await webhook(app, event)).toBe(204);
  await app.jobs.runNow('conference-receipts');
  expect(await webhook(app, event)).toBe(409);
  await inDatabase(app, (sql) => sql`update conference_receipts set received_at = now() - interval '25 hours'`);
  await app.jobs.runNow('conference-receipts');
  const kept = await inDatabase(app, (sql) => sql`select count(*)::int as size from conference_receipts`);
  expect(kept[0]?.size).toBe(0);
});

test('what means nothing here is taken and does nothing', async () => {
  const { meetingId, identity, name } = await inside();
  const someone = { identity, sid: 'PA_x' };
  for (const event of [
    told('track_published', name, someone),
    told('room_started', name),
    told('participant_joined', 'somebody-elses-room', someone),
    told('participant_joined', `meeting-${randomUUID()}`, someone),
    told('participant_joined', name, { identity: 'egress-bot', sid: 'PA_y' }),
    told('participant_joined', name, { identity: randomUUID(), sid: 'PA_z' }),
    told('participant_joined', name),
    told('participant_joined', name.replace('meeting', 'call'), someone),
  ])
    expect({ event, status: await webhook(app, event) }).toMatchObject({ status: 204 });
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false });
});

test('nobody is counted in a meeting by the room of another', async () => {
  const [one, other] = [await inside(), await inside()];
  expect(
    await webhook(app, told('participant_joined', other.name, { identity: one.identity, sid: 'PA_crossed' })),
  ).toBe(204);
  expect(await ownIn(room.guardian, one.meetingId)).toMatchObject({ isPresent: false });
  expect(await ownIn(room.guardian, other.meetingId)).toMatchObject({ isPresent: false });
});

test('only what is posted there in measure is looked at', async () => {
  const url = new URL('/livekit/webhook', app.url);
  expect((await fetch(url)).status).toBe(405);
  expect(await post(app, 'x'.repeat(65 * 1024), { authorization: 'x' })).toBe(413);
  expect((await fetch(new URL('/livekit/webhook/more', app.url), { method: 'POST' })).status).toBe(404);
  await using bare = await startTestApp();
  expect(await post(bare, '{}', {})).toBe(404);
});

test('when a meeting ends, its room is closed, and nobody is in it', async () => {
  const { meetingId, tell, name } = await inside();
  await tell('participant_joined', { at: ago(60) });
  const { endedAt } = await room.teacher.does('EndMeeting', { meetingId });
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, leftAt: endedAt });
  await eventually(() => expect(livekit.about(name, 'DeleteRoom')).toHaveLength(1));
  expect(livekit.about(name, 'DeleteRoom')[0]?.video).toMatchObject({ roomCreate: true });
  // What LiveKit tells of that a moment later makes nobody stay longer.
  expect(await tell('participant_left', { at: new Date(Date.now() + 1_500), joinedAt: ago(60) })).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, leftAt: endedAt });
});

test('a ticket that is still good opens no room of a meeting that is over', async () => {
  const { meetingId, tell, name } = await inside();
  await room.teacher.does('EndMeeting', { meetingId });
  await eventually(() => expect(livekit.about(name, 'DeleteRoom')).toHaveLength(1));
  expect(await tell('participant_joined', { at: new Date(Date.now() + 2_000) })).toBe(204);
  await eventually(() => expect(livekit.about(name, 'DeleteRoom')).toHaveLength(2));
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({ isPresent: false, joinedAt: null });
});

test('who was there is still told after the end', async () => {
  const { meetingId, tell } = await inside();
  const came = ago(60);
  const { endedAt } = await room.teacher.does('EndMeeting', { meetingId });
  expect(await tell('participant_joined', { at: came })).toBe(204);
  expect(await ownIn(room.guardian, meetingId)).toMatchObject({
    isPresent: false,
    joinedAt: came.toISOString(),
    leftAt: endedAt,
  });
});

test('a room is closed also when LiveKit was away meanwhile, or knows of none', async () => {
  const { meetingId, name } = await inside();
  livekit.status = 500;
  await room.teacher.does('EndMeeting', { meetingId });
  await eventually(() => expect(livekit.about(name, 'DeleteRoom').length).toBeGreaterThan(0));
  livekit.status = 404;
  const before = livekit.about(name, 'DeleteRoom').length;
  await eventually(() => expect(livekit.about(name, 'DeleteRoom').length).toBeGreaterThan(before));
});

test('who is removed from the chat is sent out of its meeting at once, and is not counted there any more', async () => {
  const { teacher, guardian, school } = room;
  const { id: chatId } = await custom(teacher, school, [guardian]);
  const meetingId = await begun(teacher, { chatId });
  const { identity } = await joined(guardian, meetingId);
  await webhook(app, told('participant_joined', roomOf(meetingId), { identity, sid: 'PA_removed' }));
  expect((await meetingFor(teacher, meetingId)).presentCount).toBe(1);
  const removed = await teacher.does('RemoveChatMember', { chatId, userId: await idOfUser(guardian) });
  expect(removed.__typename).toBe('Chat');
  await eventually(() => expect(livekit.about(roomOf(meetingId), 'RemoveParticipant')).not.toEqual([]));
  expect(livekit.about(roomOf(meetingId), 'RemoveParticipant')[0]).toMatchObject({
    body: { identity, revokeTokenTs: expect.any(String) },
    video: { roomAdmin: true, room: roomOf(meetingId) },
  });
  await eventually(async () => expect((await meetingFor(teacher, meetingId)).presentCount).toBe(0));
  expect(await guardian.does('JoinMeeting', { meetingId })).toMatchObject({ code: 'NOT_FOUND' });

  // A server that does not know revoked tickets lets them in again.
  const sentOut = livekit.about(roomOf(meetingId), 'RemoveParticipant').length;
  await webhook(app, told('participant_joined', roomOf(meetingId), { identity, sid: 'PA_again' }));
  await eventually(() => expect(livekit.about(roomOf(meetingId), 'RemoveParticipant').length).toBeGreaterThan(sentOut));

  await teacher.does('AddChatMembers', { chatId, userIds: [await idOfUser(guardian)] });
  expect((await joined(guardian, meetingId)).identity).toBe(identity);
});

test('who signs out is sent out of where they came in by that device, and stays where another let them in since', async () => {
  const { school, groupId, teacher } = room;
  const guardian = await app.world.guardian(school, await app.world.child(school, groupId));
  const phone = await app.world.person('Guardian', guardian.phone);
  const [left, kept] = [await begun(teacher, { groupId }), await begun(teacher, { groupId })];
  const { identity } = await joined(phone, left);
  await webhook(app, told('participant_joined', roomOf(left), { identity, sid: 'PA_phone' }));
  for (const device of [phone, guardian]) await joined(device, kept);
  await phone.run('SignOut');
  await eventually(() => expect(livekit.about(roomOf(left), 'RemoveParticipant')).not.toEqual([]));
  await eventually(async () => expect((await meetingFor(teacher, left)).presentCount).toBe(0));
  expect(livekit.about(roomOf(kept), 'RemoveParticipant')).toEqual([]);
  expect((await joined(guardian, left)).identity).toBe(identity);
  const before = livekit.about(roomOf(left), 'RemoveParticipant').length;
  await app.jobs.runNow('room-keeping');
  expect(livekit.about(roomOf(left), 'RemoveParticipant')).toHaveLength(before);
});

test('who loses a meeting while LiveKit is away is sent out by the clock', async () => {
  const { administrator, school, groupId, otherGroupId, teacher } = room;
  const child = await app.world.child(school, groupId);
  const guardian = await app.world.guardian(school, child);
  const meetingId = await begun(teacher, { groupId });
  const { identity } = await joined(guardian, meetingId);
  livekit.status = 500;
  await administrator.does('TransferChild', { input: { childId: child, groupId: otherGroupId } });
  const tries = () =>
    livekit.about(roomOf(meetingId), 'RemoveParticipant').filter(({ body }) => body.identity === identity);
  await eventually(() => expect(tries()).not.toEqual([]));
  livekit.status = 200;
  const before = tries().length;
  await app.jobs.runNow('room-keeping');
  expect(tries().length).toBeGreaterThan(before);
  await app.jobs.runNow('room-keeping');
  expect(tries()).toHaveLength(before + 1);
});

test('who leaves is sent out wherever they are connected', async () => {
  const { meetingId, identity, tell, name } = await inside();
  await tell('participant_joined', { at: ago(60) });
  expect(await room.guardian.does('LeaveMeeting', { meetingId })).toMatchObject({ id: meetingId, state: 'LIVE' });
  await eventually(() => expect(livekit.about(name, 'RemoveParticipant')).toMatchObject([{ body: { identity } }]));
});

test('people in a meeting see who is who there, but no LIMITED guardian of another family', async () => {
  const { administrator, school, groupId, teacher, guardian } = room;
  const hidden = await app.world.guardian(school, await app.world.child(school, groupId));
  const linkId = hidden.linkId;
  const set = await administrator.does('SetGuardianContactVisibility', {
    guardianLinkId: linkId,
    contactVisibility: 'LIMITED',
  });
  expect(set.__typename).toBe('GuardianLink');
  const meetingId = await begun(teacher, { groupId });
  const identities = [];
  for (const who of [guardian, hidden]) identities.push((await joined(who, meetingId)).identity);
  const seen = async (who: Person) =>
    (await peopleOf(who, meetingId)).nodes.map(({ identity }: Json) => identity).toSorted();
  expect(await seen(guardian)).toEqual([identities[0]]);
  expect(await seen(teacher)).toEqual(identities.toSorted());
  expect(await seen(hidden)).toEqual(identities.toSorted());
  expect(await ownIn(hidden, meetingId)).toMatchObject({ identity: identities[1] });
});
