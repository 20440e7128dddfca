import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import type { Json } from './support/client.ts';
import { applicationOf, World } from './support/world.ts';

const administratorPhone = '+79160000001';
const operatorPhone = '+79160000090';

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

test('the first start fills a kindergarten and says whom to sign in as; the next start says it again and fills nothing', async () => {
  await using directory = await directoryOfOurOwn();
  const seen: Json[] = [];
  for (let start = 1; start <= 2; start++) {
    await using app = await startWithTerminal({}, directory.path);
    expect(app.terminal()).toContain(`  ${administratorPhone}  administrator`);
    expect(app.terminal()).toContain(`  ${operatorPhone}  operator`);
    expect(app.terminal()).toContain(app.url);

    const administrator = await app.world.person(undefined, administratorPhone);
    const { viewer } = await administrator.run('Viewer');
    const [membership] = viewer.memberships.nodes;
    const organizationId: string = membership.organization.id;
    expect(membership).toMatchObject({ role: 'EMPLOYEE', state: 'ACTIVE', isVerified: true });
    expect(membership.organization.name).toBe('Детский сад № 7 «Рябинка»');

    const page = { organizationId, first: 100 };
    const { members } = (await administrator.run('Members', { ...page, role: 'EMPLOYEE' })).organization;
    expect(members.totalCount).toBe(12);
    expect(countBy(members.nodes, 'isVerified')).toEqual({ true: 10, false: 2 });
    expect(countBy(members.nodes, 'position')).toMatchObject({ HEAD: 1, DEPUTY_HEAD: 1, EDUCATOR: 3, SPECIALIST: 3 });

    const { verifications } = (await administrator.run('Verifications', { ...page, state: 'PENDING' })).organization;
    expect(verifications.nodes).toMatchObject([{ viewerCanDecide: true }, { viewerCanDecide: true }]);
    const { joinRequests } = (await administrator.run('JoinRequests', page)).organization;
    expect(countBy(joinRequests.nodes, 'state')).toEqual({ PENDING: 4, APPROVED: 9, REJECTED: 1, WITHDRAWN: 1 });
    const { invites } = (await administrator.run('Invites', page)).organization;
    expect(countBy(invites.nodes, 'state')).toEqual({ ACTIVE: 2, EXHAUSTED: 4, REVOKED: 1 });
    const { administrators } = (await administrator.run('Administrators', page)).organization;
    expect(administrators.totalCount).toBe(2);
    const { auditLog } = (await administrator.run('AuditLog', page)).organization;
    const { groups } = (await administrator.run('Groups', { ...page, kind: 'AGE_GROUP' })).organization;
    expect(groups.nodes.map(({ childCount }: Json) => childCount)).toEqual([20, 20, 20, 20, 20, 20]);
    const { children } = (await administrator.run('Children', page)).organization;
    expect(children.totalCount).toBe(120);
    const guardians = children.nodes.flatMap((child: Json) => child.guardians.nodes);
    expect(Object.keys(countBy(guardians, 'state'))).toEqual(expect.arrayContaining(['ACTIVE', 'PENDING']));
    seen.push({ groups, children, members, verifications, joinRequests, invites, administrators, auditLog });
  }
  expect(seen[1]).toEqual(seen[0]);
});

test('in the demo a specialist works in several groups, and a mother has children in two, and people have talked', async () => {
  await using app = await startWithTerminal({});
  const musician = await app.world.person(undefined, '+79160000010');
  const organizationId: string = (await musician.run('Viewer')).viewer.memberships.nodes[0].organization.id;
  const { groups } = (await musician.run('Groups', { organizationId, kind: 'AGE_GROUP' })).organization;
  expect(groups.nodes.map(({ childCount }: Json) => childCount)).toEqual([20, 20, 20, 20, 20, 20]);
  const mother = await app.world.person(undefined, '+79161000002');
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
  await using app = await startWithTerminal({});
  const operator = await app.world.person(undefined, operatorPhone);
  const { organizationApplications } = await operator.run('OrganizationApplications', { state: 'SUBMITTED' });
  expect(organizationApplications.nodes).toMatchObject([{ organizationName: 'Школа № 12', viewerCanDecide: true }]);

  const administrator = await app.world.person(undefined, administratorPhone);
  const organizationId: string = (await administrator.run('Viewer')).viewer.memberships.nodes[0].organization.id;
  const waiting = (await administrator.run('JoinRequests', { organizationId, state: 'PENDING' })).organization;
  const approved = await administrator.does('ApproveJoinRequest', { joinRequestId: waiting.joinRequests.nodes[0].id });
  expect(approved.state).toBe('APPROVED');
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

test('in the demo the mother of two has news of both children’s groups to read, and one post to acknowledge', async () => {
  await using app = await startWithTerminal({});
  const mother = await app.world.person(undefined, '+79161000002');
  const { nodes } = (await mother.run('Feed', { first: 100 })).viewer.feed;
  const concerned = nodes.map(({ viewerChildren }: Json) => viewerChildren.length);
  expect([nodes.length, new Set(concerned)]).toEqual([4, new Set([1, 2])]);
  const asked = nodes.filter(({ viewerMustAcknowledge }: Json) => viewerMustAcknowledge);
  expect(asked).toHaveLength(1);
  expect((await mother.does('AcknowledgePost', { postId: asked[0].id })).viewerMustAcknowledge).toBe(false);
  const administrator = await app.world.person(undefined, administratorPhone);
  const organizationId: string = (await administrator.run('Viewer')).viewer.memberships.nodes[0].organization.id;
  const queue = await administrator.run('OrganizationPosts', { organizationId, state: 'SUGGESTED' });
  expect(queue.organization.posts.nodes).toMatchObject([{ viewerCanDecide: true }]);
});
