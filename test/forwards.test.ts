import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { answer, atOnce } from './support/newsroom.ts';
import {
  gapless,
  historyFor,
  messageFor,
  newKey,
  numbersIn,
  openTalk,
  ownChat,
  say,
  type Talk,
} from './support/talk.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'homeroom-test-'));
  app = await startTestApp({ config: { storage: { kind: 'directory', directory } } });
  talk = await openTalk(app.world);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const forward = (person: Person, messageId: string, chatId: string, input: object = {}): Promise<Json> =>
  person.does('ForwardMessage', { input: { messageId, chatId, clientMessageId: newKey(), ...input } });

/** What of a message's first file somebody can fetch; null: it is not there for them. */
async function bytesOf(person: TestClient, message: Json): Promise<string | null> {
  const { node } = await person.run('File', { id: message.attachments[0].id });
  if (!node) return null;
  const response = await person.fetch(node.url);
  return response.ok ? response.text() : null;
}

/** How much is stored after everything that is deleted was swept away. */
async function stored(): Promise<number> {
  await app.jobs.runNow('file-sweep');
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

/** Something that was said with a file, whose bytes nobody else's are. */
async function withFile(author: Person, chatId: string, content: string): Promise<Json> {
  const file = await app.world.upload(author, { name: 'notes.txt', bytes: Buffer.from(content) });
  return say(author, chatId, 'Look', { fileIds: [file.id] });
}

const fresh = () => ownChat(app.world, talk.school, [talk.teacher, talk.otherTeacher, talk.head]);

describe('forwarding', () => {
  test('words and files are said again by who forwards; where from is shown to those alone who read there', async () => {
    const { teacher, guardian, otherTeacher } = talk;
    const source = await withFile(guardian, talk.chatId, 'A list of boots');
    const chatId = await fresh();
    const sent = await forward(teacher, source.id, chatId);
    expect(sent).toMatchObject({
      number: 1,
      text: 'Look',
      isForwarded: true,
      viewerIsAuthor: true,
      capacity: 'EMPLOYEE',
      attachments: [{ name: 'notes.txt' }],
    });
    expect(sent.attachments[0].id).not.toBe(source.attachments[0].id);
    expect((await messageFor(teacher, sent.id)).forwardedFrom).toMatchObject({ id: source.id });
    expect((await messageFor(otherTeacher, sent.id)).forwardedFrom).toBeNull();
    expect(await bytesOf(otherTeacher, sent)).toBe('A list of boots');
    expect(await bytesOf(otherTeacher, source)).toBeNull();
    expect(await bytesOf(guardian, sent)).toBeNull();
  });

  test('copies share the bytes: each goes with its message, the bytes with the last', async () => {
    const { teacher, guardian, otherTeacher, head } = talk;
    const before = await stored();
    const source = await withFile(guardian, talk.chatId, 'Shared');
    const [one, two] = [await fresh(), await fresh()];
    const first = await forward(teacher, source.id, one);
    const second = await forward(otherTeacher, first.id, two);
    expect(await stored()).toBe(before + 1);
    await guardian.does('DeleteMessage', { messageId: source.id });
    expect(await stored()).toBe(before + 1);
    expect(await bytesOf(guardian, source)).toBeNull();
    expect(await bytesOf(otherTeacher, first)).toBe('Shared');
    await teacher.does('DeleteMessage', { messageId: first.id });
    expect(await stored()).toBe(before + 1);
    expect(await bytesOf(head, first)).toBeNull();
    expect(await bytesOf(head, second)).toBe('Shared');
    const third = await forward(head, second.id, one);
    await otherTeacher.does('DeleteMessage', { messageId: second.id });
    expect(await stored()).toBe(before + 1);
    expect(await bytesOf(teacher, third)).toBe('Shared');
    await head.does('DeleteMessage', { messageId: third.id });
    expect(await stored()).toBe(before);
  });

  test('deleting the copy leaves the source’s file', async () => {
    const { teacher, head } = talk;
    const chatId = await fresh();
    const source = await withFile(teacher, chatId, 'Mine');
    const copy = await forward(head, source.id, talk.staffChat);
    await head.does('DeleteMessage', { messageId: copy.id });
    await stored();
    expect(await bytesOf(teacher, source)).toBe('Mine');
    expect(await bytesOf(head, copy)).toBeNull();
  });

  test('what is deleted while it is forwarded is forwarded whole or not at all', async () => {
    const { teacher, head } = talk;
    const [from, to] = [await fresh(), await fresh()];
    for (let round = 0; round < 12; round++) {
      const file = await app.world.upload(teacher, { name: 'a.txt', bytes: Buffer.from(`Round ${round}`) });
      const source = await say(teacher, from, null, { fileIds: [file.id] });
      const [copy] = await Promise.all([
        forward(head, source.id, to),
        teacher.does('DeleteMessage', { messageId: source.id }),
      ]);
      if (answer(copy) !== 'Message') expect(copy).toMatchObject({ code: 'INVALID_INPUT', field: 'messageId' });
      else expect(await bytesOf(head, copy), `round ${round}`).toBe(`Round ${round}`);
    }
  });
});

describe('who may forward what, and where to', () => {
  test('what one reads, to where one writes, within one organization', async () => {
    const { teacher, otherTeacher, guardian, head, school, world } = { ...talk, world: app.world };
    const source = await world.message(guardian, talk.chatId, 'Between us');
    const chatId = await fresh();
    expect(await forward(otherTeacher, source.id, chatId)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await forward(guardian, source.id, chatId)).toMatchObject({ code: 'NOT_FOUND' });
    await otherTeacher.does('LeaveChat', { chatId });
    const own = await world.message(otherTeacher, talk.staffChat);
    expect(await forward(otherTeacher, own.id, chatId)).toMatchObject({ code: 'FORBIDDEN' });
    await teacher.does('MakeChatReadOnly', { chatId });
    expect(await forward(teacher, source.id, chatId)).toMatchObject({ code: 'INVALID_STATE' });
    const frozen = await world.message(teacher, talk.staffChat);
    expect(await forward(teacher, frozen.id, talk.chatId, { capacity: 'GUARDIAN' })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'capacity',
    });
    const gone = await world.message(teacher, talk.staffChat);
    await teacher.does('DeleteMessage', { messageId: gone.id });
    const waiting = await teacher.does('ScheduleMessage', {
      input: {
        chatId: talk.staffChat,
        text: 'Later',
        clientMessageId: newKey(),
        sendAt: new Date(Date.now() + 3_600_000).toISOString(),
      },
    });
    for (const { id } of [gone, waiting])
      expect(await forward(teacher, id, talk.chatId)).toMatchObject({ code: 'INVALID_INPUT', field: 'messageId' });
    expect(await numbersIn(app, chatId)).toEqual([0]);

    const elsewhere = await world.school('Another');
    await world.member(elsewhere, 'EMPLOYEE', head);
    const { viewer } = await elsewhere.administrator.run('Chats', { organizationId: elsewhere.id });
    const colleague = await world.staff(elsewhere);
    const foreign = await world.chat(colleague, elsewhere);
    expect(viewer.chats.nodes.map(({ id }: Json) => id)).not.toContain(talk.chatId);
    const mother = await world.guardian(school, await world.child(school, talk.groupId), colleague);
    const here = await world.message(mother, talk.chatId);
    expect(await forward(mother, here.id, foreign)).toMatchObject({ code: 'INVALID_INPUT', field: 'messageId' });
  });

  test('a repeat by the same key says it once, also twenty at once, and shares the key with what is sent', async () => {
    const { teacher, head } = talk;
    const [from, to] = [await fresh(), await fresh()];
    const source = await withFile(teacher, from, 'Once');
    const clientMessageId = newKey();
    const all = await atOnce(20, (index) =>
      index % 4 ? forward(head, source.id, to, { clientMessageId }) : say(head, to, 'Said', { clientMessageId }),
    );
    expect(all.map(answer)).toEqual(all.map(() => 'Message'));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(await numbersIn(app, to)).toEqual(gapless(1));
    expect((await forward(head, source.id, from, { clientMessageId })).id).not.toBe(all[0].id);
    expect(await historyFor(teacher, to)).toHaveLength(1);
  });
});
