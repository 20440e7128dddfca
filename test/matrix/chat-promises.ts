import type { Json } from '../support/client.ts';
import { Air, questionCase } from './air.ts';
import { caseOf } from './board.ts';
import { groupOf, isGroup, meetingOfCase } from './gathering.ts';
import { isOfChats, type Role, type Rule, readLaw } from './law.ts';
import type { Scene } from './scene.ts';
import { actorOf, chatCase } from './talk.ts';

const law = readLaw();

/** What things say that the viewer may do with them, and of which rules that is a promise, apart from their place. */
const flags = {
  Chat: {
    viewerCanWrite: 'sendMessage in ',
    viewerCanStress: 'sendMessage IMPORTANT in ',
    viewerCanDisturb: 'sendMessage URGENT in ',
    viewerCanManage: 'updateChat in ',
    viewerCanPin: 'pinMessage SENT of staff in ',
    viewerCanCreatePoll: 'createPoll in ',
    viewerCanScheduleMeeting: 'scheduleMeeting in ',
    viewerCanCall: 'startCall in ',
  },
  Message: { viewerCanEdit: 'editMessage ', viewerCanDelete: 'deleteMessage ' },
  Poll: { viewerCanVote: 'vote ', viewerCanClose: 'closePoll ' },
  Channel: { viewerCanScheduleBroadcast: 'scheduleBroadcast in ' },
  Broadcast: {
    viewerCanRun: 'updateBroadcast ',
    viewerCanWatch: 'joinBroadcast ',
    viewerCanAsk: 'askBroadcastQuestion ',
  },
  BroadcastQuestion: {
    viewerCanMind: 'approveBroadcastQuestion ',
    viewerCanWithdraw: 'withdrawBroadcastQuestion ',
  },
  Group: { viewerCanScheduleMeeting: 'scheduleMeeting in ' },
  Meeting: { viewerCanRun: 'updateMeeting ', viewerCanJoin: 'joinMeeting ' },
} as const satisfies Record<string, Record<string, string>>;
type Type = keyof typeof flags;
const types = Object.keys(flags) as Type[]; // keys of a constant

/** The fields that are held to the law so. */
export const promised: readonly string[] = types.flatMap((type) =>
  Object.keys(flags[type]).map((flag) => `${type}.${flag}`),
);

const withReason = ['viewerCanWrite', 'viewerCanVote', 'viewerCanCall', 'viewerCanJoin'];
const selected = (flag: string): string => (withReason.includes(flag) ? `${flag} { allowed }` : flag);

/** Of which thing a case is: what is done in a chat is all of that chat. */
const thingOf = (type: Type, { case: text }: Rule): string => (type === 'Chat' ? `in ${chatCase(text).where}` : text);

const isOf = (type: Type, { case: text }: Rule): boolean => {
  const isOfGroup = isGroup(text.slice('in '.length));
  if (type === 'Group') return isOfGroup;
  if (type === 'Chat') return !isOfGroup && !/READ_ONLY|in answer to/.test(text);
  return !/ another host$/.test(text);
};

/** `may`: somebody who may do something with it finds it as nobody has left it. */
async function idOf(type: Type, thing: string, scene: Scene, role: Role, may: boolean): Promise<string> {
  const [air, who] = [await Air.of(scene), await actorOf(scene, role)];
  const { talk } = air;
  if (type === 'Chat') return talk.chat(chatCase(thing).where);
  if (type === 'Channel') return air.board.channel(caseOf(thing).where);
  if (type === 'Group') return groupOf(talk, thing.slice('in '.length));
  if (type === 'Broadcast') return air.found(caseOf(thing), who, role);
  if (type === 'BroadcastQuestion') return air.question(questionCase(thing), who, role);
  if (type === 'Meeting') return meetingOfCase(talk, thing, who, role);
  const which = chatCase(thing);
  return type === 'Poll' ? talk.poll(which, who, role, may && which.state !== 'EARLIER') : talk.found(which, who, role);
}

const rulesOf = (begin: string): Rule[] =>
  law.filter((rule) => isOfChats(rule) && rule.name.startsWith(`Mutation.${begin}`));

/** All flags of a thing in a case that the law has: what it says, beside what the law says. */
export const chatPromises = types.flatMap((type) => {
  const all = Object.entries<string>(flags[type]).flatMap(([flag, begin]) =>
    rulesOf(begin)
      .filter((rule) => isOf(type, rule))
      .map((rule) => ({ flag, rule, thing: thingOf(type, rule) })),
  );
  return [...Map.groupBy(all, ({ thing }) => thing)].map(([thing, said]) => ({
    type,
    thing,
    roles: said.flatMap(({ rule }) => rule.roles).filter((role, index, roles) => roles.indexOf(role) === index),
    async compare(scene: Scene, role: Role) {
      const may = said.some(({ rule }) => rule.answers[role] === 'OK');
      const id = await idOf(type, thing, scene, role, may);
      const fields = said.map(({ flag }) => selected(flag)).join(' ');
      const query = `query ($id: ID!) { node(id: $id) { ... on ${type} { ${fields} } } }`;
      const { data } = await (await actorOf(scene, role)).send(query, { id });
      // What is not seen promises nothing.
      const says = (flag: string): Json => data?.node?.[flag]?.allowed ?? data?.node?.[flag] ?? false;
      return {
        says: Object.fromEntries(said.map(({ flag }) => [flag, says(flag)])),
        promised: Object.fromEntries(said.map(({ flag, rule }) => [flag, rule.answers[role] === 'OK'])),
      };
    },
  }));
});

/** Whether somebody may begin chats of a kind with anybody at all. */
export const beginsChats = (role: Role, kind: 'DIRECT' | 'CUSTOM'): boolean =>
  rulesOf(`createChat ${kind} with `).some(({ answers }) => answers[role] === 'OK');
