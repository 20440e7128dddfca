import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { framesAt, Sender } from './support/ffmpeg.ts';
import { follow, kinds, kindsUntil, type Newsroom, openNewsroom } from './support/newsroom.ts';
import { Nginx } from './support/nginx.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let nginx: Nginx;
let app: TestApp;
let room: Newsroom;
/** When pictures were admitted, or refused. */
const admissions: Json[] = [];

beforeAll(async () => {
  nginx = await Nginx.prepare(3);
  const { streaming } = nginx;
  app = await startTestApp({
    config: { streaming },
    onLog: (line) => line.kind === 'picture' && admissions.push(line),
  });
  await nginx.start(app.url);
  room = await openNewsroom(app.world);
});
afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
});

/** A broadcast that is planned, and what its host's program is to know. */
async function planned(host: Person, channelId: string): Promise<{ id: string; ingest: Json }> {
  const { id } = await host.does('ScheduleBroadcast', { input: { channelId, title: 'The new playground' } });
  return { id, ingest: (await host.run('Broadcast', { id })).node.viewerIngest };
}

const playbackFor = async (person: Person, broadcastId: string): Promise<string> =>
  (await person.does('JoinBroadcast', { broadcastId })).playback.url;

const statusOf = async (url: string): Promise<number> => (await nginx.get(url)).status;

test('a host sends a picture: families hear of it, see it by their own address alone, and it ends with the picture', async () => {
  const { teacher, guardian, groupChannel } = room;
  const { id, ingest } = await planned(teacher, groupChannel);
  await using started = await follow(guardian, 'BroadcastStarted', { channelId: groupChannel });
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });

  await using sender = await Sender.start(ingest);
  expect(await started.next()).toMatchObject({ broadcast: { id, state: 'LIVE' } });

  const url = await playbackFor(guardian, id);
  await guardian.does('LeaveBroadcast', { broadcastId: id });
  await eventually(async () => expect(await statusOf(url)).toBe(200));
  expect((await framesAt(url)).frames[0]).toBe('160 × 120');

  const playlist = await nginx.get(url);
  expect(playlist.headers).toMatchObject({
    'access-control-allow-origin': '*',
    'cache-control': 'no-store',
    'content-type': 'application/vnd.apple.mpegurl',
  });
  const asked = await nginx.get(url, 'OPTIONS');
  expect([asked.status, asked.headers['access-control-allow-origin']]).toEqual([204, '*']);
  const [segment = ''] = /^\d+\.ts$/m.exec(playlist.body) ?? [];
  expect((await nginx.get(new URL(segment, url).href)).headers).toMatchObject({
    'cache-control': 'private, max-age=60',
    'content-type': 'video/mp2t',
  });

  const [directory = ''] = (await nginx.written()).match(/(?<=homeroom-hls\/)[^/\n]+(?=\/index\.m3u8)/) ?? [];
  const [token = ''] = /[^/]+(?=\/index)/.exec(url) ?? [];
  const forged = token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
  const wrong = {
    none: 'index.m3u8',
    listing: '',
    forged: `${forged}/index.m3u8`,
    broadcast: `${id}/index.m3u8`,
    directory: `${directory}/index.m3u8`,
    key: `${ingest.streamKey}/index.m3u8`,
    above: `${token}/../index.m3u8`,
    others: `${token}/%2e%2e%2f${directory}%2findex.m3u8`,
    tokenListing: `${token}/`,
  };
  for (const [name, path] of Object.entries(wrong)) expect([403, 404], name).toContain(await statusOf(`/hls/${path}`));
  for (const path of [wrong.forged, wrong.broadcast, wrong.key]) {
    const { frames, said } = await framesAt(`${nginx.streaming.playbackUrl}/${path}`);
    expect(frames, path).toEqual([]);
    expect(said).toMatch(/403 Forbidden|404 Not Found/);
  }
  // It left, but plays: it is the media server's word that counts.
  const attendance = async () => (await teacher.run('BroadcastAttendance', { id })).node.attendance.nodes;
  const watching = { user: { id: await app.world.userId(guardian) }, isWatching: true };
  await eventually(async () => expect(await attendance()).toMatchObject([watching]));

  await sender.stop();
  await kindsUntil(events, 'BROADCAST_STREAM_ENDED');
  await using again = await Sender.start(ingest);
  await eventually(() => expect(kinds(events)).toHaveLength(4));
  await again.stop();
  await kindsUntil(events, 'BROADCAST_ENDED');
  const oneTime = ['BROADCAST_STREAM_BEGAN', 'BROADCAST_STREAM_ENDED'];
  expect(kinds(events)).toEqual(['BROADCAST_STARTED', ...oneTime, ...oneTime, 'BROADCAST_ENDED']);
  expect((await guardian.run('Broadcast', { id })).node).toMatchObject({ state: 'ENDED', isReceiving: false });
  expect(await nginx.written()).not.toContain(ingest.streamKey);
});

test('a wrong key is refused, and nobody hears of it', async () => {
  const { head, guardian, community } = room;
  const { id, ingest } = await planned(head, community);
  await using events = await follow(guardian, 'BroadcastEvents', { broadcastId: id });
  const streamKey = ingest.streamKey.replace(/.$/, (last: string) => (last === 'A' ? 'B' : 'A'));
  await using stranger = await Sender.start({ ...ingest, streamKey });
  const { code, said } = await stranger.ended;
  expect(code).not.toBe(0);
  expect(said).not.toBe('');
  expect(admissions.at(-1)).toMatchObject({ admitted: false });
  await head.does('CancelBroadcast', { broadcastId: id });
  await events.next();
  expect(kinds(events)).toEqual(['BROADCAST_CANCELLED']);
  await using tooLate = await Sender.start(ingest);
  expect((await tooLate.ended).code).not.toBe(0);
});

test('who loses access is cut off, and so is the host when the broadcast is ended', async () => {
  const { head, guardian, otherGuardian, community, administrator } = room;
  const { id, ingest } = await planned(head, community);
  await using started = await follow(guardian, 'BroadcastStarted', { channelId: community });
  await using sender = await Sender.start(ingest);
  await started.next();
  const [url, otherUrl] = [await playbackFor(guardian, id), await playbackFor(otherGuardian, id)];
  for (const address of [url, otherUrl]) await eventually(async () => expect(await statusOf(address)).toBe(200));
  await administrator.does('RevokeGuardianLink', { guardianLinkId: otherGuardian.linkId, reason: 'By a court' });
  await eventually(async () => expect(await statusOf(otherUrl)).toBe(403));
  expect(await statusOf(url)).toBe(200);
  const unplayed = await playbackFor(guardian, id);
  await head.does('EndBroadcast', { broadcastId: id });
  expect(await statusOf(unplayed)).toBe(403);
  expect((await sender.ended).code).not.toBe(0);
});

test('while our server is away pictures go on, but none begins, and nobody comes in', async () => {
  await using alone = await Nginx.prepare(1);
  await alone.start('http://127.0.0.1:9');
  expect(await alone.tell('update')).toBe(204);
  expect(await alone.tell('publish')).toBe(502);
  expect(await alone.tell('play')).toBe(404);
  expect((await alone.get('/hls/some.one.here/index.m3u8')).status).toBe(500);
});
