import { type GraphQLObjectType, isInterfaceType, isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { schema } from '../src/schema.ts';
import { type Act, type Acts, isApart } from './matrix/acts.ts';
import { airing } from './matrix/airing.ts';
import { calling } from './matrix/calling.ts';
import { beginsChats, chatPromises, promised } from './matrix/chat-promises.ts';
import { doing } from './matrix/doing.ts';
import { filing } from './matrix/filing.ts';
import { following } from './matrix/following.ts';
import { gathering } from './matrix/gathering.ts';
import { hearing } from './matrix/hearing.ts';
import {
  chatRoles,
  isOfChats,
  isRefusal,
  type MainRole,
  mainRoles,
  type Role,
  type Rule,
  readLaw,
} from './matrix/law.ts';
import { listening } from './matrix/listening.ts';
import { polling } from './matrix/polling.ts';
import { promises } from './matrix/promises.ts';
import { reading } from './matrix/reading.ts';
import { Scene, secondOperatorPhone } from './matrix/scene.ts';
import { actorOf } from './matrix/talk.ts';
import { talked } from './matrix/talked.ts';
import { talking } from './matrix/talking.ts';
import { telling } from './matrix/telling.ts';
import { told } from './matrix/told.ts';
import { operatorPhone, startTestApp, type TestApp } from './support/app.ts';
import type { Person } from './support/world.ts';

/** What is open to people who are not signed in; nothing else is. */
const openings = ['Query.invitePreview', 'Query.viewer', 'Mutation.requestSignInCode', 'Mutation.signIn'];

/** What of chats and calls tells people of themselves, or follows from what has a rule. */
const ownFields = [
  'Broadcast.viewerNotifyAt',
  'Call.chat',
  'Call.viewerIsIn',
  'Call.viewerMissed',
  'Call.viewerRings',
  'Chat.lastNumber',
  'Chat.viewerCapacities',
  'Chat.viewerCounterpartIsOnline',
  'Chat.viewerDraft',
  'Chat.viewerLeft',
  'Chat.viewerMuted',
  'Chat.viewerMutedUntil',
  'Chat.viewerReadThrough',
  'Chat.viewerUnreadCount',
  'ChatMember.isOnline',
  'Meeting.presentCount',
  'Meeting.viewerNotifyAt',
  'Meeting.viewerParticipation',
  'Message.clientMessageId',
  'Message.readCount',
  'Message.viewerAcknowledgedAt',
  'Message.viewerIsAuthor',
  'Message.viewerIsMentioned',
  'Message.viewerNotifyAt',
  'Message.viewerReactions',
  'Poll.viewerCanSeeResults',
  'Poll.viewerElectors',
  'PollOption.viewerHasChosen',
  'PollOption.voteCount',
  'PollVoter.child',
];

const { streaming, conferencing } = readConfig({
  HOMEROOM_INGEST_URL: 'rtmp://media.example.org/live',
  HOMEROOM_PLAYBACK_URL: 'https://media.example.org/hls',
  HOMEROOM_MEDIA_SECRET: 'a secret of thirty-two characters',
  HOMEROOM_LIVEKIT_URL: 'ws://127.0.0.1:9',
  HOMEROOM_LIVEKIT_API_KEY: 'key',
  HOMEROOM_LIVEKIT_API_SECRET: 'a secret of thirty-two characters',
});

const law = readLaw();
const acts: Acts = {
  ...reading,
  ...told,
  ...following,
  ...doing,
  ...telling,
  ...filing,
  ...talked,
  ...hearing,
  ...talking,
  ...polling,
  ...airing,
  ...listening,
  ...gathering,
  ...calling,
};
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter((root) => !!root);
const ruled = new Set(law.map((rule) => rule.field));

const fieldsOf = (type: GraphQLObjectType) =>
  Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, field }));

let app: TestApp;
let stranger: Person;
let shared: Scene;
/** In which nothing changes but what is said: who is what decides there what everybody reads of everybody. */
let talkative: Scene;

beforeAll(async () => {
  app = await startTestApp({
    config: { operatorPhones: [operatorPhone, secondOperatorPhone], streaming, conferencing },
  });
  stranger = (await app.world.school('Kindergarten 9')).administrator;
  shared = await Scene.open(app, stranger);
  talkative = await Scene.open(app, stranger);
});
afterAll(() => app[Symbol.asyncDispose]());

test('every root field has a rule', () => {
  const fields = roots.flatMap(fieldsOf).map(({ name }) => name);
  expect(fields.filter((name) => !ruled.has(name))).toEqual([]);
});

test('every list of an organization has a rule', () => {
  const organization = schema.getType('Organization');
  const fields = isObjectType(organization) ? fieldsOf(organization) : [];
  const lists = fields.filter(({ field }) => field.args.some(({ name }) => name === 'first')).map(({ name }) => name);
  expect(lists).not.toEqual([]);
  expect(lists.filter((name) => !ruled.has(name))).toEqual([]);
});

test('every type that node reads has a rule', () => {
  const node = schema.getType('Node');
  const types = isInterfaceType(node) ? schema.getPossibleTypes(node).map(({ name }) => name) : [];
  const known = new Set(law.filter(({ field }) => field === 'Query.node').map((rule) => rule.case.match(/^\w+/)?.[0]));
  expect(types).not.toEqual([]);
  expect(types.filter((name) => !known.has(name))).toEqual([]);
});

test('every rule is about a field that exists, and is run', () => {
  const exists = ({ field }: Rule): boolean => {
    const [typename = '', name = ''] = field.split('.');
    const type = schema.getType(typename);
    return isObjectType(type) && name in type.getFields();
  };
  expect(law.filter((rule) => !exists(rule)).map(({ name }) => name)).toEqual([]);
  expect(law.map(({ name }) => name).sort()).toEqual(Object.keys(acts).sort());
});

test('what depends on who looks at a chat, a broadcast, a meeting or a call has a rule, or tells people of themselves alone', () => {
  const names = [
    'Chat',
    'ChatMember',
    'Message',
    'MessageReader',
    'MessageReactor',
    'MessageRecipient',
    'MessageRevision',
    'Poll',
    'PollOption',
    'PollVoter',
    'Broadcast',
    'BroadcastAttendee',
    'BroadcastQuestion',
    'Meeting',
    'Participation',
    'Call',
  ];
  const types = names.map((name) => schema.getType(name)).filter(isObjectType);
  const fields = types.flatMap(fieldsOf).filter(({ field }) => field.extensions.perViewer === true);
  expect(types).toHaveLength(names.length);
  const others = fields.map(({ name }) => name).filter((name) => !ruled.has(name) && !promised.includes(name));
  expect(others.sort()).toEqual(ownFields);
});

test('who is not signed in finds only the openings that are listed here', () => {
  const open = roots.flatMap(fieldsOf).filter(({ field }) => field.extensions.anonymous !== false);
  expect(open.map(({ name }) => name)).toEqual(openings);
  const promised = law.filter(
    ({ field, answers }) =>
      /^(Query|Mutation|Subscription)\./.test(field) && !['UNAUTHENTICATED', '4401'].includes(answers['signed out']),
  );
  expect(promised.map(({ field }) => field).filter((field) => !openings.includes(field))).toEqual([]);
});

for (const rule of law) {
  test(`${rule.name} answers each role as the law says`, async () => {
    const act = acts[rule.name];
    if (!act) throw new Error(`nothing runs ${rule.name}`);
    expect(await answersOf(act, rule)).toEqual(rule.answers);
  });
}

/**
 * Refusals first and all at once, since they change nothing; then what is allowed. In a scene of its own that goes one
 * after the other, because each changes what the next finds.
 */
async function answersOf(act: Act, rule: Rule): Promise<Record<string, string>> {
  const { answers: expected, roles } = rule;
  const scene = isApart(act) ? await Scene.open(app, stranger) : isOfChats(rule) ? talkative : shared;
  const run = async (role: Role): Promise<[Role, string]> => [
    role,
    await act(scene, await actorOf(scene, role), role, isRefusal(expected[role])),
  ];
  const refused = await Promise.all(roles.filter((role) => isRefusal(expected[role])).map(run));
  const rest = roles.filter((role) => !isRefusal(expected[role]));
  const given = isApart(act) ? await inTurn(rest, run) : await Promise.all(rest.map(run));
  return Object.fromEntries([...refused, ...given]);
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}

test('what the API says the viewer may do is what the law says', async () => {
  await Promise.all(
    mainRoles.map(async (role) => {
      if (!shared.people[role].token) return;
      const { organization } = await shared.people[role].run('Organization', { id: shared.school.id });
      expect({ role, may: organization && flagsOf(organization) }).toEqual({
        role,
        may: organization && promisesOf(role),
      });
    }),
  );
});

test.each(chatPromises)('what a $type $thing says the viewer may do is what the law says', async ({
  roles,
  compare,
}) => {
  await Promise.all(
    roles.map(async (role) => {
      if (role === 'signed out') return;
      const { says, promised: right } = await compare(talkative, role);
      expect({ role, says }).toEqual({ role, says: right });
    }),
  );
});

test('an organization says whether the viewer may begin chats there', async () => {
  await Promise.all(
    chatRoles.map(async (role) => {
      const { id } = talkative.school;
      const query = `query ($id: ID!) { organization(id: $id) {
        DIRECT: viewerCanCreateChat(kind: DIRECT) CUSTOM: viewerCanCreateChat(kind: CUSTOM) } }`;
      const { data } = await (await actorOf(talkative, role)).send(query, { id });
      const right = { DIRECT: beginsChats(role, 'DIRECT'), CUSTOM: beginsChats(role, 'CUSTOM') };
      expect({ role, may: data?.organization ?? { DIRECT: false, CUSTOM: false } }).toEqual({ role, may: right });
    }),
  );
});

test.each(promises)('what a $type $which says the viewer may do is what the law says', async ({ compare }) => {
  await Promise.all(
    mainRoles.map(async (role) => {
      if (!shared.people[role].token) return;
      const { says, promised } = await compare(shared, role);
      expect({ role, says }).toEqual({ role, says: promised });
    }),
  );
});

const flags = {
  viewerCanUpdate: 'Mutation.updateOrganization',
  viewerCanSuspend: 'Mutation.suspendOrganization',
  viewerCanArrangeGroups: 'Mutation.createGroup',
  viewerCanListMembers: 'Organization.members',
  viewerCanDecideJoinRequests: 'Mutation.approveJoinRequest of another person',
  viewerCanAppointAdministrators: 'Mutation.grantAdministrator',
  viewerCanReadAuditLog: 'Organization.auditLog',
};
const invitations = {
  EMPLOYEE: 'Mutation.createInvite of an employee',
  GUARDIAN: 'Mutation.createInvite of a guardian in one’s own group',
  STUDENT: 'Mutation.createInvite of a student in one’s own group',
};

const flagsOf = ({ viewerCanInvite, ...organization }: Record<string, unknown>) => ({
  ...Object.fromEntries(Object.keys(flags).map((flag) => [flag, organization[flag]])),
  viewerCanInvite,
});

function promisesOf(role: MainRole) {
  const allows = (name: string): boolean => {
    const answer = law.find((rule) => rule.name === name)?.answers[role] ?? 'NULL';
    return answer !== 'NULL' && !isRefusal(answer);
  };
  return {
    ...Object.fromEntries(Object.entries(flags).map(([flag, name]) => [flag, allows(name)])),
    viewerCanInvite: Object.entries(invitations).flatMap(([invited, name]) => (allows(name) ? [invited] : [])),
  };
}
