import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import { streaming } from './support/beside.ts';
import { idOfUser } from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { LiveKit } from './support/livekit.ts';
import { begun, planned } from './support/meetings.ts';
import { inSeconds, type Newsroom, openNewsroom } from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let livekit: LiveKit;
let app: TestApp;
let room: Newsroom;

beforeAll(async () => {
  livekit = await LiveKit.start();
  app = await startTestApp({ config: { streaming, conferencing: livekit.config } });
  room = await openNewsroom(app.world);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await livekit[Symbol.asyncDispose]();
});

/** What the audit log says was done to something, in order. */
async function deedsTo(targetId: string): Promise<Json[]> {
  const { administrator, school } = room;
  const page = { organizationId: school.id, filter: { targetId }, first: 100 };
  return (await administrator.run('AuditLog', page)).organization.auditLog.nodes.reverse();
}
const actions = (entries: Json[]): string[] => entries.map(({ action }) => action);

async function scheduled(host: Person): Promise<string> {
  const input = { channelId: room.groupChannel, title: 'The new playground', startsAt: inSeconds(3600) };
  return (await host.does('ScheduleBroadcast', { input })).id;
}

test('what is done to a broadcast and to questions in it is written down once, with who did it', async () => {
  const { teacher, head, guardian } = room;
  const broadcastId = await scheduled(teacher);
  for (let times = 0; times < 2; times++) {
    await teacher.does('UpdateBroadcast', { input: { broadcastId, title: 'The old playground' } });
    await head.does('StartBroadcast', { broadcastId });
    await guardian.does('EndBroadcast', { broadcastId });
  }
  await teacher.does('RotateStreamKey', { broadcastId });
  const { id: questionId } = await guardian.does('AskBroadcastQuestion', { broadcastId, text: 'Is there a slide?' });
  for (const name of ['Approve', 'Answer', 'Answer', 'Reject', 'Reject'])
    await head.does(`${name}BroadcastQuestion`, { questionId });
  for (let times = 0; times < 2; times++) await teacher.does('EndBroadcast', { broadcastId });
  await teacher.does('SetBroadcastRecording', { broadcastId, url: 'https://video.example.org/1' });
  const entries = await deedsTo(broadcastId);
  expect(actions(entries)).toEqual([
    'broadcast.schedule',
    'broadcast.update',
    'broadcast.start',
    'broadcast.rotate-key',
    'broadcast.end',
    'broadcast.set-recording',
  ]);
  expect(entries[1]).toMatchObject({
    actor: { id: await idOfUser(teacher) },
    before: { title: 'The new playground' },
    after: { title: 'The old playground' },
  });
  expect(entries[2].actor.id).toBe(await idOfUser(head));
  expect(actions(await deedsTo(questionId))).toEqual([
    'broadcast-question.approve',
    'broadcast-question.answer',
    'broadcast-question.reject',
  ]);

  const other = await scheduled(teacher);
  for (let times = 0; times < 2; times++) await teacher.does('CancelBroadcast', { broadcastId: other, reason: 'Rain' });
  expect((await deedsTo(other)).at(-1)).toMatchObject({ action: 'broadcast.cancel', reason: 'Rain' });
  expect(await deedsTo(other)).toHaveLength(2);
});

test('what is done to a meeting is written down once, and of attendance what changed', async () => {
  const { teacher, guardian, head, groupId } = room;
  const meetingId = await planned(teacher, { groupId }, { format: 'HYBRID', location: 'Hall' });
  const [guardianId, headId] = await Promise.all([guardian, head].map(idOfUser));
  for (let times = 0; times < 2; times++) {
    await teacher.does('UpdateMeeting', { input: { meetingId, location: 'Yard' } });
    await teacher.does('StartMeeting', { meetingId });
    await guardian.does('EndMeeting', { meetingId });
  }
  const note = (userIds: unknown[], present: boolean) =>
    teacher.does('RecordMeetingAttendance', { meetingId, userIds, present });
  await note([guardianId], true);
  await note([guardianId, headId], true);
  await note([guardianId, headId], true);
  await note([headId], false);
  await note([headId], false);
  for (let times = 0; times < 2; times++) await teacher.does('EndMeeting', { meetingId });
  const entries = await deedsTo(meetingId);
  expect(actions(entries).filter((action) => action !== 'meeting.record-attendance')).toEqual([
    'meeting.schedule',
    'meeting.update',
    'meeting.start',
    'meeting.end',
  ]);
  expect(entries[1]).toMatchObject({ before: { location: 'Hall' }, after: { location: 'Yard' } });
  expect(entries.filter(({ action }) => action === 'meeting.record-attendance').map(({ after }) => after)).toEqual([
    { present: true, userIds: [guardianId] },
    { present: true, userIds: [headId] },
    { present: false, userIds: [headId] },
  ]);

  const other = await planned(teacher, { groupId });
  for (let times = 0; times < 2; times++) await teacher.does('CancelMeeting', { meetingId: other, reason: 'Flu' });
  expect(actions(await deedsTo(other))).toEqual(['meeting.schedule', 'meeting.cancel']);
  const running = await begun(teacher, { groupId });
  await head.does('EndMeeting', { meetingId: running });
  expect((await deedsTo(running)).at(-1)).toMatchObject({ action: 'meeting.end', actor: { id: headId } });
});
