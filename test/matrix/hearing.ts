import type { Json, TestClient } from '../support/client.ts';
import { type Act, type Acts, eachCase } from './acts.ts';
import { follows, hears } from './answers.ts';
import { type Rule, readLaw } from './law.ts';
import { chatCase, Talk } from './talk.ts';

const law = readLaw();

/** What was said for somebody to hear, or not. */
const said = new WeakMap<TestClient, string>();
const heard =
  (who: TestClient) =>
  (delivered: readonly Json[]): string =>
    delivered.some(({ messageId }) => messageId === said.get(who)) ? 'OK' : 'NONE';

/** Follows a chat in which something is said meanwhile. */
const inChat =
  (operation: string) =>
  ({ case: text }: Rule): Act =>
  async (scene, who) => {
    const { where } = chatCase(text);
    const talk = await Talk.of(scene);
    return follows(who, operation, { chatId: talk.chat(where) }, 'MessageSent', async () =>
      who.token ? talk.say(where, talk.author('staff', where)) : undefined,
    );
  };

/** Follows one chat while something is said in another one, and then in this one: whether both are heard. */
const elsewhere =
  (operation: string): Act =>
  async (scene, who) => {
    const talk = await Talk.of(scene);
    const here = 'GROUP_GUARDIANS of one’s own';
    const cause = async () => {
      if (!who.token) return '';
      said.set(who, await talk.say('CUSTOM', talk.board.colleague));
      return talk.say(here, talk.board.colleague);
    };
    return hears(who, operation, { chatId: talk.chat(here) }, cause, heard(who), isSaid);
  };
const isSaid = (event: Json, messageId: string): boolean => event.message?.id === messageId;

/** Follows everything while something is said in a chat, and then something happens that is told to all: whether it is heard. */
const inAll = (rule: Rule): Act => {
  const { where } = chatCase(rule.case.replace('of what is said ', ''));
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const document = `subscription ($id: ID!, $after: Cursor) { organizationEvents(organizationId: $id, after: $after) {
      __typename ... on MessageSent { messageId } ... on PostPublished { post { id } } } }`;
    const cause = async () => {
      if (!who.token) return '';
      const messageId = await talk.say(where, talk.author('staff', where));
      said.set(who, messageId);
      return scene.world.post(scene.arranger, talk.board.channel('COMMUNITY'));
    };
    return hears(who, document, { id: scene.school.id }, cause, heard(who));
  };
};

/** The same of what a whole client follows: its own profile is changed last. */
const inOwn = (rule: Rule): Act => {
  const { where } = chatCase(rule.case.replace('of what is said ', ''));
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const document = `subscription ($after: Cursor) { viewerEvents(after: $after) {
      __typename ... on MessageSent { messageId } } }`;
    const cause = async () => {
      if (!who.token) return '';
      said.set(who, await talk.say(where, talk.author('staff', where)));
      await who.does('UpdateProfile', { input: { locale: 'ru' } });
      return '';
    };
    return hears(who, document, {}, cause, heard(who), ({ __typename }) => __typename === 'ProfileUpdated');
  };
};

const isTyping =
  (userId: string) =>
  ({ people = [] }: Json): boolean =>
    people.some((one: Json) => one.isTyping && one.user.id === userId);

/** Follows who is in a chat while somebody there, of the staff or else a family, begins to write. */
const present = ({ case: text }: Rule): Act => {
  const { where } = chatCase(text);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const staff = talk.author('staff', where);
    const writer = who === staff ? talk.author('families', where) : staff;
    const writes = async () => {
      if (who.token) await writer.does('StartTyping', { chatId: talk.chat(where) });
      return talk.idOf(writer);
    };
    const heardOf = (event: Json, userId: string) => isTyping(userId)(event);
    return hears(who, 'ChatPresence', { chatId: talk.chat(where) }, writes, () => 'OK', heardOf);
  };
};

/** Comes while the LIMITED guardian writes, as whoever may meet them has been told: whether one is told of it, too. */
const hidden = (rule: Rule): Act => {
  const { where } = chatCase(rule.case.replace('of the LIMITED guardian ', ''));
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const limited = talk.people['LIMITED guardian'];
    const writes = isTyping(await talk.idOf(limited));
    await using witness = talk.board.colleague.subscribe('ChatPresence', { chatId: talk.chat(where) });
    await limited.does('StartTyping', { chatId: talk.chat(where) });
    while (!writes(await witness.next()));
    const read = (delivered: readonly Json[]) => (delivered.some(writes) ? 'OK' : 'NONE');
    return hears(
      who,
      'ChatPresence',
      { chatId: talk.chat(where) },
      async () => '',
      read,
      () => true,
    );
  };
};

const isOfTalk = ({ case: text }: Rule): boolean => text.startsWith('of what is said ');

/** How to run each rule on following what is said. */
export const hearing: Acts = {
  ...eachCase(law, 'Subscription.messageSent', (rule) =>
    rule.case.startsWith('in ') ? inChat('MessageSent')(rule) : null,
  ),
  ...eachCase(law, 'Subscription.chatEvents', (rule) =>
    rule.case.startsWith('in ') ? inChat('ChatEvents')(rule) : null,
  ),
  ...eachCase(law, 'Subscription.chatPresence', (rule) => (rule.case.startsWith('in ') ? present : hidden)(rule)),
  'Subscription.messageSent of another chat': elsewhere('MessageSent'),
  'Subscription.chatEvents of another chat': elsewhere('ChatEvents'),
  ...eachCase(law, 'Subscription.organizationEvents', (rule) => (isOfTalk(rule) ? inAll(rule) : null)),
  ...eachCase(law, 'Subscription.viewerEvents', (rule) => (isOfTalk(rule) ? inOwn(rule) : null)),
};
