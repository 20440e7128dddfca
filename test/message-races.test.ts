import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, follow } from './support/newsroom.ts';
import { inDatabase } from './support/sql.ts';
import { chatFor, gapless, numbersIn, openTalk, ownChat, say, type Talk } from './support/talk.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

/** People who write into a chat until they are stopped, each so many at a time, and what they were answered. */
class Speakers implements AsyncDisposable {
  readonly answers: Json[] = [];
  readonly #work: Promise<unknown>;
  #stopped = false;

  constructor(chatId: string, people: readonly Person[], each = 4) {
    const speak = async (person: Person) => {
      while (!this.#stopped)
        this.answers.push(await say(person, chatId, 'Hello').catch(({ message }) => ({ fault: message })));
    };
    this.#work = Promise.all(people.flatMap((person) => Array.from({ length: each }, () => speak(person))));
  }

  get sent(): Json[] {
    return this.answers.filter(({ state }) => state === 'SENT');
  }

  /** Waits until so many more have been answered. */
  async more(size = 20): Promise<void> {
    const wanted = this.answers.length + size;
    await eventually(() => expect(this.answers.length).toBeGreaterThanOrEqual(wanted));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#work;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** What was answered besides messages: the codes, each once. */
const refusals = ({ answers }: Speakers) =>
  [...new Set(answers.filter(({ state }) => state !== 'SENT').map((one) => one.fault ?? answer(one)))].toSorted();

/** What the log says of an author in a chat, in order: their messages, and when their access ended and began. */
const placesOf = (chatId: string, userId: string): Promise<{ kind: string; number: number | null }[]> =>
  inDatabase(
    app,
    (sql) => sql<{ kind: string; number: number | null }[]>`
      select e.kind, m.number::int as number from log_events e
      join chats c on c.audience_id = e.audience_id and c.id = ${idOf('Chat', chatId)}
      left join messages m on m.id = e.subject_id
      where (e.kind = 'MESSAGE_SENT' and m.author_id = ${idOf('User', userId)})
        or (e.kind in ('ACCESS_BEGAN', 'ACCESS_ENDED') and e.subject_id = ${idOf('User', userId)})
      order by e.position nulls last`,
  );

/** What somebody may read of a chat: the ids of all its messages that they see. */
const readable = async (person: Person, sent: readonly Json[]): Promise<Set<string>> => {
  const found = await Promise.all(sent.map(({ id }) => person.run('Message', { id })));
  return new Set(found.flatMap(({ node }) => node?.id ?? []));
};

/** Says something without end, has somebody's right taken meanwhile, and looks at what that left. */
async function silence(
  chatId: string,
  speaker: Person,
  take: () => Promise<unknown>,
  refusal: string[],
): Promise<void> {
  const userId = await app.world.userId(speaker);
  await using speakers = new Speakers(chatId, [speaker], 6);
  await speakers.more();
  await take();
  await speakers.more();
  await speakers.stop();
  expect(refusals(speakers)).toEqual(refusal);
  const kinds = (await placesOf(chatId, userId)).map(({ kind }) => kind);
  expect(kinds.slice(kinds.lastIndexOf('ACCESS_ENDED'))).toEqual(['ACCESS_ENDED']);
  const numbers = await numbersIn(app, chatId);
  expect(numbers).toEqual(gapless(numbers.at(-1) ?? 0));
}

test('who is taken out of a chat while they write is heard before, or refused; what they said they keep', async () => {
  const { teacher, otherTeacher, head, school } = talk;
  const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head]);
  const userId = await app.world.userId(otherTeacher);
  for (let round = 0; round < 8; round++) {
    const speakers = new Speakers(chatId, [otherTeacher], 8);
    const others = new Speakers(chatId, [head], 4);
    await speakers.more();
    await teacher.does('RemoveChatMember', { chatId, userId });
    await speakers.more();
    await Promise.all([speakers.stop(), others.stop()]);
    expect(refusals(speakers)).toEqual(['FORBIDDEN']);
    expect(refusals(others)).toEqual([]);
    const kinds = (await placesOf(chatId, userId)).map(({ kind }) => kind);
    expect(kinds.slice(kinds.lastIndexOf('ACCESS_ENDED')), `round ${round}`).toEqual(['ACCESS_ENDED']);
    const latest = speakers.sent.slice(-10);
    expect(await readable(otherTeacher, latest), `round ${round}`).toEqual(new Set(latest.map(({ id }) => id)));
    await teacher.does('AddChatMembers', { chatId, userIds: [userId] });
  }
  const numbers = await numbersIn(app, chatId);
  expect(numbers).toEqual(gapless(numbers.at(-1) ?? 0));
});

test('who comes while others write reads what they are told from then on, and nothing from before', async () => {
  const { teacher, otherTeacher, head, school } = talk;
  const newcomer = await app.world.staff(school);
  const userId = await app.world.userId(newcomer);
  for (let round = 0; round < 6; round++) {
    const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head]);
    await using heard = await follow(newcomer, 'ViewerEvents');
    await using speakers = new Speakers(chatId, [otherTeacher, head], 5);
    await speakers.more();
    await teacher.does('AddChatMembers', { chatId, userIds: [userId] });
    await speakers.more();
    await speakers.stop();
    const last = await app.world.message(teacher, chatId, 'The last');
    await eventually(() => expect(heard.delivered.map(({ messageId }) => messageId)).toContain(last.id));
    const told = heard.delivered.flatMap(({ messageId }) => messageId ?? []);
    expect(new Set(told).size).toBe(told.length);
    expect(await readable(newcomer, [...speakers.sent, last]), `round ${round}`).toEqual(new Set(told));
    expect(await chatFor(newcomer, chatId)).toMatchObject({ viewerUnreadCount: told.length });
  }
});

test('whose status is revoked while they write says no more', async () => {
  const { school, groupId } = talk;
  const teacher = await app.world.teacher(school, groupId);
  await silence(
    talk.chatId,
    teacher,
    () => school.administrator.does('RevokeVerification', { verificationId: teacher.verificationId, reason: 'Error' }),
    ['NOT_FOUND'],
  );
});

test('whose child moves to another group while they write says no more in the old chat, and keeps what was said', async () => {
  const { school, groupId, otherGroupId, otherChat } = talk;
  const childId = await app.world.child(school, groupId);
  const mother = await app.world.guardian(school, childId);
  await silence(
    talk.chatId,
    mother,
    () => school.administrator.does('TransferChild', { input: { childId, groupId: otherGroupId } }),
    ['FORBIDDEN'],
  );
  expect(await say(mother, otherChat, 'Hello')).toMatchObject({ state: 'SENT' });
});

test('nothing is said in a school that is suspended meanwhile', async () => {
  const [operator, school] = [await app.world.operator(), await app.world.school('Closing')];
  const head = await app.world.head(school);
  const chatId = await app.world.chat(head, school);
  const suspend = () => operator.does('SuspendOrganization', { organizationId: school.id, reason: 'Unpaid.' });
  await silence(chatId, head, suspend, ['NOT_FOUND']);
});

test('a group that is archived while its teachers write: each message is said or refused, and then it can be read', async () => {
  const { school } = talk;
  for (let round = 0; round < 2; round++) {
    const groupId = await app.world.group(school);
    const teachers = [await app.world.teacher(school, groupId), await app.world.teacher(school, groupId)];
    const [teacher] = teachers;
    if (!teacher) throw new Error('nobody teaches');
    const chatId = await app.world.chat(teacher, school, groupId);
    await using speakers = new Speakers(chatId, teachers, 3);
    await speakers.more();
    expect(await school.administrator.does('ArchiveGroup', { groupId })).toMatchObject({ state: 'ARCHIVED' });
    await speakers.more();
    await speakers.stop();
    expect(refusals(speakers)).toEqual(['FORBIDDEN']);
    expect(await numbersIn(app, chatId)).toEqual(gapless(speakers.sent.length));
    const latest = speakers.sent.slice(-10);
    expect(await readable(teacher, latest)).toEqual(new Set(latest.map(({ id }) => id)));
  }
});

test('people come and go, the chat is renamed, frozen and opened, while all write: nothing fails, nothing is lost', async () => {
  const { teacher, otherTeacher, head, school } = talk;
  const [one, two] = [await app.world.staff(school), await app.world.staff(school)];
  const chatId = await ownChat(app.world, school, [teacher, otherTeacher, head, one]);
  const userIds = [await app.world.userId(one), await app.world.userId(two)];
  await using speakers = new Speakers(chatId, [teacher, otherTeacher, head, one, two], 3);
  await speakers.more();
  const arranged: Json[] = [];
  for (let round = 0; round < 5; round++) {
    const [first = '', second = ''] = round % 2 ? userIds : userIds.toReversed();
    arranged.push(
      ...(await Promise.all([
        teacher.does('AddChatMembers', { chatId, userIds: [first] }),
        teacher.does('RemoveChatMember', { chatId, userId: second }),
        teacher.does('UpdateChat', { input: { chatId, name: `Outing ${round}` } }),
        teacher.does('UpdateChat', { input: { chatId, historyVisibility: round % 2 ? 'ALL' : 'FROM_JOIN' } }),
      ])),
      await teacher.does('MakeChatReadOnly', { chatId }),
      await teacher.does('ReopenChat', { chatId }),
    );
    await speakers.more();
  }
  await speakers.stop();
  // Whom `Promise.all` put in after it was taken out is no fault.
  expect([...new Set(arranged.map(answer))].toSorted()).toEqual(['Chat']);
  expect(new Set(refusals(speakers)).difference(new Set(['FORBIDDEN', 'INVALID_STATE', 'NOT_FOUND']))).toEqual(
    new Set(),
  );
  expect(await numbersIn(app, chatId)).toEqual(gapless(speakers.sent.length));
});

test('who signs out while they write on that device says no more with it', async () => {
  const { school, teacher } = talk;
  const colleague = await app.world.staff(school);
  const device = await app.world.person(undefined, colleague.phone);
  const chatId = await ownChat(app.world, school, [teacher, colleague]);
  await using speakers = new Speakers(chatId, [device], 6);
  await speakers.more();
  await device.does('SignOut');
  await speakers.more();
  await speakers.stop();
  expect(speakers.answers.at(-1).fault).toContain('UNAUTHENTICATED');
  expect(refusals(speakers).filter((code) => !code.includes('UNAUTHENTICATED'))).toEqual([]);
  expect(await numbersIn(app, chatId)).toEqual(gapless(speakers.sent.length));
  expect(await say(colleague, chatId, 'From another device')).toMatchObject({ state: 'SENT' });
});
