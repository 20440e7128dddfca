import type { Json } from '../support/client.ts';
import { isOfChats, type Role, type Rule, readLaw } from './law.ts';
import type { Scene } from './scene.ts';
import { chatCase, Talk } from './talk.ts';

const law = readLaw();

/** What chats, messages and polls say that the viewer may do there, and of which rules that is a promise, apart from their place. */
const flags = {
  Chat: {
    viewerCanWrite: 'sendMessage in ',
    viewerCanStress: 'sendMessage IMPORTANT in ',
    viewerCanDisturb: 'sendMessage URGENT in ',
    viewerCanManage: 'updateChat in ',
    viewerCanPin: 'pinMessage SENT of staff in ',
    viewerCanCreatePoll: 'createPoll in ',
  },
  Message: { viewerCanEdit: 'editMessage ', viewerCanDelete: 'deleteMessage ' },
  Poll: { viewerCanVote: 'vote ', viewerCanClose: 'closePoll ' },
} as const satisfies Record<string, Record<string, string>>;
type Type = keyof typeof flags;
const types = Object.keys(flags) as Type[]; // keys of a constant

/** The fields that are held to the law so. */
export const promised: readonly string[] = types.flatMap((type) =>
  Object.keys(flags[type]).map((flag) => `${type}.${flag}`),
);

const withReason = ['viewerCanWrite', 'viewerCanVote'];
const selected = (flag: string): string => (withReason.includes(flag) ? `${flag} { allowed }` : flag);

async function idOf(type: Type, { case: text }: Rule, scene: Scene, role: Role): Promise<string> {
  const talk = await Talk.of(scene);
  const which = chatCase(text);
  if (type === 'Chat') return talk.chat(which.where);
  // Of what changes with what one does each role has one of its own.
  return type === 'Poll'
    ? talk.poll(which, talk.actor(role), role, which.state !== 'EARLIER')
    : talk.found(which, talk.actor(role), role);
}

const rulesOf = (begin: string): Rule[] =>
  law.filter((rule) => isOfChats(rule) && rule.name.startsWith(`Mutation.${begin}`));

/** Every flag in every case that the law has: what it says, beside what the law says. */
export const chatPromises = types.flatMap((type) =>
  Object.entries<string>(flags[type]).flatMap(([flag, begin]) =>
    rulesOf(begin)
      .filter(({ case: text }) => type !== 'Chat' || !/READ_ONLY|in answer to/.test(text))
      .map((rule) => ({
        flag: `${type}.${flag}`,
        which: rule.case,
        roles: rule.roles,
        async compare(scene: Scene, role: Role) {
          const who = await (await Talk.of(scene)).actor(role);
          const id = await idOf(type, rule, scene, role);
          const query = `query ($id: ID!) { node(id: $id) { ... on ${type} { ${selected(flag)} } } }`;
          const { data } = await who.send(query, { id });
          const said: Json = data?.node?.[flag] ?? false;
          // What is not seen promises nothing.
          return { says: said.allowed ?? said, promised: rule.answers[role] === 'OK' };
        },
      })),
  ),
);

/** Whether somebody may begin chats of a kind with anybody at all. */
export const beginsChats = (role: Role, kind: 'DIRECT' | 'CUSTOM'): boolean =>
  rulesOf(`createChat ${kind} with `).some(({ answers }) => answers[role] === 'OK');
