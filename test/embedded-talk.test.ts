import { expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { atOnce, follow, inSeconds } from './support/newsroom.ts';
import { chatFor, historyFor, messageFor, newKey, openTalk, ownChat, say } from './support/talk.ts';
import { eventually } from './support/waiting.ts';

test('on the embedded database people talk as on any other', async () => {
  await using app = await startTestApp({ embedded: true });
  const { teacher, guardian, head, chatId, staffChat, world, school } = await openTalk(app.world);
  await using heard = await follow(guardian, 'MessageSent', { chatId });
  const file = await world.upload(teacher, { name: 'a.txt', bytes: Buffer.from('Boots') });
  const clientMessageId = newKey();
  const all = await atOnce(5, () =>
    say(teacher, chatId, 'Завтра ёлка', { clientMessageId, fileIds: [file.id], acknowledgementRequired: true }),
  );
  expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  const [first] = all;
  const mentionedIds = [await world.userId(teacher)];
  const reply = await say(guardian, chatId, 'Thank you', { replyToId: first.id, mentionedIds });
  expect(reply).toMatchObject({ number: 2, replyTo: { number: 1 }, mentions: [{ id: mentionedIds[0] }] });
  expect(await say(teacher, chatId, 'x', { mentionedIds: [await world.userId(head)] })).toMatchObject({
    field: 'mentionedIds',
  });
  expect((await heard.count(2)).map(({ message }) => message.number)).toEqual([1, 2]);

  await teacher.does('AddMessageReaction', { messageId: reply.id, emoji: '👍' });
  await guardian.does('AcknowledgeMessage', { messageId: first.id });
  await teacher.does('PinMessage', { messageId: first.id });
  await teacher.does('EditMessage', { input: { messageId: first.id, text: 'Завтра в десять ёлка' } });
  expect(await messageFor(teacher, first.id)).toMatchObject({
    text: 'Завтра в десять ёлка',
    isPinned: true,
    readCount: 1,
    recipients: { nodes: [{ acknowledgedAt: expect.any(String) }] },
    revisions: { nodes: [{ text: 'Завтра ёлка' }] },
  });
  const found = await guardian.run('SearchChat', { id: chatId, search: 'ЕЛКИ' });
  expect(found.chat.messages).toMatchObject({ totalCount: 1, nodes: [{ id: first.id }] });
  expect((await historyFor(guardian, chatId))?.map(({ number }) => number)).toEqual([1, 2]);

  expect(await chatFor(teacher, chatId)).toMatchObject({ viewerUnreadCount: 1, lastNumber: 2 });
  await teacher.does('SaveChatDraft', { chatId, text: 'And' });
  await teacher.does('MuteChat', { chatId, until: inSeconds(3600) });
  expect(await teacher.does('MarkChatRead', { chatId })).toMatchObject({ viewerReadThrough: 2, viewerUnreadCount: 0 });
  expect(await chatFor(teacher, chatId)).toMatchObject({ viewerDraft: 'And', viewerMuted: true });

  const forwarded = await teacher.does('ForwardMessage', {
    input: { messageId: first.id, chatId: staffChat, clientMessageId: newKey() },
  });
  expect(forwarded).toMatchObject({ number: 1, attachments: [{ name: 'a.txt' }] });
  await teacher.does('DeleteMessage', { messageId: first.id });
  await app.jobs.runNow('file-sweep');
  const { node } = await head.run('File', { id: forwarded.attachments[0].id });
  expect(await (await head.fetch(node.url)).text()).toBe('Boots');

  const due = await teacher.does('ScheduleMessage', {
    input: { chatId, text: 'Later', clientMessageId: newKey(), sendAt: inSeconds(5) },
  });
  await eventually(async () => expect(await messageFor(guardian, due.id)).toMatchObject({ number: 3 }));
  const own = await ownChat(world, school, [teacher, head]);
  await app.world.message(teacher, own);
  await teacher.does('RemoveChatMember', { chatId: own, userId: await world.userId(head) });
  await app.world.message(teacher, own);
  expect((await historyFor(head, own))?.map(({ number }) => number)).toEqual([1]);
});
