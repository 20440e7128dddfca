import { PostgresJsPreparedQuery } from 'drizzle-orm/postgres-js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, follow, type Newsroom, openNewsroom } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;
let room: Newsroom;
/** Of the group's staff and guardians, and of the head and the staff. */
let groupChat: string;
let staffChat: string;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** The time of day where it is always UTC, so many minutes from now. */
const timeIn = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString().slice(11, 16);
const utc = 'Africa/Abidjan';
const quietNow = () => ({ from: timeIn(-60), until: timeIn(60), timeZone: utc });
const quietLater = () => ({ from: timeIn(120), until: timeIn(180), timeZone: utc });

/** When a time of day comes next. */
function next(time: string): string {
  const day = 24 * 60 * 60_000;
  const today = Date.parse(`${new Date().toISOString().slice(0, 10)}T${time}:00Z`);
  return new Date(today > Date.now() ? today : today + day).toISOString();
}

const settle = ({ id, administrator }: School, input: object): Promise<Json> =>
  administrator.does('UpdateOrganization', { input: { organizationId: id, ...input } });
const setQuiet = (school: School, { from, until, timeZone }: ReturnType<typeof quietNow>): Promise<Json> =>
  settle(school, { quietFrom: from, quietUntil: until, timeZone });
const neverQuiet = (school: School) => settle(school, { quietFrom: null, quietUntil: null });

/** A school that is never quiet, unless it is told otherwise. */
async function open(): Promise<Newsroom> {
  room = await openNewsroom(app.world);
  await neverQuiet(room.school);
  groupChat = await app.world.chat(room.guardian, room.school, room.groupId);
  staffChat = await app.world.chat(room.teacher, room.school);
  return room;
}

const notificationsOf = async (person: Person, variables: object = {}): Promise<Json> =>
  (await person.run('Notifications', { first: 100, ...variables })).viewer.notifications;

/** What somebody is told of, latest first. */
const toldTo = async (person: Person, variables: object = {}): Promise<Json[]> =>
  (await notificationsOf(person, variables)).nodes.map(({ kind, count, message, post }: Json) => [
    kind,
    message?.text ?? post.plainText,
    count,
  ]);

const say = (author: Person, chatId: string, text: string, input: object = {}): Promise<Json> =>
  app.world.message(author, chatId, text, input);
const urgent = { priority: 'URGENT' };
const required = { acknowledgementRequired: true };
const mention = async (person: Person) => ({ mentionedIds: [await app.world.userId(person)] });

/** From when on a message may ring, for somebody. */
async function ringing(person: Person, chatId: string, text: string): Promise<Json> {
  const { data, errors } = await person.send(
    'query ($id: ID!) { chat(id: $id) { messages(first: 100) { nodes { text sentAt viewerNotifyAt } } } }',
    { id: chatId },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.chat.messages.nodes.find((message: Json) => message.text === text);
}

/** Lets a message have been said earlier. */
const backdate = (id: string, minutes: number): Promise<unknown> =>
  inDatabase(
    app,
    (sql) => sql`update messages set sent_at = sent_at - ${minutes}::int * interval '1 minute'
      where id = ${idOf('Message', id)}`,
  );

describe('what is unread in a chat', () => {
  beforeAll(open);

  test('is one notification of its latest message, with how many there are, until it is read', async () => {
    const { teacher, guardian, otherGuardian } = room;
    for (const text of ['one', 'two', 'three']) await say(teacher, groupChat, text);
    const { totalCount, nodes } = await notificationsOf(guardian);
    expect(totalCount).toBe(1);
    expect(nodes).toMatchObject([
      {
        kind: 'MESSAGE',
        count: 3,
        isQuiet: false,
        organization: { id: room.school.id },
        chat: { id: groupChat },
        message: { text: 'three' },
        channel: null,
        post: null,
      },
    ]);
    expect(nodes[0].notifyAt).toBe(nodes[0].occurredAt);
    expect(nodes[0].message.viewerNotifyAt).toBe(nodes[0].occurredAt);
    expect(await toldTo(teacher)).toEqual([]);
    expect(await toldTo(otherGuardian)).toEqual([]);
    await guardian.does('MarkChatRead', { chatId: groupChat, upTo: 2 });
    expect(await toldTo(guardian)).toEqual([['MESSAGE', 'three', 1]]);
    expect(await ringing(guardian, groupChat, 'two')).toMatchObject({ viewerNotifyAt: null });
    await guardian.does('MarkChatRead', { chatId: groupChat });
    expect(await notificationsOf(guardian)).toMatchObject({ totalCount: 0, nodes: [] });
    expect(await ringing(guardian, groupChat, 'three')).toMatchObject({ viewerNotifyAt: null });
  });

  test('keeps the id of its notification when more is said', async () => {
    const { teacher, guardian } = room;
    await say(teacher, groupChat, 'more');
    const [first] = (await notificationsOf(guardian)).nodes;
    await say(teacher, groupChat, 'still more');
    expect((await notificationsOf(guardian)).nodes).toMatchObject([{ id: first.id, message: { text: 'still more' } }]);
    await guardian.does('MarkChatRead', { chatId: groupChat });
  });

  test('does not count what was deleted', async () => {
    const { teacher, guardian } = room;
    await say(teacher, groupChat, 'stays');
    const { id } = await say(teacher, groupChat, 'goes');
    await teacher.does('DeleteMessage', { messageId: id });
    expect(await toldTo(guardian)).toEqual([['MESSAGE', 'stays', 1]]);
    expect(await ringing(guardian, groupChat, '')).toMatchObject({ viewerNotifyAt: null });
    await guardian.does('MarkChatRead', { chatId: groupChat });
  });

  test('is told only while one takes part, and only of what was said since one came', async () => {
    const { world } = app;
    const { head, teacher } = room;
    const [leaver, late] = [await world.staff(room.school), await world.staff(room.school)];
    const made = await head.does('CreateChat', {
      input: { organizationId: room.school.id, kind: 'CUSTOM', name: 'Trip', userIds: [await world.userId(leaver)] },
    });
    await say(head, made.id, 'before', required);
    await say(head, made.id, 'bring boots');
    expect(await toldTo(leaver)).toEqual([
      ['MESSAGE', 'bring boots', 1],
      ['ACKNOWLEDGEMENT', 'before', 1],
    ]);
    await leaver.does('LeaveChat', { chatId: made.id });
    await head.does('AddChatMembers', { chatId: made.id, userIds: [await world.userId(late)] });
    expect(await toldTo(leaver)).toEqual([]);
    expect(await toldTo(late)).toEqual([]);
    expect(await ringing(leaver, made.id, 'bring boots')).toMatchObject({ viewerNotifyAt: null });
    await say(head, made.id, 'and hats');
    expect(await toldTo(late)).toEqual([['MESSAGE', 'and hats', 1]]);
    expect(await toldTo(leaver)).toEqual([]);
    expect(await toldTo(teacher)).toEqual([]);
    await head.does('AddChatMembers', { chatId: made.id, userIds: [await world.userId(leaver)] });
    await say(head, made.id, 'at nine');
    expect(await toldTo(leaver)).toEqual([
      ['MESSAGE', 'at nine', 1],
      ['ACKNOWLEDGEMENT', 'before', 1],
    ]);
  });
});

test('what one says oneself never notifies one, read or not', async () => {
  const { teacher } = await open();
  await say(teacher, staffChat, 'mine');
  await say(teacher, staffChat, 'mine, too', required);
  await inDatabase(app, (sql) => sql`update chat_marks set read_through = 0`);
  expect(await toldTo(teacher)).toEqual([]);
  expect(await ringing(teacher, staffChat, 'mine')).toMatchObject({ viewerNotifyAt: null });
});

describe('a muted chat', () => {
  beforeAll(open);

  test('notifies of what is urgent, names the reader or answers them, and of nothing else', async () => {
    const { head, teacher, otherTeacher } = room;
    const mine = await say(teacher, staffChat, 'Who has the key?');
    const theirs = await say(otherTeacher, staffChat, 'Good morning');
    await teacher.does('MarkChatRead', { chatId: staffChat });
    await teacher.does('MuteChat', { chatId: staffChat });
    await say(head, staffChat, 'chatter');
    await say(head, staffChat, 'Good morning to you', { replyToId: theirs.id });
    await say(head, staffChat, 'you there', await mention(otherTeacher));
    expect(await toldTo(teacher)).toEqual([]);
    expect(await ringing(teacher, staffChat, 'chatter')).toMatchObject({ viewerNotifyAt: null });
    await say(otherTeacher, staffChat, 'I have', { replyToId: mine.id });
    expect(await toldTo(teacher)).toEqual([['REPLY', 'I have', 1]]);
    await say(head, staffChat, 'Please come', await mention(teacher));
    expect(await toldTo(teacher)).toEqual([['MENTION', 'Please come', 2]]);
    await say(head, staffChat, 'Water pipe broken', urgent);
    await say(otherTeacher, staffChat, 'oh no');
    expect(await toldTo(teacher)).toEqual([['URGENT', 'Water pipe broken', 3]]);
    for (const text of ['I have', 'Please come', 'Water pipe broken']) {
      const message = await ringing(teacher, staffChat, text);
      expect(message.viewerNotifyAt).toBe(message.sentAt);
    }
    await teacher.does('UnmuteChat', { chatId: staffChat });
    expect(await toldTo(teacher)).toEqual([['MESSAGE', 'oh no', 7]]);
    await teacher.does('MarkChatRead', { chatId: staffChat });
    expect(await toldTo(teacher)).toEqual([]);
  });

  test('notifies of everything again when its time is over', async () => {
    const { head, teacher } = room;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    await teacher.does('MuteChat', { chatId: staffChat, until });
    await say(head, staffChat, 'later');
    expect(await toldTo(teacher)).toEqual([]);
    await inDatabase(
      app,
      (sql) => sql`update chat_marks set muted_until = now() - interval '1 second' where muted_at is not null`,
    );
    expect(await toldTo(teacher)).toEqual([['MESSAGE', 'later', 1]]);
    await teacher.does('MarkChatRead', { chatId: staffChat });
  });
});

describe('quiet hours', () => {
  beforeAll(open);

  test('of the institution let everything wait until they end, except what is urgent', async () => {
    const { head, teacher, school } = room;
    const hours = quietNow();
    await setQuiet(school, hours);
    await say(head, staffChat, 'for tomorrow', await mention(teacher));
    expect((await notificationsOf(teacher)).nodes).toMatchObject([
      { kind: 'MENTION', isQuiet: true, notifyAt: next(hours.until), message: { viewerNotifyAt: next(hours.until) } },
    ]);
    expect(await notificationsOf(teacher, { dueOnly: true })).toMatchObject({ totalCount: 0, nodes: [] });
    await say(head, staffChat, 'fire', urgent);
    await say(head, staffChat, 'for tomorrow, too');
    expect(await toldTo(teacher)).toEqual([['MESSAGE', 'for tomorrow, too', 3]]);
    expect(await toldTo(teacher, { dueOnly: true })).toEqual([['URGENT', 'fire', 1]]);
    const message = await ringing(teacher, staffChat, 'fire');
    expect(message.viewerNotifyAt).toBe(message.sentAt);
  });

  test('hold back nothing of what came before they began', async () => {
    const { head, teacher } = room;
    const { id } = await say(head, staffChat, 'this afternoon');
    await backdate(id, 75);
    expect(await toldTo(teacher, { dueOnly: true })).toEqual([['MESSAGE', 'this afternoon', 2]]);
    const message = await ringing(teacher, staffChat, 'this afternoon');
    expect(message.viewerNotifyAt).toBe(message.sentAt);
  });

  test('never keep anybody from reading or writing', async () => {
    const { teacher } = room;
    expect(await say(teacher, staffChat, 'still up')).toMatchObject({ state: 'SENT' });
    expect((await teacher.run('Chat', { id: staffChat })).chat.messages.nodes[0]).toMatchObject({ text: 'still up' });
  });

  test('of one’s own take the place of the institution’s, until one follows it again', async () => {
    const { head, teacher } = room;
    await say(head, staffChat, 'anything');
    const due = () => notificationsOf(teacher, { dueOnly: true }).then(({ totalCount }: Json) => totalCount);
    const quietHours = async () => (await teacher.run('QuietHours')).viewer.quietHours;
    expect([await quietHours(), await due()]).toEqual([null, 0]);
    const own = quietLater();
    expect(await teacher.does('SetQuietHours', { input: own })).toMatchObject({
      __typename: 'Viewer',
      quietHours: own,
    });
    expect([await quietHours(), await due()]).toEqual([own, 1]);
    expect(await teacher.does('ResetQuietHours')).toEqual({ quietHours: null });
    expect([await quietHours(), await due()]).toEqual([null, 0]);
    const never = { from: null, until: null, timeZone: null };
    expect(await teacher.does('TurnOffQuietHours')).toEqual({ quietHours: never });
    expect([await quietHours(), await due()]).toEqual([never, 1]);
    await teacher.does('ResetQuietHours');
  });

  test('are the institution’s, each for what comes from it', async () => {
    const { world } = app;
    const [one, other] = [await world.school('One', 'SCHOOL'), await world.school('Other', 'SCHOOL')];
    const hours = quietNow();
    await setQuiet(one, hours);
    await setQuiet(other, quietLater());
    const person = await world.person('Both');
    for (const school of [one, other]) {
      const groupId = await world.group(school);
      await world.guardian(school, await world.child(school, groupId), person);
      const teacher = await world.teacher(school, groupId);
      await say(teacher, await world.chat(teacher, school, groupId), 'hello');
    }
    const seen = async (variables: object = {}) =>
      (await notificationsOf(person, variables)).nodes.map(({ organization, isQuiet }: Json) => [
        organization.name,
        isQuiet,
      ]);
    expect(await seen()).toEqual([
      ['Other', false],
      ['One', true],
    ]);
    expect(await seen({ dueOnly: true })).toEqual([['Other', false]]);
    expect(await seen({ organizationId: one.id })).toEqual([['One', true]]);
    expect(await seen({ organizationId: one.id, dueOnly: true })).toEqual([]);
    expect(await seen({ organizationId: room.school.id })).toEqual([]);
    await person.does('SetQuietHours', { input: quietNow() });
    expect(await seen({ dueOnly: true })).toEqual([]);
  });

  test('need a beginning and an end that differ, and a time zone', async () => {
    const { teacher, school, guardian, head } = room;
    const hours = { from: '21:30', until: '06:45', timeZone: 'Europe/Moscow' };
    const refused = async (input: object) => {
      const { code, field } = await teacher.does('SetQuietHours', { input: { ...hours, ...input } });
      return [code, field];
    };
    expect(await refused({ until: '21:30' })).toEqual(['INVALID_INPUT', 'until']);
    expect(await refused({ from: '24:00' })).toEqual(['INVALID_INPUT', 'from']);
    expect(await refused({ from: '9:00' })).toEqual(['INVALID_INPUT', 'from']);
    expect(await refused({ timeZone: '+03:00' })).toEqual(['INVALID_INPUT', 'timeZone']);
    expect(await refused({ timeZone: 'Moscow' })).toEqual(['INVALID_INPUT', 'timeZone']);
    const settled = async (input: object) => {
      const { code, field, quietFrom, quietUntil } = await settle(school, input);
      return code ? [code, field] : [quietFrom, quietUntil];
    };
    expect(await settled({ quietFrom: '20:00', quietUntil: '08:00' })).toEqual(['20:00', '08:00']);
    expect(await settled({ quietFrom: null })).toEqual(['INVALID_INPUT', 'quietUntil']);
    expect(await settled({ quietUntil: '20:00' })).toEqual(['INVALID_INPUT', 'quietUntil']);
    expect(await settled({ quietUntil: '7' })).toEqual(['INVALID_INPUT', 'quietUntil']);
    expect(await settled({ quietUntil: '07:30', name: 'School 8' })).toEqual(['20:00', '07:30']);
    const input = { organizationId: school.id, quietFrom: '01:00', guardianChatsAllowed: true };
    for (const person of [teacher, head, guardian])
      expect(answer(await person.does('UpdateOrganization', { input }))).toBe('FORBIDDEN');
    const { organization } = await school.administrator.run('AuditLog', {
      organizationId: school.id,
      filter: { action: 'organization.update' },
    });
    expect(organization.auditLog.nodes[0]).toMatchObject({
      before: { quietUntil: '08:00' },
      after: { quietUntil: '07:30' },
    });
  });

  test('are 21 to 7 where nothing was said, and guardians begin no chats until they may', async () => {
    const school = await app.world.school('As it comes');
    const settings = async () => (await school.administrator.run('Organization', { id: school.id })).organization;
    expect(await settings()).toMatchObject({ quietFrom: '21:00', quietUntil: '07:00', guardianChatsAllowed: false });
    await settle(school, { guardianChatsAllowed: true });
    expect(await settings()).toMatchObject({ guardianChatsAllowed: true });
  });

  test('are told to one’s other devices when they change, and to nobody else', async () => {
    const { teacher, head } = room;
    const device = await app.world.person(undefined, teacher.phone);
    const [heard, others] = [await follow(device, 'Ringing'), await follow(head, 'Ringing')];
    const hours = quietLater();
    await teacher.does('SetQuietHours', { input: hours });
    await teacher.does('SetQuietHours', { input: hours });
    await teacher.does('ResetQuietHours');
    await teacher.does('ResetQuietHours');
    await teacher.does('TurnOffQuietHours');
    for (let size = 0; size < 3; size++)
      expect(await heard.nextOf('QuietHoursChanged')).toMatchObject({ kind: 'QUIET_HOURS_CHANGED' });
    await say(teacher, staffChat, 'good night');
    expect(await others.next()).toMatchObject({ __typename: 'MessageSent' });
    expect(await heard.next()).toMatchObject({ __typename: 'MessageSent' });
    await teacher.does('ResetQuietHours');
  });
});

describe('who follows everything', () => {
  beforeAll(open);

  test('learns with each message and post whether to ring, and when', async () => {
    const { head, teacher, otherTeacher, administrator, school } = room;
    const hours = quietNow();
    await setQuiet(school, hours);
    await otherTeacher.does('TurnOffQuietHours');
    await otherTeacher.does('MuteChat', { chatId: staffChat });
    const streams = [
      await follow(head, 'Ringing'),
      await follow(teacher, 'Ringing'),
      await follow(otherTeacher, 'Ringing'),
    ];
    const { sentAt } = await say(head, staffChat, 'listen');
    const rings = () =>
      Promise.all(streams.map(async (stream) => (await stream.nextOf('MessageSent')).message.viewerNotifyAt));
    expect(await rings()).toEqual([null, next(hours.until), null]);
    const pressing = await say(head, staffChat, 'now', urgent);
    expect(await rings()).toEqual([null, pressing.sentAt, pressing.sentAt]);
    expect(sentAt).not.toBe(pressing.sentAt);
    await app.world.post(administrator, room.staffRoom, 'News');
    const posts = await Promise.all(
      streams.map(async (stream) => (await stream.nextOf('PostPublished')).post.viewerNotifyAt),
    );
    expect(posts.slice(0, 2)).toEqual([next(hours.until), next(hours.until)]);
    expect(Date.parse(posts[2])).toBeLessThanOrEqual(Date.now());
  });
});

describe('what is unread in a channel', () => {
  beforeAll(open);

  test('is one notification of its latest post, until it is read', async () => {
    const { administrator, guardian, unverified, community } = room;
    await app.world.post(administrator, community, 'First');
    const postId = await app.world.post(administrator, community, 'Second');
    expect((await notificationsOf(guardian)).nodes).toMatchObject([
      { kind: 'POST', count: 2, channel: { id: community }, post: { id: postId }, chat: null, message: null },
    ]);
    const { nodes } = await notificationsOf(guardian);
    expect(nodes[0].post.viewerNotifyAt).toBe(nodes[0].notifyAt);
    expect(await toldTo(unverified)).toEqual([['POST', 'Second', 2]]);
    expect(await toldTo(administrator)).toEqual([]);
    await guardian.does('MarkChannelRead', { channelId: community });
    expect(await toldTo(guardian)).toEqual([]);
    expect(await toldTo(unverified)).toEqual([['POST', 'Second', 2]]);
    await administrator.does('ArchivePost', { postId });
    expect(await toldTo(unverified)).toEqual([['POST', 'First', 1]]);
  });

  test('is none in a muted one, and waits in quiet hours', async () => {
    const { teacher, guardian, groupChannel, school } = room;
    await app.world.post(teacher, groupChannel, 'Walk');
    expect(await toldTo(guardian)).toEqual([['POST', 'Walk', 1]]);
    await guardian.does('MuteChannel', { channelId: groupChannel });
    expect(await toldTo(guardian)).toEqual([]);
    await guardian.does('UnmuteChannel', { channelId: groupChannel });
    await setQuiet(school, quietNow());
    expect(await toldTo(guardian, { dueOnly: true })).toEqual([]);
    expect((await notificationsOf(guardian)).nodes).toMatchObject([{ isQuiet: true }]);
    await neverQuiet(school);
  });
});

describe('what is to be acknowledged', () => {
  beforeAll(open);

  test('of posts is told until it is, read or not, of a muted channel, too', async () => {
    const { teacher, guardian, otherGuardian, groupChannel } = room;
    const postId = await app.world.post(teacher, groupChannel, 'Vaccination', required);
    await app.world.post(teacher, groupChannel, 'Walk');
    const both = [
      ['POST', 'Walk', 1],
      ['ACKNOWLEDGEMENT', 'Vaccination', 1],
    ];
    expect(await toldTo(guardian)).toEqual(both);
    await guardian.does('MarkChannelRead', { channelId: groupChannel });
    await guardian.does('MuteChannel', { channelId: groupChannel });
    expect(await toldTo(guardian)).toEqual(both.slice(1));
    const late = await app.world.guardian(room.school, room.child);
    expect(await toldTo(late)).toEqual([]);
    expect(await toldTo(otherGuardian)).toEqual([]);
    const rings = async (person: Person) => {
      const document = 'query ($id: ID!) { node(id: $id) { ... on Post { publishedAt viewerNotifyAt } } }';
      const { node } = (await person.send(document, { id: postId })).data;
      return node.viewerNotifyAt === null ? null : node.viewerNotifyAt === node.publishedAt;
    };
    expect([await rings(guardian), await rings(late), await rings(teacher)]).toEqual([true, null, null]);
    await guardian.does('AcknowledgePost', { postId });
    expect(await rings(guardian)).toBeNull();
    expect(await notificationsOf(guardian)).toMatchObject({ totalCount: 0, nodes: [] });
    await guardian.does('UnmuteChannel', { channelId: groupChannel });
  });

  test('of messages is told until it is, read or not, of a muted chat, too', async () => {
    const { teacher, guardian } = room;
    const { id } = await say(teacher, groupChat, 'Sign the form', required);
    await say(teacher, groupChat, 'Thank you');
    expect(await toldTo(guardian)).toEqual([
      ['MESSAGE', 'Thank you', 1],
      ['ACKNOWLEDGEMENT', 'Sign the form', 1],
    ]);
    await guardian.does('MarkChatRead', { chatId: groupChat });
    await guardian.does('MuteChat', { chatId: groupChat });
    expect(await toldTo(guardian)).toEqual([['ACKNOWLEDGEMENT', 'Sign the form', 1]]);
    const message = await ringing(guardian, groupChat, 'Sign the form');
    expect(message.viewerNotifyAt).toBe(message.sentAt);
    expect(await toldTo(teacher)).toEqual([]);
    const late = await app.world.guardian(room.school, room.child);
    expect(await toldTo(late)).toEqual([]);
    await guardian.does('AcknowledgeMessage', { messageId: id });
    expect(await toldTo(guardian)).toEqual([]);
    expect(await ringing(guardian, groupChat, 'Sign the form')).toMatchObject({ viewerNotifyAt: null });
  });
});

describe('a list of many', () => {
  const size = 7;
  let reader: Person;

  beforeAll(async () => {
    const { head, school } = await open();
    reader = await app.world.staff(school);
    const userIds = [await app.world.userId(reader)];
    for (let number = 1; number <= size; number++) {
      const input = { organizationId: school.id, kind: 'CUSTOM', name: `Chat ${number}`, userIds };
      const { id } = await head.does('CreateChat', { input });
      await say(head, id, `Message ${number}`);
    }
    await app.world.post(school.administrator, room.staffRoom, 'A post');
    // Two that came at the same instant, one on the second page and one on the third.
    await inDatabase(
      app,
      (sql) =>
        sql`update messages m set sent_at = n.sent_at from messages n where m.text = 'Message 2' and n.text = 'Message 3'`,
    );
  });

  test('is read in pages, forth and back, each once', async () => {
    const all = await toldTo(reader);
    expect(all).toHaveLength(size + 1);
    expect((await notificationsOf(reader)).totalCount).toBe(size + 1);
    const text = ({ message, post }: Json) => message?.text ?? post.plainText;
    const seen: string[] = [];
    const cursors: string[] = [];
    for (let after: string | undefined; ; ) {
      const { nodes, pageInfo } = await notificationsOf(reader, { first: 3, after });
      seen.push(...nodes.map(text));
      after = pageInfo.endCursor;
      cursors.push(pageInfo.endCursor);
      if (!pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(all.map(([, said]) => said));
    const { nodes } = await notificationsOf(reader, { first: null, last: 2, before: cursors[1] });
    expect(nodes.map(text)).toEqual(seen.slice(3, 5));
    const { errors } = await reader.send('{ viewer { notifications(after: "1_2") { totalCount } } }');
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'after' });
  });

  test('takes four statements, however many there are, with all that they tell of', async () => {
    const document = `{ viewer { notifications(first: 50) { nodes { id kind count notifyAt
      chat { id name viewerUnreadCount } channel { id name }
      message { id text author { displayName } mentions { id } } post { id plainText author { displayName } } } } } }`;
    const sent = vi.spyOn(PostgresJsPreparedQuery.prototype, 'execute');
    let fewest = Number.POSITIVE_INFINITY;
    // What the server does by itself meanwhile makes them more, never fewer.
    for (let time = 0; time < 5; time++) {
      sent.mockClear();
      const { data } = await reader.send(document);
      expect(data.viewer.notifications.nodes).toHaveLength(size + 1);
      fewest = Math.min(fewest, sent.mock.calls.length);
    }
    sent.mockRestore();
    expect(fewest).toBe(4);
  });
});
