import type { Json } from '../support/client.ts';
import { type Act, type Acts, type Arrange, eachCase, inState } from './acts.ts';
import { Air, questionCase, says, title, wheres } from './air.ts';
import { node, reads } from './answers.ts';
import { caseOf, done, type Where } from './board.ts';
import { isRefusal, type Rule, readLaw } from './law.ts';
import { mutation } from './telling.ts';

const law = readLaw();
const first = 100;
const idsOf = (nodes: readonly Json[]): Set<string> => new Set(nodes.map(({ id }) => id));

function nodes(rule: Rule): Act | null {
  const [, type, text = ''] = rule.case.match(/^(Broadcast|BroadcastQuestion) (.+)$/) ?? [];
  if (!type) return null;
  return async (scene, who, role) => {
    const air = await Air.of(scene);
    if (type === 'BroadcastQuestion') return node(who, await air.question(questionCase(text), who, role));
    const which = caseOf(text);
    return node(who, await (which.state ? air.found(which, who, role) : air.listed(which.where)));
  };
}

/** In which places those broadcasts are seen that are on everybody's list before all others. */
const lists =
  (operation: string, place: 'viewer' | 'organization'): Act =>
  async (scene, who) => {
    const air = await Air.of(scene);
    const there = await Promise.all(
      wheres.map(async (where): Promise<[Where, string]> => [where, await air.listed(where)]),
    );
    return reads(who, operation, { organizationId: scene.school.id, state: 'SCHEDULED', first }, (data) =>
      data[place] ? air.board.seen(idsOf(data[place].broadcasts.nodes), there) : 'NULL',
    );
  };

const ofChannel = ({ case: text }: Rule): Act => {
  const { where } = caseOf(text);
  return async (scene, who) => {
    const air = await Air.of(scene);
    const id = await air.listed(where);
    const wanted = { channelId: air.board.channel(where), state: 'SCHEDULED', first };
    return reads(who, 'ChannelBroadcasts', wanted, ({ node: channel }) =>
      channel ? (idsOf(channel.broadcasts.nodes).has(id) ? 'ALL' : 'NONE') : 'NULL',
    );
  };
};

const ingest = ({ case: text }: Rule): Act => {
  const which = caseOf(text);
  return async (scene, who, role) => {
    const id = await (await Air.of(scene)).found(which, who, role);
    return says(who, id, '... on Broadcast { viewerIngest { url streamKey } }', ({ viewerIngest }) =>
      viewerIngest ? 'OK' : 'NONE',
    );
  };
};

/** Who has watched it, among whom are a family and the LIMITED guardian, or somebody of the staff. */
const attendance = ({ case: text }: Rule): Act => {
  const which = { ...caseOf(text), state: 'LIVE' };
  return async (scene, who, role) => {
    const air = await Air.of(scene);
    const broadcastId = await air.found(which, who, role);
    const people = which.where === 'STAFF' ? [air.viewerIn('STAFF')] : [air.board.parent, air.board.hidden];
    await air.board.once(`watched ${broadcastId}`, async () => {
      for (const person of people) await done(person, 'JoinBroadcast', { broadcastId });
      return 'watched';
    });
    const [watcher = '', hidden = ''] = await air.talk.idsOf(people);
    const fields = '... on Broadcast { attendance(first: 100) { totalCount nodes { user { id } } } }';
    return says(who, broadcastId, fields, ({ attendance: list }) => {
      if (!list) return 'NONE';
      const seen = new Set(list.nodes.map(({ user }: Json) => user.id));
      if (!seen.has(watcher) || list.totalCount !== seen.size) return JSON.stringify(list);
      return seen.has(hidden) ? 'ALL' : 'UNHIDDEN';
    });
  };
};

/** `SCHEDULED of one’s own in COMMUNITY to another host`. */
const toAnother = / (?:to|for) another host$/;

const planned =
  ({ case: text }: Rule): Arrange =>
  async (scene) => {
    const air = await Air.of(scene);
    const hostId = toAnother.test(text) ? await air.talk.idOf(air.board.colleague) : undefined;
    return { input: { channelId: air.board.channel(caseOf(text.replace(toAnother, '')).where), title, hostId } };
  };

/** The broadcast of a case: made anew for who is to change it, as it stands for all others. */
const broadcastOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => {
    const air = await Air.of(scene);
    const which = caseOf(text.replace(toAnother, ''));
    const hostId = toAnother.test(text) ? await air.talk.idOf(air.board.colleague) : undefined;
    const broadcastId = await air.found(which, who, role, !isRefusal(answers[role]));
    return { broadcastId, input: { broadcastId, title: renamed, hostId } };
  };
const renamed = 'The old playground';

/** The one that all come to. */
const watched =
  ({ case: text }: Rule): Arrange =>
  async (scene, who, role) => ({ broadcastId: await (await Air.of(scene)).found(caseOf(text), who, role) });

const url = 'https://video.example.org/1';
const deeds: Acts = {
  ...mutation('scheduleBroadcast', planned, inState('SCHEDULED')),
  ...mutation('updateBroadcast', broadcastOf, (broadcast) => broadcast.title === renamed),
  ...mutation('cancelBroadcast', broadcastOf, inState('CANCELLED')),
  ...mutation('startBroadcast', broadcastOf, inState('LIVE')),
  ...mutation('endBroadcast', broadcastOf, inState('ENDED')),
  ...mutation(
    'setBroadcastRecording',
    broadcastOf,
    ({ recordingUrl }) => recordingUrl === url,
    () => ({ url }),
  ),
  ...mutation('rotateStreamKey', broadcastOf, ({ viewerIngest }) => viewerIngest !== null),
  ...mutation('joinBroadcast', watched, ({ playback }) => playback !== null),
  ...mutation('leaveBroadcast', watched, ({ id }) => id !== null),
};

/** Whether the question of a case is in the list of its broadcast. */
const questions = ({ case: text }: Rule): Act => {
  const which = questionCase(text);
  return async (scene, who, role) => {
    const air = await Air.of(scene);
    const questionId = await air.question(which, who, role);
    const id = await air.found({ state: 'LIVE', own: which.whose === 'to oneself', where: which.where }, who, role);
    const fields = '... on Broadcast { questions(first: 100) { nodes { id } } }';
    return says(who, id, fields, ({ questions: list }) => (idsOf(list.nodes).has(questionId) ? 'OK' : 'NONE'));
  };
};

/** Whether who asked is named: `of the LIMITED guardian to oneself in COMMUNITY`. */
const askers = ({ case: text }: Rule): Act => {
  const [, kind, own, place = ''] = text.match(/^of (a FULL|the LIMITED) guardian( to oneself)? in (.+)$/) ?? [];
  const { where } = caseOf(`in ${place}`);
  return async (scene, who, role) => {
    const air = await Air.of(scene);
    const asker = kind === 'a FULL' ? air.board.parent : air.board.hidden;
    const broadcastId = await air.found({ state: 'LIVE', own: own !== undefined, where }, who, role);
    const id = await air.board.once(`asked by ${kind} ${broadcastId}`, async () => {
      const questionId = await air.ask(broadcastId, asker);
      await done(scene.arranger, 'ApproveBroadcastQuestion', { questionId });
      return questionId;
    });
    return says(who, id, '... on BroadcastQuestion { author { id } }', ({ author }) => (author ? 'OK' : 'NONE'));
  };
};

const questionOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => ({
    questionId: await (await Air.of(scene)).question(questionCase(text), who, role, !isRefusal(answers[role])),
  });

const asking: Acts = {
  ...mutation(
    'askBroadcastQuestion',
    watched,
    ({ state }) => state === 'PENDING' || state === 'SHOWN',
    () => ({ text: 'Is there a swing?' }),
  ),
  ...mutation('approveBroadcastQuestion', questionOf, inState('SHOWN')),
  ...mutation('rejectBroadcastQuestion', questionOf, inState('REJECTED')),
  ...mutation(
    'answerBroadcastQuestion',
    questionOf,
    ({ answer }) => answer === 'Two',
    () => ({ answer: 'Two' }),
  ),
  ...mutation('withdrawBroadcastQuestion', questionOf, inState('WITHDRAWN')),
};

/** How to run each rule on broadcasts and what is asked in them, apart from following them. */
export const airing: Acts = {
  ...eachCase(law, 'Query.node', nodes),
  'Viewer.broadcasts': lists('ViewerBroadcasts', 'viewer'),
  'Organization.broadcasts': lists('Broadcasts', 'organization'),
  ...eachCase(law, 'Channel.broadcasts', ofChannel),
  ...eachCase(law, 'Broadcast.viewerIngest', ingest),
  ...eachCase(law, 'Broadcast.attendance', attendance),
  ...eachCase(law, 'Broadcast.questions', questions),
  ...eachCase(law, 'BroadcastQuestion.author', askers),
  ...deeds,
  ...asking,
};
