import type { Json } from '../support/client.ts';
import { type Act, type Acts, eachCase } from './acts.ts';
import { Air, wheres } from './air.ts';
import { hears } from './answers.ts';
import { caseOf, done, type Where } from './board.ts';
import { isRefusal, type Role, type Rule, readLaw } from './law.ts';
import type { Actor, Scene } from './scene.ts';

const law = readLaw();

/** Of what has happened, what matters, and what happened last. */
interface Told {
  readonly told: string;
  readonly last: string;
}

interface Follows {
  readonly operation: string;
  readonly variables: (topicId: string, scene: Scene) => object;
  /** What is followed. */
  topic(air: Air, who: Actor, role: Role): string | Promise<string>;
  /** What is there already, and something is to happen to. */
  prepare?(air: Air, topicId: string): Promise<string>;
  happens(at: { air: Air; scene: Scene; topicId: string; subjectId: string; role: Role; who: Actor }): Promise<Told>;
  /** What happens last to each who follows, if nothing of the same does. */
  lastTo?(who: Actor, told: string): Promise<string>;
  readonly isLast: (event: Json, last: string) => boolean;
  readonly read?: (delivered: readonly Json[], told: string, air: Air) => string;
  /** It happens anew for each role, not once for all who follow the same. */
  readonly each?: boolean;
}

interface Happening {
  readonly after: string;
  happen(): Promise<Told>;
}

/** Follows something, to which something happens meanwhile: once for everybody who follows the same, from the same place before it. */
export function follows(
  rule: Rule,
  { operation, variables, topic, prepare, happens, lastTo, isLast, read, each }: Follows,
): Act {
  const happenings = new Map<string, Promise<Happening>>();
  return async (scene, who, role) => {
    const air = await Air.of(scene);
    const topicId = await topic(air, who, role);
    const begin = async (): Promise<Happening> => {
      const subjectId = (await prepare?.(air, topicId)) ?? '';
      const { cursor: after } = (await scene.arranger.run('Viewer')).viewer;
      let told: Promise<Told> | null = null;
      return {
        after,
        happen() {
          told ??= happens({ air, scene, topicId, subjectId, role, who });
          return told;
        },
      };
    };
    const key = `${topicId} ${each ? role : ''}`;
    const happening = happenings.get(key) ?? begin();
    happenings.set(key, happening);
    const { after, happen } = await happening;
    let about = '';
    const cause = async () => {
      // Who is refused hears nothing, whatever happens.
      if (isRefusal(rule.answers[role]) || !who.token) return '';
      const { told, last } = await happen();
      about = told;
      return lastTo ? lastTo(who, told) : last;
    };
    const wanted = { ...variables(topicId, scene), ...(who.token ? { after } : {}) };
    const heard = (delivered: readonly Json[]) => (read ?? isTold)(delivered, about, air);
    return hears(who, operation, wanted, cause, heard, isLast);
  };
}

const idIn = ({ broadcastId, questionId, meetingId, callId, post }: Json): string | undefined =>
  broadcastId ?? questionId ?? meetingId ?? callId ?? post?.id;
export const isIt = (event: Json, last: string): boolean => idIn(event) === last;
/** What somebody is told of, they also see, and once. */
const isTold = (delivered: readonly Json[], told: string): string => {
  const [event, ...more] = delivered.filter((one) => idIn(one) === told);
  if (!event) return 'NONE';
  if (more.some(({ kind }) => kind === event.kind)) return `told ${more.length + 1} times`;
  const { broadcast, question, meeting, call } = event;
  return broadcast || question || meeting || call ? 'OK' : `told of it, and shown ${JSON.stringify(event)}`;
};

/** Plans a broadcast, starts and ends it. */
async function air(on: Air, { arranger }: Scene, channelId: string): Promise<string> {
  const broadcastId = await on.plan(channelId);
  await done(arranger, 'StartBroadcast', { broadcastId });
  await done(arranger, 'EndBroadcast', { broadcastId });
  return broadcastId;
}

const started = (rule: Rule): Act => {
  const [, elsewhere] = rule.case.match(/^of another channel for the readers of (.+)$/) ?? [];
  const { where } = caseOf(elsewhere ? `in ${elsewhere}` : rule.case);
  return follows(rule, {
    operation: 'BroadcastStarted',
    variables: (channelId) => ({ channelId }),
    topic: (on) => on.board.channel(where),
    async happens({ air: on, scene, topicId }) {
      const other = elsewhere ? await air(on, scene, await on.board.further(where, 'ACTIVE')) : null;
      const last = await air(on, scene, topicId);
      return { told: other ?? last, last };
    },
    isLast: isIt,
  });
};

const startedAnywhere = (rule: Rule): Act =>
  follows(rule, {
    operation: 'BroadcastStarted',
    variables: (organizationId) => ({ organizationId }),
    topic: (on) => on.talk.scene.school.id,
    async happens({ air: on, scene }) {
      let last = '';
      // Last where everybody hears it.
      for (const where of wheres.toReversed()) last = await air(on, scene, on.board.channel(where));
      return { told: last, last };
    },
    isLast: isIt,
    read: (delivered, _told, { board }) => board.seen(new Set(delivered.map(({ broadcast }) => broadcast.channel.id))),
  });

export const events = `__typename ... on LogEvent { kind } ... on BroadcastChanged { broadcastId broadcast { id } }
  ... on BroadcastQuestionChanged { questionId question { id } }
  ... on MeetingChanged { meetingId meeting { id } } ... on CallChanged { callId call { id } }`;
const ofBroadcast = {
  operation: `subscription ($id: ID!, $after: Cursor) { broadcastEvents(broadcastId: $id, after: $after) { ${events} } }`,
  variables: (id: string) => ({ id }),
};
export const ofOrganization = {
  operation: `subscription ($id: ID!, $after: Cursor) {
    organizationEvents(organizationId: $id, after: $after) { ${events} ... on PostPublished { post { id } } } }`,
  variables: (_topicId: string, { school }: Scene) => ({ id: school.id }),
};
const ofViewer = {
  operation: `subscription ($after: Cursor) {
    viewerEvents(after: $after) { ${events} } }`,
  variables: () => ({}),
};

/** One broadcast changes; before it, another one. */
const changed = (rule: Rule): Act => {
  const [, elsewhere] = rule.case.match(/^of another broadcast in (.+)$/) ?? [];
  const { where } = caseOf(elsewhere ? `in ${elsewhere}` : rule.case);
  return follows(rule, {
    ...ofBroadcast,
    topic: (on) => on.listed(where),
    async happens({ air: on, scene, topicId }) {
      const other = elsewhere ? await on.plan(on.board.channel(where)) : null;
      await done(scene.arranger, 'UpdateBroadcast', { input: { broadcastId: topicId, description: rule.case } });
      return { told: other ?? topicId, last: topicId };
    },
    isLast: isIt,
  });
};

/** A broadcast is planned, and then something happens that is told to all. */
const plannedIn = (rule: Rule): Act => {
  const { where } = caseOf(rule.case.replace('of broadcasts ', ''));
  return follows(rule, {
    ...ofOrganization,
    topic: ({ board }) => board.channel(where),
    happens: async ({ air: on, scene, topicId }) => ({
      told: await on.plan(topicId),
      last: await scene.world.post(scene.arranger, on.board.channel('COMMUNITY')),
    }),
    isLast: isIt,
  });
};

/** What a whole client follows: its own profile is changed last. */
export const own =
  (what: (on: Air, topicId: string) => Promise<string>, topic: (on: Air, who: Actor, role: Role) => Promise<string>) =>
  (rule: Rule): Act =>
    follows(rule, {
      ...ofViewer,
      topic,
      happens: async ({ air: on, topicId }) => ({ told: await what(on, topicId), last: '' }),
      async lastTo(who) {
        await done(who, 'UpdateProfile', { input: { locale: 'ru' } });
        return '';
      },
      isLast: ({ __typename }) => __typename === 'ProfileUpdated',
    });

/** The broadcast that goes on: in COMMUNITY, to oneself in COMMUNITY. */
const topicOf =
  (where: Where, isOwn: boolean) =>
  (on: Air, who: Actor, role: Role): Promise<string> =>
    on.found({ state: 'LIVE', own: isOwn, where }, who, role);

/** `of a question that is shown in COMMUNITY`; what happens last is a question that needs nobody’s approval. */
const asked = (rule: Rule): Act => {
  const [, whose, what = '', toOneself, place = ''] =
    rule.case.match(/^of (a|one’s own) question that (waits|is rejected|is shown)( to oneself)? in (.+)$/) ?? [];
  const { where } = caseOf(`in ${place}`);
  const isOwn = whose === 'one’s own';
  return follows(rule, {
    ...ofBroadcast,
    topic: topicOf(where, toOneself !== undefined),
    each: isOwn,
    prepare: async (on, topicId) => (what === 'waits' ? '' : on.ask(topicId, on.viewerIn(where))),
    async happens({ air: on, scene: { arranger }, topicId, subjectId, who, role }) {
      const asker = isOwn && on.asks(role, where, 'SHOWN') ? who : on.viewerIn(where);
      const questionId = subjectId || (await on.ask(topicId, asker));
      if (what === 'is shown') await done(arranger, 'ApproveBroadcastQuestion', { questionId });
      if (what === 'is rejected') await done(arranger, 'RejectBroadcastQuestion', { questionId });
      return { told: questionId, last: await on.ask(topicId, arranger) };
    },
    isLast: isIt,
  });
};

const waitsForViewer = own((on, topicId) => on.ask(topicId, on.board.parent), topicOf('COMMUNITY', false));
const plannedForViewer = (rule: Rule): Act => {
  const { where } = caseOf(rule.case.replace('of broadcasts ', ''));
  return own(
    (on, channelId) => on.plan(channelId),
    async ({ board }) => board.channel(where),
  )(rule);
};

const ofBroadcasts =
  (act: (rule: Rule) => Act) =>
  (rule: Rule): Act | null =>
    rule.case.startsWith('of broadcasts ') ? act(rule) : null;

/** How to run each rule on following broadcasts. */
export const listening: Acts = {
  ...eachCase(law, 'Subscription.broadcastStarted', (rule) =>
    (rule.case === 'of the organization' ? startedAnywhere : started)(rule),
  ),
  ...eachCase(law, 'Subscription.broadcastEvents', (rule) => (/ question /.test(rule.case) ? asked : changed)(rule)),
  ...eachCase(law, 'Subscription.organizationEvents', ofBroadcasts(plannedIn)),
  ...eachCase(law, 'Subscription.viewerEvents', (rule) =>
    rule.case === 'of a question that waits in COMMUNITY' ? waitsForViewer(rule) : ofBroadcasts(plannedForViewer)(rule),
  ),
};
