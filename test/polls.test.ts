import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { globalId, idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { comeDue } from './support/due.ts';
import {
  answer,
  atOnce,
  draft,
  follow,
  inSeconds,
  kinds,
  type Newsroom,
  openNewsroom,
  postFor,
  student,
  suggestion,
} from './support/newsroom.ts';
import { askAt, askIn, counts, pollFor, pollIn, postedPoll, votes } from './support/polls.ts';
import { createDatabase } from './support/postgres.ts';
import { inDatabase } from './support/sql.ts';
import { fewestStatements } from './support/statements.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;
/** Of the group’s staff and guardians; of the head and the staff. */
let families: string;
let colleagues: string;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
  families = await app.world.chat(room.teacher, room.school, room.groupId);
  colleagues = await app.world.chat(room.head, room.school);
});
afterAll(() => app[Symbol.asyncDispose]());

const becomesClosed = (person: Person, id: string) =>
  eventually(async () => expect((await pollFor(person, id)).state).toBe('CLOSED'));
const refused = { code: 'INVALID_INPUT' };

test('a poll is a message: it has its number, its words are found, and all who take part hear of it', async () => {
  const { teacher, guardian } = room;
  await using heard = await follow(guardian, 'MessageSent', { chatId: families });
  const before = (await guardian.run('Chat', { id: families })).chat.lastNumber;
  const poll = await pollIn(teacher, families, { question: 'Кто придёт на утренник?', options: ['Да', 'Нет'] });
  expect(poll).toMatchObject({
    state: 'OPEN',
    electorate: 'PERSON',
    results: 'ALWAYS',
    anonymous: false,
    multiple: false,
    voterCount: 0,
    chatMessage: { number: before + 1, text: 'Кто придёт на утренник?' },
    creator: { id: await app.world.userId(teacher) },
    options: [
      { position: 1, text: 'Да', voteCount: 0, viewerHasChosen: false },
      { position: 2, text: 'Нет', voteCount: 0, viewerHasChosen: false },
    ],
  });
  expect(await heard.next()).toMatchObject({ message: { number: before + 1, capacity: 'EMPLOYEE' } });
  const found = await guardian.run('SearchChat', { id: families, search: 'утренник' });
  expect(found.chat.messages.nodes).toMatchObject([{ number: before + 1 }]);
  const { chat } = await guardian.run('ChatPolls', { id: families, first: 1 });
  expect(chat.messages.nodes).toMatchObject([{ poll: { id: poll.id, viewerCanVote: { allowed: true } } }]);
  const own = (await teacher.run('Chat', { id: families })).chat;
  expect(own).toMatchObject({ viewerReadThrough: before + 1, viewerUnreadCount: 0 });
});

test('asking twice with one key asks once, also at the same time; the key is for that question in that chat', async () => {
  const { teacher } = room;
  const once = { question: 'Once?', clientMessageId: 'once-and-no-more' };
  const before = (await teacher.run('Chat', { id: families })).chat.lastNumber;
  const made = await atOnce(8, () => askIn(teacher, families, once));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect((await teacher.run('Chat', { id: families })).chat.lastNumber).toBe(before + 1);
  expect(await askIn(teacher, families, { ...once, question: 'Twice?' })).toMatchObject({ field: 'clientMessageId' });
  await app.world.message(teacher, families, 'Words', { clientMessageId: 'words-not-a-poll' });
  expect(await askIn(teacher, families, { clientMessageId: 'words-not-a-poll' })).toMatchObject({
    field: 'clientMessageId',
  });
  expect(await askIn(teacher, families, { clientMessageId: null })).toMatchObject({ field: 'clientMessageId' });
});

test('polls and messages that are sent at the same time leave no gap between their numbers', async () => {
  const { teacher, guardian } = room;
  const before = (await teacher.run('Chat', { id: families })).chat.lastNumber;
  const sent = await atOnce(16, (index) =>
    index % 2
      ? askIn(index % 4 > 1 ? guardian : teacher, families).then(({ chatMessage }) => chatMessage)
      : app.world.message(guardian, families),
  );
  expect(sent.map(({ number }) => number).toSorted((one, other) => one - other)).toEqual(
    sent.map((_, index) => before + 1 + index),
  );
});

test.each([
  ['no question', { question: ' ' }, 'question'],
  ['a question of 501 characters', { question: 'q'.repeat(501) }, 'question'],
  ['one answer', { options: ['Yes'] }, 'options'],
  ['13 answers', { options: Array.from({ length: 13 }, (_, index) => `Answer ${index}`) }, 'options'],
  ['an answer of 201 characters', { options: ['Yes', 'n'.repeat(201)] }, 'options.1'],
  ['an empty answer', { options: ['Yes', '  '] }, 'options.1'],
  ['two answers that read alike', { options: ['Yes', ' yes '] }, 'options'],
  ['a deadline that has passed', { closesAt: inSeconds(-1) }, 'closesAt'],
  ['a deadline in more than a year', { closesAt: inSeconds(366 * 86_400) }, 'closesAt'],
  ['a capacity that they do not have', { capacity: 'GUARDIAN' }, 'capacity'],
])('%s is no poll', async (_what, input, field) => {
  expect(await askIn(room.teacher, families, input)).toMatchObject({ ...refused, field });
});

test('twelve answers of 200 characters and a question of 500 are a poll; so are two emojis', async () => {
  const { teacher } = room;
  const options = Array.from({ length: 12 }, (_, index) => `${index}`.padEnd(200, 'a'));
  expect((await pollIn(teacher, families, { question: 'q'.repeat(500), options })).options).toHaveLength(12);
  expect((await pollIn(teacher, families, { options: ['👍', '👎'] })).options).toHaveLength(2);
});

test('a poll is either in a chat or in a post', async () => {
  const { administrator, community } = room;
  const postId = await draft(administrator, community);
  expect(await askIn(administrator, families, { chatId: null })).toMatchObject({ ...refused, field: 'chatId' });
  expect(await askIn(administrator, colleagues, { postId })).toMatchObject({ ...refused, field: 'chatId' });
});

test('who does not take part in a chat cannot tell that it, or a poll in it, is there', async () => {
  const { teacher, guardian, otherGuardian, otherTeacher, unverified, administrator } = room;
  const stranger = await app.world.person('Stranger');
  const { id } = await pollIn(teacher, families);
  for (const person of [otherGuardian, otherTeacher, unverified, administrator, stranger]) {
    expect(await pollFor(person, id)).toBeNull();
    expect(answer(await askIn(person, families))).toBe('NOT_FOUND');
    expect(answer(await votes(person, id, [1]))).toBe('NOT_FOUND');
    for (const name of ['RetractVote', 'ClosePoll'])
      expect(answer(await person.does(name, { pollId: id })), name).toBe('NOT_FOUND');
  }
  expect(answer(await votes(guardian, globalId('Poll', randomUUID()), [1]))).toBe('NOT_FOUND');
});

test('who is staff and guardian asks as what they choose', async () => {
  const both = await app.world.teacher(room.school, room.groupId);
  await app.world.guardian(room.school, await app.world.child(room.school, room.groupId), both);
  const capacityOf = async (input: object) => {
    const { chatMessage } = await pollIn(both, families, input);
    const { chat } = await both.run('Chat', { id: families, first: 1 });
    expect(chat.messages.nodes[0].id).toBe(chatMessage.id);
    return chat.messages.nodes[0].capacity;
  };
  expect(await capacityOf({})).toBe('EMPLOYEE');
  expect(await capacityOf({ capacity: 'GUARDIAN' })).toBe('GUARDIAN');
  expect(await capacityOf({})).toBe('GUARDIAN');
  expect(answer(await askIn(both, families, { electorate: 'CHILD' }))).toBe('FORBIDDEN');
  expect(answer(await askIn(both, families, { electorate: 'CHILD', capacity: 'EMPLOYEE' }))).toBe('Poll');
});

test('a student votes, and does not ask', async () => {
  const { teacher } = room;
  const pupil = await student(room, room.groupId);
  const chat = await teacher.does('CreateChat', {
    input: { organizationId: room.school.id, kind: 'CUSTOM', name: 'Club', userIds: [await app.world.userId(pupil)] },
  });
  const { id } = await pollIn(teacher, chat.id);
  expect(await votes(pupil, id, [2])).toMatchObject({ voterCount: 1, options: [{}, { viewerHasChosen: true }] });
  expect(await askIn(pupil, chat.id)).toMatchObject({ code: 'FORBIDDEN' });
  const may = async (person: typeof pupil) => (await person.run('ChatPolls', { id: chat.id })).chat.viewerCanCreatePoll;
  expect([await may(pupil), await may(teacher)]).toEqual([false, true]);
});

test('votes for children are asked by the staff of a group’s chat, and in posts for families', async () => {
  const { teacher, guardian, head, administrator, community, staffRoom, groupChannel } = room;
  const forChildren = { electorate: 'CHILD' };
  expect(answer(await askIn(teacher, families, forChildren))).toBe('Poll');
  expect(answer(await askIn(guardian, families, forChildren))).toBe('FORBIDDEN');
  expect(await askIn(head, colleagues, forChildren)).toMatchObject({ ...refused, field: 'electorate' });
  expect(await askAt(administrator, await draft(administrator, staffRoom), forChildren)).toMatchObject({
    ...refused,
    field: 'electorate',
  });
  for (const channelId of [community, groupChannel])
    expect(answer(await askAt(administrator, await draft(administrator, channelId), forChildren))).toBe('Poll');
});

test('between two people no vote is anonymous', async () => {
  const input = { organizationId: room.school.id, kind: 'DIRECT', userIds: [await app.world.userId(room.head)] };
  const { id } = await room.teacher.does('CreateChat', { input });
  expect(await askIn(room.teacher, id, { anonymous: true })).toMatchObject({ ...refused, field: 'anonymous' });
  expect(answer(await askIn(room.teacher, id))).toBe('Poll');
});

test('in a chat that is frozen nobody asks or votes; what was asked can be closed', async () => {
  const { teacher, head } = room;
  const chat = await teacher.does('CreateChat', {
    input: {
      organizationId: room.school.id,
      kind: 'CUSTOM',
      name: 'Trip',
      userIds: [await app.world.userId(head)],
    },
  });
  const { id } = await pollIn(teacher, chat.id);
  await votes(head, id, [1]);
  await teacher.does('MakeChatReadOnly', { chatId: chat.id });
  const frozen = { code: 'INVALID_STATE', currentState: 'READ_ONLY' };
  expect(await askIn(teacher, chat.id)).toMatchObject(frozen);
  expect(await votes(head, id, [2])).toMatchObject(frozen);
  expect(await head.does('RetractVote', { pollId: id })).toMatchObject(frozen);
  expect(await pollFor(head, id)).toMatchObject({ viewerCanVote: { allowed: false, reason: 'PLACE_CLOSED' } });
  expect(await teacher.does('ClosePoll', { pollId: id })).toMatchObject({
    state: 'CLOSED',
    options: [{ voteCount: 1 }, {}],
  });
});

test('who left a chat reads the poll, and neither votes nor asks, nor is told who chose what', async () => {
  const { teacher, head } = room;
  const userIds = [await app.world.userId(head)];
  const made = { organizationId: room.school.id, kind: 'CUSTOM', name: 'Committee', userIds };
  const { id: chatId } = await teacher.does('CreateChat', { input: made });
  const { id } = await pollIn(teacher, chatId);
  await votes(head, id, [1]);
  await head.does('LeaveChat', { chatId });
  expect(await pollFor(head, id)).toMatchObject({
    voterCount: 1,
    viewerCanVote: { allowed: false, reason: 'LEFT' },
    viewerElectors: [{ hasVoted: true, canVote: false, positions: [1] }],
    viewerCanClose: false,
  });
  expect((await head.run('PollVoters', { id })).node.options).toMatchObject([{ voters: null }, { voters: null }]);
  expect(answer(await votes(head, id, [2]))).toBe('FORBIDDEN');
  expect(answer(await head.does('RetractVote', { pollId: id }))).toBe('FORBIDDEN');
  expect(answer(await head.does('ClosePoll', { pollId: id }))).toBe('FORBIDDEN');
  expect(answer(await askIn(head, chatId))).toBe('FORBIDDEN');
  const after = await pollIn(teacher, chatId);
  expect(await pollFor(head, after.id)).toBeNull();
  expect(answer(await votes(head, after.id, [1]))).toBe('NOT_FOUND');
});

test('who comes later sees no poll from before, and hears of it without being shown it', async () => {
  const { teacher, guardian } = room;
  const { id } = await pollIn(teacher, families);
  const late = await app.world.guardian(room.school, await app.world.child(room.school, room.groupId));
  await using heard = await follow(late, 'ChatEvents', { chatId: families });
  await using known = await follow(guardian, 'ChatEvents', { chatId: families });
  expect(await pollFor(late, id)).toBeNull();
  await teacher.does('ClosePoll', { pollId: id });
  expect(await heard.nextOf('PollChanged')).toMatchObject({ kind: 'POLL_CLOSED', pollId: id, poll: null });
  expect(await known.nextOf('PollChanged')).toMatchObject({ poll: { id, state: 'CLOSED' } });
});

test('a poll goes with its message, and with its post', async () => {
  const { teacher, guardian, administrator, groupChannel } = room;
  const { id, chatMessage } = await pollIn(teacher, families);
  const { postId, pollId } = await postedPoll(administrator, groupChannel);
  await inDatabase(
    app,
    (sql) =>
      sql`update messages set state = 'DELETED', text = '', deleted_at = now() where id = ${idOf('Message', chatMessage.id)}`,
  );
  await administrator.does('DeletePost', { postId });
  for (const gone of [id, pollId]) {
    for (const person of [teacher, guardian]) expect(await pollFor(person, gone)).toBeNull();
    expect(answer(await votes(guardian, gone, [1]))).toBe('NOT_FOUND');
    expect(answer(await teacher.does('ClosePoll', { pollId: gone }))).toBe('NOT_FOUND');
  }
  const { chat } = await guardian.run('ChatPolls', { id: families, first: 1 });
  expect(chat.messages.nodes).toMatchObject([{ id: chatMessage.id, poll: null }]);
  expect((await guardian.run('PostPoll', { id: postId })).node).toMatchObject({ state: 'DELETED', poll: null });
});

test('who created a poll closes it; so does who answers for the chat, which is written down', async () => {
  const { teacher, guardian, administrator } = room;
  const second = await app.world.guardian(room.school, await app.world.child(room.school, room.groupId));
  const [own, theirs] = [await pollIn(guardian, families), await pollIn(guardian, families)];
  expect(await pollFor(second, own.id)).toMatchObject({ viewerCanClose: false });
  expect(answer(await second.does('ClosePoll', { pollId: own.id }))).toBe('FORBIDDEN');
  await using heard = await follow(second, 'ChatEvents', { chatId: families });
  for (const [person, { id }] of [
    [guardian, own],
    [guardian, own],
    [teacher, theirs],
    [teacher, theirs],
  ] as const)
    expect(await person.does('ClosePoll', { pollId: id })).toMatchObject({ state: 'CLOSED', closesAt: null });
  await app.world.message(teacher, families);
  await heard.nextOf('MessageSent');
  expect(kinds(heard)).toEqual(['POLL_CLOSED', 'POLL_CLOSED', 'MESSAGE_SENT']);
  for (const { id } of [own, theirs]) {
    expect(await votes(second, id, [1])).toMatchObject({ code: 'INVALID_STATE', currentState: 'CLOSED' });
    expect(await pollFor(second, id)).toMatchObject({ viewerCanVote: { allowed: false, reason: 'CLOSED' } });
  }
  const { organization } = await administrator.run('AuditLog', { organizationId: room.school.id, first: 100 });
  const closed = organization.auditLog.nodes.filter(({ action }: Json) => action === 'poll.close');
  expect(closed).toHaveLength(1);
  expect(closed[0]).toMatchObject({ actor: { id: await app.world.userId(teacher) } });
});

test('whoever edits a post gives it a poll until it is published, one, and takes it off again', async () => {
  const { head, administrator, guardian, teacher, community, groupChannel } = room;
  const postId = await suggestion(head, community);
  expect(answer(await askAt(head, postId))).toBe('FORBIDDEN');
  expect(answer(await askAt(guardian, postId))).toBe('NOT_FOUND');
  const first = await askAt(administrator, postId, { idempotencyKey: 'the-one-poll' });
  expect(first).toMatchObject({ __typename: 'Poll', post: { id: postId, state: 'SUGGESTED' } });
  expect(first.viewerCanVote).toEqual({ allowed: false, reason: 'PLACE_CLOSED' });
  const again = { idempotencyKey: 'the-one-poll', question: first.question };
  expect((await askAt(administrator, postId, again)).id).toBe(first.id);
  expect(await askAt(administrator, postId, { ...again, question: 'Another?' })).toMatchObject({
    field: 'idempotencyKey',
  });
  expect(await askAt(administrator, postId)).toMatchObject({ ...refused, field: 'postId' });
  expect((await administrator.run('PostPoll', { id: postId })).node).toMatchObject({ viewerCanCreatePoll: false });
  expect(answer(await administrator.does('ClosePoll', { pollId: first.id }))).toBe('INVALID_STATE');
  expect(answer(await head.does('RemovePoll', { postId }))).toBe('FORBIDDEN');
  for (let turn = 0; turn < 2; turn++)
    expect(await administrator.does('RemovePoll', { postId })).toMatchObject({ id: postId, poll: null });
  expect(await pollFor(administrator, first.id)).toBeNull();
  expect((await administrator.run('PostPoll', { id: postId })).node).toMatchObject({ viewerCanCreatePoll: true });
  const own = await draft(teacher, groupChannel);
  expect(answer(await askAt(teacher, own))).toBe('Poll');
  expect(answer(await askAt(administrator, own))).toBe('NOT_FOUND');
});

test('the poll of a post is voted in from its publication on, by who may react to it, until the post is archived', async () => {
  const { administrator, guardian, otherGuardian, unverified, head, community } = room;
  const postId = await draft(administrator, community);
  const { id } = await askAt(administrator, postId);
  for (const person of [guardian, head]) {
    expect(await pollFor(person, id)).toBeNull();
    expect(answer(await votes(person, id, [1]))).toBe('NOT_FOUND');
  }
  expect(await votes(administrator, id, [1])).toMatchObject({ code: 'INVALID_STATE', currentState: 'DRAFT' });
  await using heard = await follow(guardian, 'ViewerEvents');
  await administrator.does('PublishPost', { postId });
  await heard.nextOf('PostPublished');
  expect((await guardian.run('PostPoll', { id: postId })).node).toMatchObject({
    viewerCanCreatePoll: false,
    poll: { id, viewerCanVote: { allowed: true } },
  });
  expect(answer(await askAt(administrator, postId))).toBe('INVALID_STATE');
  expect(answer(await administrator.does('RemovePoll', { postId }))).toBe('INVALID_STATE');
  for (const person of [guardian, otherGuardian, head]) expect(answer(await votes(person, id, [2]))).toBe('Poll');
  expect(await pollFor(unverified, id)).toMatchObject({ viewerCanVote: { allowed: false, reason: 'UNVERIFIED' } });
  expect(answer(await votes(unverified, id, [1]))).toBe('FORBIDDEN');
  expect(answer(await votes(await app.world.person(), id, [1]))).toBe('NOT_FOUND');
  // Only their own devices are told of a vote in a post, and everybody of its end.
  expect(await heard.nextOf('PollChanged')).toMatchObject({ kind: 'POLL_VOTED' });
  await administrator.does('ArchivePost', { postId });
  expect(await votes(guardian, id, [1])).toMatchObject({ code: 'INVALID_STATE', currentState: 'ARCHIVED' });
  expect(counts(await pollFor(guardian, id))).toEqual([0, 3]);
  expect(answer(await guardian.does('ClosePoll', { pollId: id }))).toBe('FORBIDDEN');
  await administrator.does('ClosePoll', { pollId: id });
  expect(await heard.nextOf('PollChanged')).toMatchObject({ kind: 'POLL_CLOSED', poll: { id, state: 'CLOSED' } });
  expect(kinds(heard).filter((kind) => kind.startsWith('POLL_'))).toEqual(['POLL_VOTED', 'POLL_CLOSED']);
});

test('a poll closes at its deadline, once, and nobody votes after it', async () => {
  const { teacher, guardian, administrator, community } = room;
  const closesAt = inSeconds(3600);
  await using heard = await follow(guardian, 'ViewerEvents');
  const { id } = await pollIn(teacher, families, { closesAt, results: 'AFTER_CLOSE' });
  const { pollId } = await postedPoll(administrator, community, { closesAt });
  const early = await pollIn(teacher, families, { closesAt });
  const { id: later } = await pollIn(teacher, families, { closesAt: inSeconds(7200) });
  await votes(guardian, id, [1]);
  await teacher.does('ClosePoll', { pollId: early.id });
  await comeDue(app, id, pollId, early.id);
  for (const one of [id, pollId]) await becomesClosed(guardian, one);
  const closed = await pollFor(guardian, id);
  expect(closed.closedAt).toBe(closed.closesAt);
  expect(counts(closed)).toEqual([1, 0]);
  expect(await votes(guardian, id, [2])).toMatchObject({ code: 'INVALID_STATE', currentState: 'CLOSED' });
  // What stands behind all that is looked for.
  const last = await app.world.post(administrator, community);
  while ((await heard.nextOf('PostPublished')).post.id !== last);
  const told = heard.delivered.filter(({ kind }) => kind === 'POLL_CLOSED').map((event) => event.pollId);
  expect(told.toSorted()).toEqual([id, pollId, early.id].toSorted());
  expect(await pollFor(guardian, later)).toMatchObject({ state: 'OPEN' });
});

test('past its deadline nobody votes, also where it has not been closed by it yet', async () => {
  const { teacher, guardian } = room;
  const { id } = await pollIn(teacher, families);
  await inDatabase(app, (sql) => sql`update polls set closes_at = now() where id = ${idOf('Poll', id)}`);
  expect(await votes(guardian, id, [1])).toMatchObject({ code: 'INVALID_STATE', currentState: 'CLOSED' });
  expect(await pollFor(guardian, id)).toMatchObject({
    state: 'OPEN',
    viewerCanVote: { allowed: false, reason: 'CLOSED' },
    viewerElectors: [{ canVote: false }],
  });
});

test('a deadline that comes while no server runs is kept at the next start, as of its time', async () => {
  await using database = await createDatabase();
  const { url: databaseUrl } = database;
  const first = await startTestApp({ databaseUrl });
  const school = await first.world.school();
  const { token } = await first.world.head(school);
  const head = Object.assign(first.world.anonymous(), { token, phone: '' });
  const chatId = await first.world.chat(head, school);
  const { id } = await pollIn(head, chatId, { closesAt: inSeconds(3600) });
  const missed = await pollIn(head, chatId, { closesAt: inSeconds(3600) });
  await first[Symbol.asyncDispose]();
  await comeDue({ databaseUrl }, id);
  await using second = await startTestApp({ databaseUrl });
  const again = Object.assign(second.world.anonymous(), { token, phone: '' });
  await becomesClosed(again, id);
  const { closedAt, closesAt } = await pollFor(again, id);
  expect(closedAt).toBe(closesAt);
  expect(await pollFor(again, missed.id)).toMatchObject({ state: 'OPEN' });
});

test('a poll on a post that is published after its deadline is closed from the beginning', async () => {
  const { administrator, guardian, community } = room;
  const postId = await draft(administrator, community);
  await using heard = await follow(guardian, 'ViewerEvents');
  const { id } = await askAt(administrator, postId, { closesAt: inSeconds(3600) });
  await comeDue(app, id);
  await becomesClosed(administrator, id);
  await administrator.does('PublishPost', { postId });
  await heard.nextOf('PostPublished');
  expect(kinds(heard)).not.toContain('POLL_CLOSED');
  expect(await pollFor(guardian, id)).toMatchObject({ state: 'CLOSED', voterCount: 0 });
  expect(await postFor(guardian, postId)).toMatchObject({ state: 'PUBLISHED' });
});

test('fifty messages with polls take two statements more than fifty without', async () => {
  const { teacher, guardian, school } = room;
  const groupId = await app.world.group(school);
  await app.world.assign(school, teacher.membershipId, groupId);
  await app.world.guardian(school, await app.world.child(school, groupId), guardian);
  const chatId = await app.world.chat(teacher, school, groupId);
  const polls = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      pollIn(teacher, chatId, {
        results: index % 2 ? 'ALWAYS' : 'AFTER_VOTE',
        electorate: index % 3 ? 'PERSON' : 'CHILD',
      }),
    ),
  );
  for (const { id } of polls.slice(0, 10)) await votes(guardian, id, [1]);
  const asked = `id question state voterCount creator { id } chatMessage { id } options { text voteCount viewerHasChosen }
    viewerCanVote { allowed reason } viewerElectors { hasVoted canVote positions } viewerCanClose viewerCanSeeResults`;
  const history = (fields: string) =>
    `query ($id: ID!) { chat(id: $id) { messages(first: 50) { nodes { id text ${fields} } } } }`;
  const asking = (fields: string) => async () => {
    const { data } = await guardian.send(history(fields), { id: chatId });
    expect(data.chat.messages.nodes).toHaveLength(50);
    return data;
  };
  const without = (await fewestStatements(asking(''), 0, 10)).statements;
  const { statements } = await fewestStatements(asking(`poll { ${asked} }`), without.length + 2);
  expect(statements).toHaveLength(without.length + 2);
});
