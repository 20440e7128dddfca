import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import type { Json } from './support/client.ts';
import { applicationOf, type Person, World } from './support/world.ts';

const administratorPhone = '+79160000001';
const operatorPhone = '+79160000090';
const headPhone = '+79160000002';
const motherPhone = '+79161000002';

/** The server as `npm start` brings it up, and what a person at its terminal has read since. */
async function startWithTerminal(env: Record<string, string>, dataDirectory = 'memory://') {
  await using stack = new AsyncDisposableStack();
  let terminal = '';
  const app = stack.use(
    await startApp(readConfig({ PORT: '0', HOMEROOM_DATA: dataDirectory, ...env }), {
      logger: pino({ level: 'silent' }),
      print: (text) => {
        terminal += text;
      },
    }),
  );
  const codeFor = (phone: string): string => {
    const code = terminal.split(`Sign-in code for ${phone}: `).at(-1)?.slice(0, 6);
    if (!code || !terminal.includes(phone)) throw new Error(`no code for ${phone} in: ${terminal}`);
    return code;
  };
  const world = stack.use(new World(app.url, codeFor));
  const running = stack.move();
  return { url: app.url, world, terminal: () => terminal, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function directoryOfOurOwn() {
  const path = await mkdtemp(join(tmpdir(), 'homeroom-demo-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function countBy(nodes: readonly Json[], field: string): Record<string, number> {
  const grouped = Object.entries(Object.groupBy(nodes, (node) => String(node[field])));
  return Object.fromEntries(grouped.map(([value, group]) => [value, group?.length ?? 0]));
}

/** What somebody who administers the kindergarten finds in it. */
async function kindergartenOf(administrator: Person): Promise<Json> {
  const { viewer } = await administrator.run('Viewer');
  const [membership] = viewer.memberships.nodes;
  const organizationId: string = membership.organization.id;
  const page = { organizationId, first: 100 };
  const read = async (name: string, more: object = {}): Promise<Json> =>
    (await administrator.run(name, { ...page, ...more })).organization;
  const { members } = await read('Members', { role: 'EMPLOYEE' });
  const { verifications } = await read('Verifications', { state: 'PENDING' });
  const { joinRequests } = await read('JoinRequests');
  const { invites } = await read('Invites');
  const { administrators } = await read('Administrators');
  const { auditLog } = await read('AuditLog');
  const { groups } = await read('Groups', { kind: 'AGE_GROUP' });
  const { children } = await read('Children');
  const { broadcasts } = await read('Broadcasts');
  const all = { membership, groups, children, members, verifications, joinRequests, invites, administrators };
  return { ...all, auditLog, broadcasts };
}

/** Of the demo: what its first start left, and the second start, which serves the tests. */
let first: Json;
let demo: Awaited<ReturnType<typeof startWithTerminal>>;
const stack = new AsyncDisposableStack();
const people = new Map<string, Promise<Person>>();

/** Somebody of the demo, who signs in once: a phone gets one code a minute. */
function personOf(phone: string): Promise<Person> {
  const person = people.get(phone) ?? demo.world.person(undefined, phone);
  people.set(phone, person);
  return person;
}

beforeAll(async () => {
  const directory = stack.use(await directoryOfOurOwn());
  {
    await using app = await startWithTerminal({}, directory.path);
    expect(app.terminal()).toContain(app.url);
    first = await kindergartenOf(await app.world.person(undefined, administratorPhone));
  }
  demo = stack.use(await startWithTerminal({}, directory.path));
});
afterAll(() => stack.disposeAsync());

test('the first start fills a kindergarten and says whom to sign in as; the next start says it again and fills nothing', async () => {
  expect(demo.terminal()).toContain(`  ${administratorPhone}  administrator`);
  expect(demo.terminal()).toContain(`  ${operatorPhone}  operator`);
  expect(demo.terminal()).toContain(demo.url);
  const { membership, members, verifications, joinRequests, invites, administrators, groups, children } = first;
  expect(membership).toMatchObject({ role: 'EMPLOYEE', state: 'ACTIVE', isVerified: true });
  expect(membership.organization.name).toBe('Детский сад № 7 «Рябинка»');
  expect(members.totalCount).toBe(12);
  expect(countBy(members.nodes, 'isVerified')).toEqual({ true: 10, false: 2 });
  expect(countBy(members.nodes, 'position')).toMatchObject({ HEAD: 1, DEPUTY_HEAD: 1, EDUCATOR: 3, SPECIALIST: 3 });
  expect(verifications.nodes).toMatchObject([{ viewerCanDecide: true }, { viewerCanDecide: true }]);
  expect(countBy(joinRequests.nodes, 'state')).toEqual({ PENDING: 4, APPROVED: 9, REJECTED: 1, WITHDRAWN: 1 });
  expect(countBy(invites.nodes, 'state')).toEqual({ ACTIVE: 2, EXHAUSTED: 4, REVOKED: 1 });
  expect(administrators.totalCount).toBe(2);
  expect(groups.nodes.map(({ childCount }: Json) => childCount)).toEqual([20, 20, 20, 20, 20, 20]);
  expect(children.totalCount).toBe(120);
  const guardians = children.nodes.flatMap((child: Json) => child.guardians.nodes);
  expect(Object.keys(countBy(guardians, 'state'))).toEqual(expect.arrayContaining(['ACTIVE', 'PENDING']));
  expect(await kindergartenOf(await personOf(administratorPhone))).toEqual(first);
});

test('in the demo a specialist works in several groups, and a mother has children in two, and people have talked', async () => {
  const musician = await personOf('+79160000010');
  const organizationId: string = (await musician.run('Viewer')).viewer.memberships.nodes[0].organization.id;
  const { groups } = (await musician.run('Groups', { organizationId, kind: 'AGE_GROUP' })).organization;
  expect(groups.nodes.map(({ childCount }: Json) => childCount)).toEqual([20, 20, 20, 20, 20, 20]);
  const mother = await personOf(motherPhone);
  const { children } = (await mother.run('ViewerChildren')).viewer;
  expect(new Set(children.nodes.map(({ group }: Json) => group.name))).toEqual(new Set(['Василёк', 'Пчёлки']));
  // What is new for her in her children's groups, and between two.
  const { chats } = (await mother.run('Chats')).viewer;
  const said = chats.nodes.map(({ name, counterpart, viewerUnreadCount }: Json) => [
    name ?? counterpart.displayName,
    viewerUnreadCount,
  ]);
  expect(said).toEqual([
    ['Морозова Ольга Николаевна', 1],
    ['Пчёлки', 2],
    ['Василёк', 0],
  ]);
});

test('the demo’s operator finds a school’s application waiting, and the administrator can approve whoever asks to join', async () => {
  const operator = await personOf(operatorPhone);
  const { organizationApplications } = await operator.run('OrganizationApplications', { state: 'SUBMITTED' });
  expect(organizationApplications.nodes).toMatchObject([{ organizationName: 'Школа № 12', viewerCanDecide: true }]);

  const administrator = await personOf(administratorPhone);
  const organizationId: string = (await administrator.run('Viewer')).viewer.memberships.nodes[0].organization.id;
  const waiting = (await administrator.run('JoinRequests', { organizationId, state: 'PENDING' })).organization;
  const approved = await administrator.does('ApproveJoinRequest', { joinRequestId: waiting.joinRequests.nodes[0].id });
  expect(approved.state).toBe('APPROVED');
});

test('in the demo the mother of two has news of both children’s groups to read, and one post to acknowledge', async () => {
  const mother = await personOf(motherPhone);
  const { nodes } = (await mother.run('Feed', { first: 100 })).viewer.feed;
  const concerned = nodes.map(({ viewerChildren }: Json) => viewerChildren.length);
  expect([nodes.length, new Set(concerned)]).toEqual([4, new Set([1, 2])]);
  const asked = nodes.filter(({ viewerMustAcknowledge }: Json) => viewerMustAcknowledge);
  expect(asked).toHaveLength(1);
  expect((await mother.does('AcknowledgePost', { postId: asked[0].id })).viewerMustAcknowledge).toBe(false);
  const administrator = await personOf(administratorPhone);
  const organizationId: string = (await administrator.run('Viewer')).viewer.memberships.nodes[0].organization.id;
  const queue = await administrator.run('OrganizationPosts', { organizationId, state: 'SUGGESTED' });
  expect(queue.organization.posts.nodes).toMatchObject([{ viewerCanDecide: true }]);
});

test('the demo’s institution has gone live and will again, and parents are to meet; the head goes live and the mother watches', async () => {
  const [head, mother] = [await personOf(headPhone), await personOf(motherPhone)];
  const [planned, past] = first.broadcasts.nodes;
  expect(planned).toMatchObject({ state: 'SCHEDULED', host: { displayName: 'Орлова Марина Сергеевна' } });
  expect(Date.parse(planned.startsAt)).toBeGreaterThan(Date.now());
  expect(past).toMatchObject({
    state: 'ENDED',
    recordingUrl: expect.stringMatching(/^https:/),
    channel: planned.channel,
  });
  const { attendance } = (await head.run('BroadcastAttendance', { id: past.id })).node;
  expect(attendance.nodes.map(({ watchedSeconds }: Json) => watchedSeconds)).toEqual([2400, 2400]);
  const { meetings } = (await mother.run('Meetings', { state: 'SCHEDULED' })).viewer;
  expect(meetings.nodes).toMatchObject([{ format: 'HYBRID', location: 'Музыкальный зал', chat: { name: 'Пчёлки' } }]);

  const { organization } = first.membership;
  await using heard = mother.subscribe('BroadcastStarted', { organizationId: organization.id });
  await heard.begun();
  const input = { channelId: planned.channel.id, title: 'The first snow' };
  const { id: broadcastId } = await head.does('ScheduleBroadcast', { input });
  expect(await head.does('StartBroadcast', { broadcastId })).toMatchObject({ state: 'LIVE' });
  expect(await heard.next()).toMatchObject({ broadcast: { id: broadcastId } });
  const told = async () =>
    (await mother.run('Notifications')).viewer.notifications.nodes
      .filter(({ kind }: Json) => kind === 'BROADCAST')
      .map(({ broadcast }: Json) => broadcast.title);
  expect(await told()).toEqual(['The first snow']);
  const joined = await mother.does('JoinBroadcast', { broadcastId });
  expect(joined).toMatchObject({ broadcast: { watchingCount: 1 }, playback: null });
  expect(await told()).toEqual([]);
  const watchers = (await head.run('BroadcastAttendance', { id: broadcastId })).node.attendance.nodes;
  expect(watchers).toMatchObject([{ user: { displayName: 'Алексеева Вера Борисовна' }, isWatching: true }]);
  const { chats } = (await mother.run('Chats')).viewer;
  expect(await mother.does('StartCall', { input: { chatId: chats.nodes[0].id, kind: 'AUDIO' } })).toMatchObject({
    code: 'NOT_CONFIGURED',
  });
  expect(await head.does('EndBroadcast', { broadcastId })).toMatchObject({ state: 'ENDED' });
});

test.each([
  { start: 'HOMEROOM_DEMO=0', env: { HOMEROOM_DEMO: '0' } },
  { start: 'production', env: { NODE_ENV: 'production', HOST: '127.0.0.1', HOMEROOM_SMS_URL: 'http://127.0.0.1:9/' } },
])('a start with $start fills nothing and makes nobody an operator', async ({ env }) => {
  const config = readConfig({ PORT: '0', HOMEROOM_DATA: 'memory://', ...env });
  const codes = new Map<string, string>();
  const printed: string[] = [];
  await using app = await startApp(config, {
    logger: pino({ level: 'silent' }),
    deliverCode: async (phone, _text, code) => void codes.set(phone, code),
    print: (text) => void printed.push(text),
  });
  await using world = new World(app.url, (phone) => codes.get(phone) ?? '');
  for (const phone of [administratorPhone, operatorPhone]) {
    const person = await world.person(undefined, phone);
    const { viewer } = await person.run('Viewer');
    expect(viewer).toMatchObject({ isOperator: false, user: { displayName: null }, memberships: { nodes: [] } });
  }
  expect(printed).toEqual([]);
});

test('somebody’s own data stays as it is, and the demo’s operator has no power over it', async () => {
  await using directory = await directoryOfOurOwn();
  {
    await using own = await startWithTerminal({ HOMEROOM_DEMO: '0' }, directory.path);
    const applicant = await own.world.person('Petrova', '+79170000001');
    const input = applicationOf('Kindergarten 3', 'KINDERGARTEN', applicant.phone);
    expect((await applicant.does('SubmitOrganizationApplication', { input })).state).toBe('SUBMITTED');
  }
  await using app = await startWithTerminal({}, directory.path);
  expect(app.terminal()).toBe('');
  const stranger = await app.world.person(undefined, operatorPhone);
  expect((await stranger.run('Viewer')).viewer).toMatchObject({ isOperator: false, memberships: { nodes: [] } });
  const applicant = await app.world.person(undefined, '+79170000001');
  expect((await applicant.run('ViewerApplications')).viewer.organizationApplications.totalCount).toBe(1);
});
