import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream } from './support/client.ts';
import { answer, atOnce, follow, inSeconds, kinds, type Newsroom, openNewsroom, student } from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

/** A broadcast that goes on, in a channel of its own, which whoever is given hosts. */
async function onAir(host: Person, input: object = {}, kind = 'COMMUNITY'): Promise<string> {
  const { administrator, school, groupId } = room;
  const made = { organizationId: school.id, kind, name: 'On air', groupId: kind === 'GROUP' ? groupId : null };
  const channel = await administrator.does('CreateChannel', { input: made });
  const hostId = await app.world.userId(host);
  const planned = await administrator.does('ScheduleBroadcast', {
    input: { channelId: channel.id, title: 'The new playground', startsAt: inSeconds(3600), hostId, ...input },
  });
  const started = await host.does('StartBroadcast', { broadcastId: planned.id });
  if (started.state !== 'LIVE') throw new Error(JSON.stringify({ channel, planned, started }));
  return planned.id;
}

const ask = (person: Person, broadcastId: string, more: object = {}): Promise<Json> =>
  person.does('AskBroadcastQuestion', { broadcastId, text: 'Is there a slide?', ...more });
const deed = (person: Person, name: string, questionId: string, more: object = {}): Promise<Json> =>
  person.does(`${name}BroadcastQuestion`, { questionId, ...more });
const questionsFor = async (person: Person, id: string): Promise<Json[]> =>
  (await person.run('Broadcast', { id, first: 100 })).node.questions.nodes;
const events = (person: Person, broadcastId: string): Promise<Stream> =>
  follow(person, 'BroadcastEvents', { broadcastId });
/** What of questions has been delivered, up to one that somebody who runs the broadcast asks last. */
async function heard(stream: Stream, last: string): Promise<string[]> {
  while ((await stream.next()).questionId !== last);
  return kinds({ delivered: stream.delivered.filter(({ questionId }) => questionId !== last) });
}

test('a question waits for the host, the administrators and the head, and is shown to all once one of them approves it', async () => {
  const { administrator, head, teacher, otherTeacher, guardian, otherGuardian, unverified } = room;
  const id = await onAir(teacher);
  const people = { administrator, head, teacher, otherTeacher, guardian, otherGuardian, unverified };
  const streams = await Promise.all(Object.values(people).map((person) => events(person, id)));
  const asked = await ask(guardian, id);
  expect(asked).toMatchObject({ state: 'PENDING', answer: null, viewerCanWithdraw: true, viewerCanMind: false });
  const waiting = async () =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(people).map(async ([name, person]) => [name, (await questionsFor(person, id)).length]),
      ),
    );
  const one = { administrator: 1, head: 1, teacher: 1, guardian: 1 };
  expect(await waiting()).toEqual({ ...one, otherTeacher: 0, otherGuardian: 0, unverified: 0 });
  expect(await deed(head, 'Approve', asked.id)).toMatchObject({ state: 'SHOWN', viewerCanMind: true });
  expect(await waiting()).toEqual({ ...one, otherTeacher: 1, otherGuardian: 1, unverified: 1 });
  expect(await deed(teacher, 'Answer', asked.id, { answer: 'Two.' })).toMatchObject({
    state: 'ANSWERED',
    answer: 'Two.',
  });
  expect(await deed(teacher, 'Answer', asked.id, { answer: 'Three.' })).toMatchObject({
    state: 'ANSWERED',
    answer: 'Three.',
  });
  expect(await deed(administrator, 'Reject', asked.id)).toMatchObject({ state: 'REJECTED', answer: null });
  expect(await waiting()).toEqual({ ...one, otherTeacher: 0, otherGuardian: 0, unverified: 0 });
  const { id: last } = await ask(teacher, id);
  const all = await Promise.all(streams.map((stream) => heard(stream, last)));
  const [submitted, shown, answered, removed] = ['SUBMITTED', 'SHOWN', 'ANSWERED', 'REMOVED'].map(
    (what) => `BROADCAST_QUESTION_${what}`,
  );
  const told = Object.fromEntries(Object.keys(people).map((name, index) => [name, all[index]]));
  const public_ = [shown, answered, answered, removed];
  const whole = [submitted, ...public_];
  expect(told).toEqual({
    administrator: whole,
    head: whole,
    teacher: whole,
    guardian: whole,
    otherTeacher: public_,
    otherGuardian: public_,
    unverified: public_,
  });
  await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
});

test('an administrator who hosts is told of a question once', async () => {
  const { guardian, school, administrator } = room;
  const host = await app.world.secondAdministrator(school);
  const id = await onAir(host);
  await using stream = await events(host, id);
  const { id: questionId } = await ask(guardian, id);
  const { id: last } = await ask(administrator, id);
  expect(await heard(stream, last)).toEqual(['BROADCAST_QUESTION_SUBMITTED']);
  expect(stream.delivered[0]).toMatchObject({ questionId, question: { id: questionId, state: 'PENDING' } });
});

test('from each state a question goes on only as it may', async () => {
  const { teacher, guardian } = room;
  const id = await onAir(teacher);
  const paths: Readonly<Record<string, readonly string[]>> = {
    PENDING: [],
    SHOWN: ['Approve'],
    ANSWERED: ['Answer'],
    REJECTED: ['Reject'],
    WITHDRAWN: ['Withdraw'],
  };
  const by = (name: string) => (name === 'Withdraw' ? guardian : teacher);
  const became: Json = {};
  for (const [state, path] of Object.entries(paths))
    for (const name of ['Approve', 'Answer', 'Reject', 'Withdraw']) {
      const { id: questionId } = await ask(guardian, id);
      for (const step of path) await deed(by(step), step, questionId);
      const done = await deed(by(name), name, questionId);
      const now = (await questionsFor(guardian, id)).find((one) => one.id === questionId);
      expect(now.state).toBe(done.state ?? state);
      became[state] = { ...became[state], [name]: done.state ?? answer(done) };
    }
  expect(became).toEqual({
    PENDING: { Approve: 'SHOWN', Answer: 'ANSWERED', Reject: 'REJECTED', Withdraw: 'WITHDRAWN' },
    SHOWN: { Approve: 'SHOWN', Answer: 'ANSWERED', Reject: 'REJECTED', Withdraw: 'WITHDRAWN' },
    ANSWERED: { Approve: 'ANSWERED', Answer: 'ANSWERED', Reject: 'REJECTED', Withdraw: 'INVALID_STATE' },
    REJECTED: { Approve: 'SHOWN', Answer: 'ANSWERED', Reject: 'REJECTED', Withdraw: 'INVALID_STATE' },
    WITHDRAWN: {
      Approve: 'INVALID_STATE',
      Answer: 'INVALID_STATE',
      Reject: 'INVALID_STATE',
      Withdraw: 'WITHDRAWN',
    },
  });
});

test('who may not see a question cannot tell that it is there, and who sees it but may not decide is told so', async () => {
  const { teacher, otherTeacher, guardian, otherGuardian, unverified } = room;
  const id = await onAir(teacher);
  const { id: waiting } = await ask(guardian, id);
  const { id: shown } = await ask(guardian, id);
  await deed(teacher, 'Approve', shown);
  for (const name of ['Approve', 'Answer', 'Reject', 'Withdraw']) {
    for (const person of [otherGuardian, otherTeacher, unverified]) {
      expect(answer(await deed(person, name, waiting))).toBe('NOT_FOUND');
      expect(answer(await deed(person, name, shown))).toBe('FORBIDDEN');
    }
    const own = await deed(guardian, name, waiting);
    if (name !== 'Withdraw') expect(answer(own)).toBe('FORBIDDEN');
    expect(answer(await deed(teacher, 'Withdraw', shown))).toBe('FORBIDDEN');
  }
  expect(answer(await ask(unverified, id))).toBe('FORBIDDEN');
});

test('who is only known by their own family asks without a name, in lists and live', async () => {
  const { administrator, head, teacher, otherTeacher, guardian, otherGuardian, unverified, school, child } = room;
  const pupil = await student(room, room.groupId);
  const hidden = await app.world.guardian(school, child);
  await administrator.does('SetGuardianContactVisibility', {
    guardianLinkId: hidden.linkId,
    contactVisibility: 'LIMITED',
  });
  const id = await onAir(otherTeacher, { questioning: 'OPEN' });
  const people = { administrator, head, teacher, otherTeacher, guardian, otherGuardian, unverified, pupil, hidden };
  const streams = await Promise.all(Object.values(people).map((person) => events(person, id)));
  const { id: questionId } = await ask(hidden, id);
  const named = await Promise.all(
    Object.values(people).map(async (person, index) => {
      const listed = (await questionsFor(person, id)).find((one) => one.id === questionId);
      const { question } = await (streams[index] as Stream).next();
      expect(question.author).toEqual(listed.author);
      expect(question.text).toBe('Is there a slide?');
      return question.author !== null;
    }),
  );
  expect(Object.keys(people).filter((_name, index) => named[index])).toEqual([
    'administrator',
    'head',
    'teacher',
    'hidden',
  ]);
  await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
});

test('whether questions wait, are shown at once or not taken is decided for each broadcast, and may change while it goes on', async () => {
  const { teacher, guardian, otherGuardian } = room;
  const id = await onAir(teacher, { questioning: 'OPEN' });
  const set = (questioning: string) => teacher.does('UpdateBroadcast', { input: { broadcastId: id, questioning } });
  const { id: open } = await ask(guardian, id);
  expect((await questionsFor(otherGuardian, id)).map((one) => one.id)).toEqual([open]);
  expect(await set('MODERATED')).toMatchObject({ questioning: 'MODERATED' });
  expect(await ask(guardian, id)).toMatchObject({ state: 'PENDING' });
  expect(await ask(teacher, id)).toMatchObject({ state: 'SHOWN' });
  expect(await set('OFF')).toMatchObject({ questioning: 'OFF', viewerCanAsk: false });
  expect(await ask(guardian, id)).toMatchObject({ code: 'INVALID_INPUT', field: 'broadcastId' });
  expect(await questionsFor(otherGuardian, id)).toHaveLength(2);
});

test('when it is over nobody asks, but what was asked is decided on, answered and taken back', async () => {
  const { teacher, guardian, otherGuardian } = room;
  const id = await onAir(teacher);
  const asked = await Promise.all(Array.from({ length: 4 }, () => ask(guardian, id)));
  await teacher.does('EndBroadcast', { broadcastId: id });
  expect(answer(await ask(guardian, id))).toBe('INVALID_STATE');
  const done = ['Approve', 'Answer', 'Reject', 'Withdraw'].map((name, index) =>
    deed(name === 'Withdraw' ? guardian : teacher, name, asked[index].id),
  );
  expect((await Promise.all(done)).map(({ state }) => state)).toEqual(['SHOWN', 'ANSWERED', 'REJECTED', 'WITHDRAWN']);
  expect(await questionsFor(otherGuardian, id)).toHaveLength(2);
});

test('a wish that is repeated asks once, and its key is for that wish alone', async () => {
  const { teacher, guardian, otherGuardian } = room;
  const id = await onAir(teacher);
  await using stream = await events(teacher, id);
  const idempotencyKey = 'asked-only-once';
  const asked = await atOnce(10, () => ask(guardian, id, { idempotencyKey }));
  expect(new Set(asked.map((one) => one.id)).size).toBe(1);
  await deed(teacher, 'Reject', asked[0]?.id);
  expect(await ask(guardian, id, { idempotencyKey })).toMatchObject({ id: asked[0]?.id, state: 'REJECTED' });
  expect(await ask(guardian, id, { idempotencyKey, text: 'Or a swing?' })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'idempotencyKey',
  });
  expect(await ask(otherGuardian, id, { idempotencyKey })).toMatchObject({ state: 'PENDING' });
  const { id: last } = await ask(teacher, id);
  expect(await heard(stream, last)).toEqual([
    'BROADCAST_QUESTION_SUBMITTED',
    'BROADCAST_QUESTION_REMOVED',
    'BROADCAST_QUESTION_SUBMITTED',
  ]);
  await teacher.does('EndBroadcast', { broadcastId: id });
  expect(await ask(guardian, id, { idempotencyKey })).toMatchObject({ id: asked[0]?.id });
});

test('of approving, rejecting and taking back at once each is done or refused, and readers hear of no more than happened', async () => {
  const { teacher, head, guardian, otherGuardian } = room;
  const id = await onAir(teacher);
  await using stream = await events(otherGuardian, id);
  for (let round = 0; round < 6; round++) {
    const { id: questionId } = await ask(guardian, id);
    const name = round % 2 ? 'Approve' : 'Reject';
    const raced = await atOnce(12, (index) =>
      index % 3 === 0
        ? deed(guardian, 'Withdraw', questionId)
        : deed(index % 3 === 1 ? head : teacher, name, questionId),
    );
    const { state } = (await questionsFor(guardian, id)).find((one) => one.id === questionId);
    const refused = raced.map(({ code }, index) => (code === 'INVALID_STATE' ? index % 3 === 0 : null));
    // What was shown may be taken back, what was rejected may not; what was taken back stays so.
    if (name === 'Approve') expect(state).toBe('WITHDRAWN');
    expect(refused.filter((isAsker) => isAsker === true)).toHaveLength(state === 'REJECTED' ? 4 : 0);
    if (name === 'Reject')
      expect(refused.filter((isAsker) => isAsker === false)).toHaveLength(state === 'REJECTED' ? 0 : 8);
  }
  const { id: last } = await ask(teacher, id);
  const told = await heard(stream, last);
  expect(told.length).toBeLessThanOrEqual(6);
  expect(told).toEqual(told.map((_, index) => `BROADCAST_QUESTION_${index % 2 ? 'REMOVED' : 'SHOWN'}`));
  expect(told.length % 2).toBe(0);
});

test('who reads the channel no longer hears nothing more of their question, and a host who was is told of none', async () => {
  const { administrator, school, groupId } = room;
  const host = await app.world.teacher(school, groupId);
  const id = await onAir(host, {}, 'GROUP');
  const child = await app.world.child(school, groupId);
  const parent = await app.world.guardian(school, child);
  const { id: theirs } = await ask(parent, id);
  const { id: other } = await ask(room.guardian, id);
  await using before = await follow(parent, 'ViewerEvents');
  await using hosts = await follow(host, 'ViewerEvents');
  await administrator.does('TransferChild', { input: { childId: child, groupId: room.otherGroupId } });
  await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: host.assignmentId } });
  expect(answer(await deed(administrator, 'Reject', theirs))).toBe('BroadcastQuestion');
  expect(answer(await deed(administrator, 'Reject', other))).toBe('BroadcastQuestion');
  expect(answer(await deed(parent, 'Withdraw', theirs))).toBe('NOT_FOUND');
  await app.world.post(administrator, room.community);
  for (const stream of [before, hosts]) {
    await stream.nextOf('PostPublished');
    expect(kinds(stream)).not.toContain('BROADCAST_QUESTION_REMOVED');
  }
});

test('wrong values are named', async () => {
  const { teacher, guardian } = room;
  const id = await onAir(teacher);
  for (const text of [' ', 'x'.repeat(1001)])
    expect(await ask(guardian, id, { text })).toMatchObject({ code: 'INVALID_INPUT', field: 'text' });
  expect(await ask(guardian, id, { idempotencyKey: 'short' })).toMatchObject({ field: 'idempotencyKey' });
  const { id: questionId } = await ask(guardian, id, { text: 'x'.repeat(1000) });
  expect(await deed(teacher, 'Answer', questionId, { answer: 'x'.repeat(2001) })).toMatchObject({
    code: 'INVALID_INPUT',
    field: 'answer',
  });
});
