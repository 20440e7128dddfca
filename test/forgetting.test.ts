import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { draft, inSeconds, type Newsroom, openNewsroom, postFor } from './support/newsroom.ts';
import { askAt, pollIn } from './support/polls.ts';
import { inDatabase } from './support/sql.ts';
import { messageFor, newKey, say } from './support/talk.ts';

let app: TestApp;
let room: Newsroom;
let chatId: string;

beforeAll(async () => {
  app = await startTestApp();
  room = await openNewsroom(app.world);
  chatId = await app.world.chat(room.teacher, room.school, room.groupId);
});
afterAll(() => app[Symbol.asyncDispose]());

/** The tables of the whole database, whichever there are, of which a row holds a word: in texts, JSON or search indexes. */
const tablesWith = (word: string): Promise<string[]> =>
  inDatabase(app, async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') order by name`;
    const found: string[] = [];
    for (const { name } of tables) {
      const [row] = await sql.unsafe(`select from ${name} t where t::text ilike $1 limit 1`, [`%${word}%`]);
      if (row) found.push(name);
    }
    return found;
  });

const done = (answered: Json): Json => {
  if ('code' in answered) throw new Error(JSON.stringify(answered));
  return answered;
};
const upload = (person: TestClient, word: string): Promise<Json> => app.world.upload(person, { name: `${word}.txt` });

/** How something that says a word everywhere it can is made, and deleted: by the mutation that does it. */
interface Deletion {
  readonly mutation: string;
  /** Says the word, earlier and now, and has it quoted where others decide; answers with what deletes it. */
  say(word: string): Promise<() => Promise<Json>>;
}

const deletions: Readonly<Record<string, Deletion>> = {
  'a message, edited, with a file': {
    mutation: 'deleteMessage',
    async say(word) {
      const { teacher } = room;
      const file = await upload(teacher, word);
      const { id: messageId } = await say(teacher, chatId, `${word} at eight`, { fileIds: [file.id] });
      done(await teacher.does('EditMessage', { input: { messageId, text: `${word} at nine` } }));
      return () => teacher.does('DeleteMessage', { messageId });
    },
  },
  'a poll in a chat': {
    mutation: 'deleteMessage',
    async say(word) {
      const input = { question: word, options: [`${word} yes`, `${word} no`] };
      const { chatMessage } = await pollIn(room.teacher, chatId, input);
      return () => room.teacher.does('DeleteMessage', { messageId: chatMessage.id });
    },
  },
  'a message that was to be sent': {
    mutation: 'cancelScheduledMessage',
    async say(word) {
      const input = { chatId, text: word, sendAt: inSeconds(3600), clientMessageId: newKey() };
      const { id: messageId } = done(await room.teacher.does('ScheduleMessage', { input }));
      return () => room.teacher.does('CancelScheduledMessage', { messageId });
    },
  },
  'a post, given back once, edited, with a file, a poll and a comment that was rejected': {
    mutation: 'deletePost',
    async say(word) {
      const { head, administrator, guardian, community } = room;
      const file = await upload(head, word);
      const postId = await draft(head, community, { text: word, fileIds: [file.id], commenting: 'OPEN' });
      done(await askAt(head, postId, { question: word, options: [`${word} yes`, `${word} no`] }));
      done(await head.does('SuggestPost', { postId }));
      done(await administrator.does('RejectSuggestion', { postId, comment: `Not ${word}` }));
      done(await head.does('SuggestPost', { postId }));
      done(await administrator.does('ApproveSuggestion', { postId }));
      done(await administrator.does('PublishPost', { postId }));
      done(await administrator.does('UpdatePost', { input: { postId, text: `${word} again` } }));
      const { id: commentId } = done(await guardian.does('AddComment', { postId, text: word }));
      done(await administrator.does('RejectComment', { commentId, reason: `No ${word}` }));
      return () => administrator.does('DeletePost', { postId });
    },
  },
  'a draft': {
    mutation: 'deletePost',
    async say(word) {
      const postId = await draft(room.head, room.community, { text: word });
      return () => room.head.does('DeletePost', { postId });
    },
  },
  'a comment, edited and rejected': {
    mutation: 'deleteComment',
    async say(word) {
      const { administrator, guardian, community } = room;
      const postId = await app.world.post(administrator, community, 'Snow', { commenting: 'OPEN' });
      const { id: commentId } = done(await guardian.does('AddComment', { postId, text: word }));
      done(await guardian.does('UpdateComment', { commentId, text: `${word} again` }));
      done(await administrator.does('RejectComment', { commentId, reason: `No ${word}` }));
      return () => guardian.does('DeleteComment', { commentId });
    },
  },
  'a poll of a draft': {
    mutation: 'removePoll',
    async say(word) {
      const postId = await draft(room.head, room.community);
      done(await askAt(room.head, postId, { question: word, options: [`${word} yes`, `${word} no`] }));
      return () => room.head.does('RemovePoll', { postId });
    },
  },
  'a question to the host of a broadcast': {
    mutation: 'withdrawBroadcastQuestion',
    async say(word) {
      const { teacher, guardian, groupChannel } = room;
      const input = { channelId: groupChannel, title: 'Snow', startsAt: inSeconds(3600) };
      const { id: broadcastId } = done(await teacher.does('ScheduleBroadcast', { input }));
      done(await teacher.does('StartBroadcast', { broadcastId }));
      const { id: questionId } = done(await guardian.does('AskBroadcastQuestion', { broadcastId, text: word }));
      return () => guardian.does('WithdrawBroadcastQuestion', { questionId });
    },
  },
  'learning material whose file was replaced': {
    mutation: 'removeMaterial',
    async say(word) {
      const { teacher, groupId } = room;
      const said = { title: word, description: word };
      const fileId = (await upload(teacher, word)).id;
      const { id: materialId } = done(await teacher.does('AddMaterial', { input: { groupId, fileId, ...said } }));
      const replacement = { materialId, title: `${word} again`, fileId: (await upload(teacher, `${word} 2`)).id };
      done(await teacher.does('UpdateMaterial', { input: replacement }));
      return () => teacher.does('RemoveMaterial', { materialId });
    },
  },
  'a file that is attached to nothing': {
    mutation: 'deleteUpload',
    async say(word) {
      const { id: fileId } = await upload(room.guardian, word);
      return () => room.guardian.does('DeleteUpload', { fileId });
    },
  },
};

/** Mutations that sound like deleting, and what stays after them for those who read it before. */
const nothingDeleted: Readonly<Record<string, string>> = {
  cancelBroadcast: 'it stays in the list as called off',
  cancelMeeting: 'it stays in the list as called off',
  cancelPlannedMovement: 'the journal keeps it',
  cancelScheduledPost: 'it is a draft again',
  removeChatMember: 'a person, not words',
  removeMessageReaction: 'a sign, not words',
  removeReaction: 'a sign, not words',
  withdrawChild: 'the journal keeps it',
  withdrawJoinRequest: 'those who decide keep what they were asked',
  withdrawOrganizationApplication: 'those who decide keep what they were asked',
  withdrawSuggestion: 'it is a draft again',
};

describe('what is deleted for everybody is nowhere in the database', () => {
  let count = 0;
  test.each(Object.entries(deletions))('%s', async (_what, deletion) => {
    const word = `zqkforgotten${++count}`;
    const remove = await deletion.say(word);
    expect(await tablesWith(word)).not.toEqual([]);
    done(await remove());
    expect(await tablesWith(word)).toEqual([]);
  });

  test('whatever mutation deletes something is among these', () => {
    const schema = buildSchema(readFileSync(new URL('../schema/schema.graphql', import.meta.url), 'utf8'));
    const names = Object.keys(schema.getMutationType()?.getFields() ?? {});
    const deleting = names.filter((name) => /^(delete|remove|withdraw|cancel|discard|erase|clear)[A-Z]/.test(name));
    const known = [...Object.values(deletions).map(({ mutation }) => mutation), ...Object.keys(nothingDeleted)];
    expect(deleting.filter((name) => !known.includes(name))).toEqual([]);
    expect(known.filter((name) => !deleting.includes(name))).toEqual([]);
  });
});

test('what was forwarded stays with who forwarded it, with its file', async () => {
  const { teacher, otherTeacher, head } = room;
  const staffChat = await app.world.chat(head, room.school);
  const file = await upload(teacher, 'plan');
  const { id: messageId } = await say(teacher, chatId, 'The plan', { fileIds: [file.id] });
  const input = { messageId, chatId: staffChat, clientMessageId: newKey() };
  const copy = done(await teacher.does('ForwardMessage', { input }));
  done(await teacher.does('DeleteMessage', { messageId }));
  const seen = await messageFor(otherTeacher, copy.id);
  expect(seen).toMatchObject({ text: 'The plan', attachments: [{ name: 'plan.txt' }] });
});

test('a repeat of what has been deleted since answers with what is left, and says nothing again', async () => {
  const { head, guardian, administrator, community } = room;
  const idempotencyKey = newKey();
  const wish = { channelId: community, text: 'Said once', idempotencyKey };
  const { id: postId } = done(await head.does('DraftPost', { input: wish }));
  done(await head.does('DeletePost', { postId }));
  expect(await head.does('DraftPost', { input: wish })).toMatchObject({ id: postId, state: 'DELETED', text: '' });

  const post = await app.world.post(administrator, community, 'Snow', { commenting: 'OPEN' });
  const comment = { postId: post, text: 'Said once', idempotencyKey };
  const { id: commentId } = done(await guardian.does('AddComment', comment));
  done(await guardian.does('DeleteComment', { commentId }));
  expect(await guardian.does('AddComment', comment)).toMatchObject({ id: commentId, state: 'DELETED', text: '' });

  const announced = { name: 'once.txt', size: 3, idempotencyKey };
  const { file } = await guardian.does('CreateUpload', { input: announced });
  done(await guardian.does('DeleteUpload', { fileId: file.id }));
  const again = await guardian.does('CreateUpload', { input: announced });
  expect(again).toMatchObject({ file: { id: file.id, state: 'DELETED', name: '' } });
});

test('who did what stays in the audit log, and that its words were emptied', async () => {
  const { administrator, community, school } = room;
  const postId = await app.world.post(administrator, community, 'First');
  done(await administrator.does('UpdatePost', { input: { postId, text: 'Second' } }));
  done(await administrator.does('DeletePost', { postId }));
  const page = { organizationId: school.id, filter: { targetId: postId }, first: 100 };
  const { nodes } = (await administrator.run('AuditLog', page)).organization.auditLog;
  expect(nodes.map(({ action, before, after }: Json) => [action, before, after])).toEqual([
    ['post.delete', { state: 'PUBLISHED' }, null],
    ['audit.forget', null, { entryCount: 2 }],
    ['post.update', null, null],
    ['post.publish', null, null],
  ]);
  expect(await postFor(administrator, postId)).toMatchObject({ state: 'DELETED', text: '' });
});

test('who comes back a moment later is not shown again what was deleted meanwhile', async () => {
  const { teacher, guardian } = room;
  const { cursor: after } = (await guardian.run('Viewer')).viewer;
  // It is shown to somebody, so that what was made for them is there for the next one.
  const first = guardian.subscribe('MessageSent', { chatId, after });
  const { id: messageId } = await say(teacher, chatId, 'Not for long');
  expect(await first.nextOf('MessageSent')).toMatchObject({ message: { text: 'Not for long' } });
  const changed = guardian.subscribe('ChatEvents', { chatId, after });
  done(await teacher.does('DeleteMessage', { messageId }));
  for (let event = await changed.next(); event.kind !== 'MESSAGE_DELETED'; ) event = await changed.next();

  const second = guardian.subscribe('MessageSent', { chatId, after });
  expect(await second.nextOf('MessageSent')).toMatchObject({ message: { id: messageId, text: '' } });
});
