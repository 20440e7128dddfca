import type { Json } from '../support/client.ts';
import { type Act, type Acts, eachCase } from './acts.ts';
import { type Air, says } from './air.ts';
import { does, node, reads } from './answers.ts';
import { done } from './board.ts';
import { peopleIn } from './gathering.ts';
import { isRefusal, type Role, type Rule, readLaw } from './law.ts';
import { events, follows, isIt, ofOrganization, own } from './listening.ts';
import type { Actor, Scene } from './scene.ts';
import { actorOf, type ChatPlace, chatCase, chatNames, chatPlaces, Talk } from './talk.ts';

const law = readLaw();

/** A call that was there and is over, of staff unless told. */
const past = (talk: Talk, where: ChatPlace, whose: 'staff' | 'families' = 'staff'): Promise<string> =>
  talk.board.once(`call ${where} ${whose}`, () =>
    inTurn(talk, where, () => talk.call(where, talk.author(whose, where))),
  );

/** In a chat one call goes on at a time, and nobody waits for it to end by itself. */
function inTurn<Result>(talk: Talk, where: ChatPlace, work: () => Promise<Result>): Promise<Result> {
  const turns = queues.get(talk) ?? new Map<ChatPlace, Promise<unknown>>();
  queues.set(talk, turns);
  const result = (turns.get(where) ?? Promise.resolve()).then(work);
  turns.set(
    where,
    result.catch(() => null),
  );
  return result;
}
const queues = new WeakMap<Talk, Map<ChatPlace, Promise<unknown>>>();

const nodes = (rule: Rule): Act | null => {
  const [, text] = rule.case.match(/^Call (.+)$/) ?? [];
  if (!text) return null;
  const { state, where } = chatCase(text);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    return node(who, state === 'EARLIER' ? talk.earlierCall(where) : await past(talk, where));
  };
};

const ofChat = ({ case: text }: Rule): Act => {
  const { where } = chatCase(text);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const now = await past(talk, where);
    return reads(who, 'ChatCalls', { chatId: talk.chat(where), first: 100 }, ({ chat }) => {
      if (!chat) return 'NULL';
      const seen = new Set(chat.calls.nodes.map(({ id }: Json) => id));
      if (seen.size !== chat.calls.nodes.length) return JSON.stringify(chat.calls);
      const earlier = seen.has(talk.earlierCall(where));
      return earlier ? (seen.has(now) ? 'ALL' : 'EARLIER') : seen.has(now) ? 'NOW' : 'NONE';
    });
  };
};

const ofViewer: Act = async (scene, who) => {
  const talk = await Talk.of(scene);
  const there = await Promise.all(chatPlaces.map(async (where) => [where, await past(talk, where)] as const));
  return reads(who, 'ViewerCalls', { organizationId: scene.school.id, first: 100 }, ({ viewer }) => {
    if (!viewer) return 'NULL';
    const seen = new Set(viewer.calls.nodes.map(({ id }: Json) => id));
    const names = there.filter(([, id]) => seen.has(id)).map(([where]) => chatNames[where]);
    return names.join(' ') || 'NONE';
  });
};

/** Everybody looks at once while somebody calls. */
const meanwhile =
  (fields: string, thing: 'Chat' | 'Call', read: (found: Json) => boolean) =>
  ({ case: text, roles }: Rule): Act => {
    const { where, whose } = chatCase(text);
    const answers = new WeakMap<Scene, Promise<ReadonlyMap<Role, string>>>();
    const look = async (scene: Scene) => {
      const talk = await Talk.of(scene);
      const caller = talk.author(whose, where);
      return inTurn(talk, where, async () => {
        const callId = await talk.call(where, caller, true);
        const id = thing === 'Call' ? callId : talk.chat(where);
        const seen = async (role: Role): Promise<[Role, string]> => {
          const answer = (found: Json) => (read(found) ? 'OK' : 'NONE');
          return [role, await says(await actorOf(scene, role), id, `... on ${thing} { ${fields} }`, answer)];
        };
        const found = new Map(await Promise.all(roles.map(seen)));
        await done(caller, 'EndCall', { callId });
        return found;
      });
    };
    return async (scene, _who, role) => {
      const all = answers.get(scene) ?? look(scene);
      answers.set(scene, all);
      return (await all).get(role) ?? '';
    };
  };

/** Who has answered, among whom are a family and the LIMITED guardian. */
const people = ({ case: text }: Rule): Act => {
  const { where } = chatCase(text);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const both = [talk.board.parent, talk.people['LIMITED guardian']];
    const id = await talk.board.once(`talked ${text}`, () =>
      inTurn(talk, where, async () => {
        const caller = talk.author('staff', where);
        const callId = await talk.call(where, caller, true);
        for (const person of both) await done(person, 'AnswerCall', { callId });
        await done(caller, 'EndCall', { callId });
        return callId;
      }),
    );
    const ids = await talk.idsOf(both);
    const fields = '... on Call { participations(first: 100) { totalCount nodes { user { id } } } }';
    return says(who, id, fields, ({ participations }) => peopleIn(participations, ids));
  };
};

/** Calls, and hangs up if anybody was called. */
const starting = (rule: Rule): Act => {
  const { where } = chatCase(rule.case);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const input = { chatId: talk.chat(where), kind: 'VIDEO' };
    return inTurn(talk, where, () =>
      reads(who, 'StartCall', { input }, async ({ startCall: { code, call, ticket } }) => {
        if (code) return code;
        const { state } = await done(who, 'LeaveCall', { callId: call.id });
        return ticket && state === 'MISSED' ? 'OK' : JSON.stringify(call);
      }),
    );
  };
};

/** Does something with a call that goes on; with one that is over, whoever is refused. */
const deed =
  (operation: string, resultOf: (result: Json) => Json, state?: string) =>
  (rule: Rule): Act => {
    const { where, whose } = chatCase(rule.case);
    return async (scene: Scene, who: Actor, role: Role) => {
      const talk = await Talk.of(scene);
      const by = whose === 'families' ? 'families' : 'staff';
      if (isRefusal(rule.answers[role])) return does(who, operation, { callId: await past(talk, where, by) });
      return inTurn(talk, where, async () => {
        const caller = talk.author(by, where);
        const callId = await talk.call(where, caller, true);
        const answer = await does(who, operation, { callId }, (result) => !state || resultOf(result).state === state);
        await caller.does('EndCall', { callId });
        return answer;
      });
    };
  };

const itself = (call: Json): Json => call;
const mutations: Readonly<Record<string, (rule: Rule) => Act>> = {
  startCall: starting,
  // Who calls answers nobody, and does not make it ACTIVE.
  answerCall: deed('AnswerCall', ({ call }) => call),
  declineCall: deed('DeclineCall', itself),
  leaveCall: deed('LeaveCall', itself),
  endCall: deed('EndCall', itself, 'MISSED'),
};

const whereOf = ({ case: text }: Rule): ChatPlace => chatCase(text.replace('of calls ', '')).where;
const called = (rule: Rule, { talk }: Air): Promise<string> =>
  inTurn(talk, whereOf(rule), () => talk.call(whereOf(rule), talk.author('staff', whereOf(rule))));

const inAll = (rule: Rule): Act =>
  follows(rule, {
    ...ofOrganization,
    topic: () => whereOf(rule),
    happens: async ({ air, scene }) => ({
      told: await called(rule, air),
      last: await scene.world.post(scene.arranger, air.board.channel('COMMUNITY')),
    }),
    isLast: isIt,
  });

const inChat = (rule: Rule): Act =>
  follows(rule, {
    operation: `subscription ($id: ID!, $after: Cursor) { chatEvents(chatId: $id, after: $after) { ${events} } }`,
    variables: (id) => ({ id }),
    topic: ({ talk }) => talk.chat(whereOf(rule)),
    async happens({ air }) {
      const last = await called(rule, air);
      return { told: last, last };
    },
    isLast: isIt,
  });

const inOwn = (rule: Rule): Act =>
  own(
    (air) => called(rule, air),
    async () => whereOf(rule),
  )(rule);

const ofCalls =
  (act: (rule: Rule) => Act) =>
  (rule: Rule): Act | null =>
    rule.case.startsWith('of calls ') ? act(rule) : null;

/** How to run each rule on calls. */
export const calling: Acts = {
  ...eachCase(law, 'Query.node', nodes),
  ...eachCase(law, 'Chat.calls', ofChat),
  'Viewer.calls': ofViewer,
  ...eachCase(
    law,
    'Chat.activeCall',
    meanwhile('activeCall { id }', 'Chat', ({ activeCall }) => activeCall !== null),
  ),
  ...eachCase(
    law,
    'Call.viewerCanEnd',
    meanwhile('viewerCanEnd', 'Call', ({ viewerCanEnd }) => viewerCanEnd),
  ),
  ...eachCase(law, 'Call.participations', people),
  ...Object.entries(mutations).reduce<Acts>(
    (all, [field, act]) => Object.assign(all, eachCase(law, `Mutation.${field}`, act)),
    {},
  ),
  ...eachCase(law, 'Subscription.organizationEvents', ofCalls(inAll)),
  ...eachCase(law, 'Subscription.viewerEvents', ofCalls(inOwn)),
  ...eachCase(law, 'Subscription.chatEvents', ofCalls(inChat)),
};
