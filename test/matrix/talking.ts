import { type Act, type Acts, type Arrange, eachCase, inState, on } from './acts.ts';
import { isOfChats, isRefusal, type Rule, readLaw } from './law.ts';
import type { Actor } from './scene.ts';
import { chatCase, saying, Talk, tomorrow } from './talk.ts';
import { mutation } from './telling.ts';

const law = readLaw();

/** Whom somebody wants to talk to, as the law's cases name them. */
const partners: Readonly<Record<string, (talk: Talk) => Actor>> = {
  'confirmed staff of no group': ({ clerk }) => clerk,
  'the teacher of the class': ({ scene }) => scene.people['verified staff'],
  'the teacher of another group': ({ people }) => people['other staff'],
  'an unconfirmed employee of the class': ({ scene }) => scene.people['unverified staff'],
  'a guardian of the class': ({ classmate }) => classmate,
  'a guardian of another group': ({ people }) => people['other guardian'],
  'a student of the class': ({ scene }) => scene.people.student,
  'somebody of another organization': ({ scene }) => scene.people.stranger,
};

const partnerOf = (text: string): ((talk: Talk) => Actor) => {
  const partner = partners[text];
  if (!partner) throw new Error(`law-of-chats.md: who is “${text}”?`);
  return partner;
};

const createChat = (rule: Rule): Act => {
  const [, kind = '', text = ''] = rule.case.match(/^(DIRECT|CUSTOM) with (.+)$/) ?? [];
  const partner = partnerOf(text);
  return on(
    'CreateChat',
    async (scene) => {
      const talk = await Talk.of(scene);
      const name = kind === 'CUSTOM' ? 'The trip' : null;
      return { input: { organizationId: scene.school.id, kind, name, userIds: [await talk.idOf(partner(talk))] } };
    },
    (chat) => chat.kind === kind,
  );
};

/** In a school that has not decided otherwise. */
const beginsWithTeacher: Act = on('CreateChat', async ({ world, school, people }) => ({
  input: { organizationId: school.id, kind: 'DIRECT', userIds: [await world.userId(people['verified staff'])] },
}));

/** The chat of a case: made anew for who is to change it, as it stands for all others. */
const chatOf =
  (rule: Rule, more: (talk: Talk) => object | Promise<object> = () => ({})): Arrange =>
  async (scene, _who, role) => {
    const talk = await Talk.of(scene);
    const { state, where } = chatCase(rule.case.replace(/ of (a|the) [a-z ]+$/, ''));
    const changes = rule.answers[role] === 'OK';
    const anew = () => (where === 'SUPERVISED' ? talk.supervised() : talk.further(state));
    const isOwn = where === 'CUSTOM' || where === 'SUPERVISED';
    const shared = () => (state ? talk.board.once(`chat ${state} ${where}`, anew) : talk.chat(where));
    return { chatId: await (changes && isOwn ? anew() : shared()), ...(await more(talk)) };
  };

/** Whom a case is about: `in CUSTOM of a guardian of another group`. */
const whoIn = ({ case: text }: Rule): ((talk: Talk) => Actor) => {
  const [, who] = text.match(/ of ((?:a|the) [a-z ]+)$/) ?? [];
  return who === 'the other staff'
    ? ({ people }) => people['other staff']
    : partnerOf(who ?? 'a guardian of the class');
};

const chats: Acts = {
  ...eachCase(law.filter(isOfChats), 'Mutation.createChat', createChat),
  'Mutation.createChat where guardians begin none': beginsWithTeacher,
  ...mutation(
    'addChatMembers',
    (rule) => chatOf(rule, async (talk) => ({ userIds: [await talk.idOf(whoIn(rule)(talk))] })),
    (chat) => chat.kind === 'CUSTOM',
  ),
  ...mutation(
    'removeChatMember',
    (rule) => chatOf(rule, async (talk) => ({ userId: await talk.idOf(whoIn(rule)(talk)) })),
    (chat) => chat.kind === 'CUSTOM',
  ),
  ...mutation('leaveChat', chatOf, (chat) => chat.viewerCapacities.length === 0),
  ...mutation(
    'updateChat',
    chatOf,
    ({ name }) => name === renamed,
    ({ chatId }) => ({ input: { chatId, name: renamed } }),
  ),
  ...mutation('makeChatReadOnly', chatOf, inState('READ_ONLY')),
  ...mutation('reopenChat', chatOf, inState('ACTIVE')),
  ...mutation('archiveChat', chatOf, inState('ARCHIVED')),
};
const renamed = 'The trip to the forest';

/** The chat of a case, in which nobody's mark is in another's way. */
const sharedOf =
  ({ case: text }: Rule): Arrange =>
  async (scene) => ({ chatId: (await Talk.of(scene)).chat(chatCase(text).where) });

const typingIn =
  ({ case: text }: Rule): Arrange =>
  async (scene) => {
    const talk = await Talk.of(scene);
    const { state, where } = chatCase(text);
    return { chatId: state === 'READ_ONLY' ? await frozen(talk) : talk.chat(where) };
  };
const frozen = (talk: Talk) => talk.board.once('chat READ_ONLY CUSTOM', () => talk.further('READ_ONLY'));

const marks: Acts = {
  ...mutation('markChatRead', sharedOf, ({ viewerUnreadCount }) => viewerUnreadCount === 0),
  ...mutation('muteChat', sharedOf, ({ viewerMuted }) => viewerMuted),
  ...mutation('unmuteChat', sharedOf, ({ viewerMuted }) => !viewerMuted),
  ...mutation(
    'saveChatDraft',
    sharedOf,
    ({ viewerDraft }) => viewerDraft === draft,
    () => ({ text: draft }),
  ),
};
const draft = 'Dear';

const typing: Acts = {
  ...mutation('startTyping', typingIn, (chat) => chat.id !== null),
  ...mutation('stopTyping', typingIn, (chat) => chat.id !== null),
};

/** What of a message more than its words is asked for, by the word that a case begins with. */
const stresses: Readonly<Record<string, object>> = {
  IMPORTANT: { priority: 'IMPORTANT' },
  URGENT: { priority: 'URGENT' },
  ASKING: { acknowledgementRequired: true },
};

/** Where something is said, and how: `URGENT in HEAD_STAFF`, `in answer to EARLIER of staff in CUSTOM`. */
const saidIn =
  (rule: Rule): Arrange =>
  async (scene, who, role) => {
    const talk = await Talk.of(scene);
    const [, answered] = rule.case.match(/^in answer to (.+)$/) ?? [];
    const which = chatCase(answered ?? rule.case);
    const chatId = which.state === 'READ_ONLY' ? await frozen(talk) : talk.chat(which.where);
    const replyToId = answered ? await talk.found(which, who, role) : undefined;
    return { input: { ...saying(chatId), ...stresses[which.state], replyToId } };
  };

/** The message of a case: made anew for who is to change it, as it stands for all who are refused. */
const messageOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => {
    const talk = await Talk.of(scene);
    return { messageId: await talk.found(chatCase(text), who, role, !isRefusal(answers[role])) };
  };

/** `EARLIER of staff in HEAD_STAFF into CUSTOM`. */
const forwarded =
  ({ case: text }: Rule): Arrange =>
  async (scene, who, role) => {
    const talk = await Talk.of(scene);
    const [, source = '', target = ''] = text.match(/^(.+) into (.+)$/) ?? [];
    const { chatId, clientMessageId } = saying(talk.chat(chatCase(`in ${target}`).where));
    return { input: { chatId, clientMessageId, messageId: await talk.found(chatCase(source), who, role) } };
  };

const emoji = '👍';
const edited = 'Not tomorrow';
const isSaid = inState('SENT');

const messages: Acts = {
  ...mutation('sendMessage', saidIn, isSaid),
  ...mutation('scheduleMessage', saidIn, inState('SCHEDULED'), ({ input }) => ({
    input: { ...input, sendAt: tomorrow },
  })),
  ...mutation('cancelScheduledMessage', messageOf, inState('CANCELLED')),
  ...mutation('forwardMessage', forwarded, (message) => message.isForwarded && message.state === 'SENT'),
  ...mutation(
    'editMessage',
    messageOf,
    (message) => message.text === edited,
    ({ messageId }) => ({ input: { messageId, text: edited } }),
  ),
  ...mutation('deleteMessage', messageOf, inState('DELETED')),
  ...mutation('pinMessage', messageOf, ({ isPinned }) => isPinned),
  ...mutation(
    'unpinMessage',
    messageOf,
    ({ isPinned }) => !isPinned,
    async ({ messageId }, { people }) => {
      await people['verified staff'].does('PinMessage', { messageId });
      return {};
    },
  ),
  ...mutation(
    'addMessageReaction',
    messageOf,
    ({ viewerReactions }) => viewerReactions.includes(emoji),
    () => ({ emoji }),
  ),
  ...mutation(
    'removeMessageReaction',
    messageOf,
    ({ viewerReactions }) => viewerReactions.length === 0,
    () => ({ emoji }),
  ),
  ...mutation('acknowledgeMessage', messageOf, isSaid),
};

/** How to run each rule on talking: chats, and what is said in them. */
export const talking: Acts = { ...chats, ...marks, ...typing, ...messages };
