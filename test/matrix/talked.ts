import type { Json, TestClient } from '../support/client.ts';
import { type Act, type Acts, eachCase } from './acts.ts';
import { found, node, reads } from './answers.ts';
import { done } from './board.ts';
import { readsFile } from './filing.ts';
import { type Role, type Rule, readLaw } from './law.ts';
import type { Actor, Scene } from './scene.ts';
import { type ChatPlace, chatCase, Talk, takesPart, word } from './talk.ts';

const law = readLaw();
const first = 100;
const idsOf = (nodes: readonly Json[]): Set<string> => new Set(nodes.map(({ id }) => id));
const nodesIn = (fields: string) => `query ($id: ID!) { node(id: $id) { ${fields} } }`;

/** Reads what a message or a chat says, in one document, and makes an answer of it. */
async function says(
  who: TestClient,
  id: string,
  fields: string,
  read: (thing: Json) => string | Promise<string>,
): Promise<string> {
  const { data, errors } = await who.send(nodesIn(fields), { id });
  if (errors) return errors[0]?.extensions.code ?? errors[0]?.message;
  return data.node ? read(data.node) : 'NULL';
}

const nodes = (rule: Rule): Act | null => {
  const [type = '', ...rest] = rule.case.split(' ');
  const text = rest.join(' ');
  if (type === 'Chat') return async (scene, who) => node(who, (await Talk.of(scene)).chat(chatCase(text).where));
  if (type === 'Message')
    return async (scene, who, role) => node(who, await (await Talk.of(scene)).found(chatCase(text), who, role));
  const [, ofMessage] = text.match(/^of a message (.+)$/) ?? [];
  if (type !== 'File' || !ofMessage) return null;
  return readsFile(async (scene, who, role) => (await Talk.of(scene)).file(chatCase(ofMessage), who, role));
};

const chat =
  ({ case: text }: Rule): Act =>
  async (scene, who) => {
    const id = (await Talk.of(scene)).chat(chatCase(text).where);
    return reads(who, 'Chat', { id }, (data) => found(data.chat));
  };

const ofViewer =
  (past: boolean): Act =>
  async (scene, who) => {
    const talk = await Talk.of(scene);
    return reads(who, 'Chats', { first, past }, ({ viewer }) =>
      viewer ? talk.seen(idsOf(viewer.chats.nodes)) : 'NULL',
    );
  };

const ofOrganization: Act = async (scene, who) => {
  const talk = await Talk.of(scene);
  const query = 'query ($id: ID!) { organization(id: $id) { chats(first: 100) { nodes { id } } } }';
  const { data, errors } = await who.send(query, { id: scene.school.id });
  if (errors) return errors[0]?.extensions.code;
  return data.organization ? talk.seen(idsOf(data.organization.chats.nodes)) : 'NULL';
};

/** What was said EARLIER in a chat, and what is said now; both are pinned. */
async function history(scene: Scene, where: ChatPlace, who: Actor, role: Role): Promise<readonly [string, string]> {
  const talk = await Talk.of(scene);
  const at = (state: string) => talk.found({ state, whose: 'staff', where }, who, role);
  const both = [await at(hasEarlier(where) ? 'EARLIER' : 'SENT'), await at('SENT')] as const;
  await talk.board.once(`pinned ${where}`, async () => {
    const isTeachers = where === 'CUSTOM' || where === 'DIRECT';
    const keeper = isTeachers ? scene.people['verified staff'] : talk.board.colleague;
    for (const messageId of both) await done(keeper, 'PinMessage', { messageId });
    return 'pinned';
  });
  return both;
}
const hasEarlier = (where: ChatPlace): boolean => where === 'CUSTOM' || where === 'GROUP_GUARDIANS of one’s own';

const parts = (seen: ReadonlySet<string>, [earlier, now]: readonly [string, string]): string =>
  seen.has(earlier) ? (seen.has(now) ? 'ALL' : 'EARLIER') : seen.has(now) ? 'NOW' : 'NONE';

const lists = {
  messages: `first: messages(first: 100) { nodes { id } } last: messages(last: 100) { nodes { id } }`,
  pinned: 'first: messages(pinnedOnly: true, first: 100) { nodes { id } }',
  found: `first: messages(search: "${word}", first: 100) { nodes { id } }
    last: messages(search: "${word}", last: 100) { nodes { id } }`,
} as const;

/** Both ends of a list are read: what the matrix says meanwhile is more than a page. */
const messagesOf =
  (list: keyof typeof lists) =>
  ({ case: text }: Rule): Act =>
  async (scene, who, role) => {
    const { where } = chatCase(text.replace(/^(pinned|found) /, ''));
    const both = await history(scene, where, who, role);
    const chatId = (await Talk.of(scene)).chat(where);
    return says(who, chatId, `... on Chat { ${lists[list]} }`, ({ first: start, last: end = start }) =>
      parts(idsOf([...start.nodes, ...end.nodes]), both),
    );
  };

/** What was said last, as far as somebody may read it. */
const lastOf = ({ case: text }: Rule): Act => {
  const { where } = chatCase(text);
  return async (scene, who, role) => {
    const talk = await Talk.of(scene);
    await history(scene, where, who, role);
    return says(
      who,
      talk.chat(where),
      '... on Chat { lastNumber lastMessage { id number } }',
      ({ lastNumber, lastMessage }) =>
        lastMessage?.number !== lastNumber
          ? `number ${lastNumber}, and ${JSON.stringify(lastMessage)}`
          : talk.isEarlier(lastMessage.id)
            ? 'EARLIER'
            : 'NOW',
    );
  };
};

/** All of some people, all but the LIMITED guardian, or none. */
async function peopleSeen(talk: Talk, people: readonly Json[], size: number, right: readonly Actor[]): Promise<string> {
  const seen = new Set(people.map(({ user }) => user.id));
  if (size !== people.length) return `${size}, and ${people.length} people`;
  if (seen.size === 0) return 'NONE';
  const limited = await talk.idOf(talk.people['LIMITED guardian']);
  const others = (await talk.idsOf(right)).filter((id) => id !== limited);
  if (others.some((id) => !seen.has(id))) return JSON.stringify(people);
  return seen.has(limited) ? 'ALL' : 'UNHIDDEN';
}

const membersOf = ({ case: text }: Rule): Act => {
  const { where } = chatCase(text);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const fields = '... on Chat { members(first: 100) { totalCount nodes { user { id } } } }';
    const there = [talk.author('staff', where), ...(where === 'HEAD_STAFF' ? [] : [talk.author('families', where)])];
    return says(who, talk.chat(where), fields, ({ members }) =>
      peopleSeen(talk, members.nodes, members.totalCount, there),
    );
  };
};

/** The other of two. */
const counterpartOf = ({ case: text }: Rule): Act => {
  const { where } = chatCase(text);
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    const { people } = scene;
    const other = who === people.guardian ? people['verified staff'] : people.guardian;
    const right = await talk.idOf(other);
    return says(who, talk.chat(where), '... on Chat { counterpart { id } }', ({ counterpart }) =>
      counterpart === null ? 'NONE' : counterpart.id === right ? 'OK' : counterpart.id,
    );
  };
};

/** A message of the colleague’s that a family and the LIMITED guardian have read, reacted to and taken note of. */
const attended = (scene: Scene, where: ChatPlace, state: string): Promise<string> =>
  Talk.of(scene).then((talk) =>
    talk.board.once(`attended ${state} ${where}`, async () => {
      const earlier = await talk.found({ state, whose: 'staff', where }, talk.board.colleague, 'verified staff');
      const messageId =
        state === 'EARLIER' ? earlier : await talk.say(where, talk.board.colleague, { acknowledgementRequired: true });
      for (const reader of [talk.board.parent, talk.people['LIMITED guardian']]) {
        await done(reader, 'MarkChatRead', { chatId: talk.chat(where) });
        await done(reader, 'AddMessageReaction', { messageId, emoji: '👍' });
        await done(reader, 'AcknowledgeMessage', { messageId });
      }
      return messageId;
    }),
  );

const attention =
  (field: string, list: string, sizeOf: (message: Json) => number = (message) => message[field].totalCount) =>
  ({ case: text }: Rule): Act => {
    const { state, where } = chatCase(text);
    return async (scene, who) => {
      const talk = await Talk.of(scene);
      const id = await attended(scene, where, state);
      const right = [talk.board.parent, talk.people['LIMITED guardian']];
      return says(who, id, `... on Message { ${list} }`, (message) =>
        message[field] ? peopleSeen(talk, message[field].nodes, sizeOf(message), right) : 'NULL',
      );
    };
  };

/** What a message said before it was edited. */
const revisions = ({ case: text }: Rule): Act => {
  const which = chatCase(text);
  return async (scene, who, role) => {
    const talk = await Talk.of(scene);
    const isOwn = which.whose === 'one’s own' && takesPart(role, which.where);
    const id = await talk.board.once(`edited ${which.whose} ${which.where} ${isOwn ? role : ''}`, async () => {
      const author = isOwn ? who : talk.author(which.whose, which.where);
      const messageId = await talk.message({ ...which, state: 'SENT' }, author);
      await done(author, 'EditMessage', { input: { messageId, text: 'Not tomorrow' } });
      return messageId;
    });
    const fields = '... on Message { revisions(first: 10) { nodes { text } } }';
    return says(who, id, fields, ({ revisions: earlier }) =>
      earlier ? (earlier.nodes[0]?.text.includes(word) ? 'ALL' : 'NONE') : 'NULL',
    );
  };
};

/** A field of a message that names a person or another message, which not everybody who sees it may know. */
const naming =
  (field: string, make: (talk: Talk, where: ChatPlace) => Promise<string>, fields = `${field} { id }`) =>
  ({ case: text }: Rule): Act => {
    const { where } = chatCase(text.replace(/^.*(?= in )/, ''));
    return async (scene, who) => {
      const talk = await Talk.of(scene);
      const id = await talk.board.once(`${field} ${text}`, () => make(talk, where));
      return says(who, id, `... on Message { __typename ${fields} }`, (message) => {
        const value = message[field];
        return value === null || value.length === 0 ? 'NONE' : 'OK';
      });
    };
  };

const byLimited = (talk: Talk, where: ChatPlace) => talk.say(where, talk.people['LIMITED guardian']);
const mentioningLimited = async (talk: Talk, where: ChatPlace) =>
  talk.say(where, talk.board.colleague, { mentionedIds: [await talk.idOf(talk.people['LIMITED guardian'])] });
const answeringEarlier = async (talk: Talk, where: ChatPlace) => {
  const { colleague } = talk.board;
  const replyToId = await talk.found({ state: 'EARLIER', whose: 'staff', where }, colleague, 'verified staff');
  return talk.say(where, colleague, { replyToId });
};
const fromHeadStaff = async (talk: Talk, where: ChatPlace) => {
  const { colleague } = talk.board;
  const messageId = await talk.say('HEAD_STAFF', colleague);
  const input = { messageId, chatId: talk.chat(where), clientMessageId: `forwarded-${where.length}` };
  return (await done(colleague, 'ForwardMessage', { input })).id;
};

const scheduled: Act = async (scene, who, role) => {
  const talk = await Talk.of(scene);
  const { seenBy } = await waiting(talk, who, role);
  return reads(who, 'ScheduledMessages', { first }, ({ viewer }) => {
    if (!viewer) return 'NULL';
    const { nodes: all } = viewer.scheduledMessages;
    return all.length === 0 ? 'NONE' : all.every(seenBy) ? 'OWN' : JSON.stringify(all);
  });
};

/** Lets somebody have something scheduled, if they may, beside what others have. */
async function waiting(talk: Talk, who: Actor, role: Role) {
  const where = chatsOf(role)[0] ?? 'HEAD_STAFF';
  await talk.found({ state: 'SCHEDULED', whose: 'staff', where }, who, role);
  await talk.found({ state: 'SCHEDULED', whose: 'one’s own', where }, who, role);
  return { seenBy: ({ viewerIsAuthor, state }: Json) => viewerIsAuthor && state === 'SCHEDULED' };
}
const chatsOf = (role: Role): ChatPlace[] =>
  (['HEAD_STAFF', 'GROUP_GUARDIANS of one’s own', 'GROUP_GUARDIANS of others', 'SUPERVISED'] as const).filter((where) =>
    takesPart(role, where),
  );

/** In which chats a word is found that was said in all of them. */
const search: Act = async (scene, who, role) => {
  const talk = await Talk.of(scene);
  const own = 'porridge';
  const chats = [
    'HEAD_STAFF',
    'GROUP_GUARDIANS of one’s own',
    'GROUP_GUARDIANS of others',
    'DIRECT',
    'CUSTOM',
  ] as const;
  for (const where of chats)
    await talk.board.once(`porridge ${where}`, () => talk.say(where, talk.author('staff', where), { text: own }));
  await talk.found({ state: 'SENT', whose: 'staff', where: 'SUPERVISED' }, who, role);
  return reads(who, 'SearchMessages', { search: own, first }, ({ viewer }) =>
    viewer ? talk.seen(new Set(viewer.messages.nodes.map((message: Json) => message.chat.id))) : 'NULL',
  );
};

/** Whether something tells of what is said in a chat. */
const notified = (rule: Rule): Act => {
  const { where } = chatCase(rule.case.replace('of what is said ', ''));
  return async (scene, who) => {
    const talk = await Talk.of(scene);
    await talk.board.once(`notifying ${where}`, () => talk.say(where, talk.board.colleague));
    return reads(who, 'Notifications', { first }, ({ viewer }) => {
      if (!viewer) return 'NULL';
      const told: readonly Json[] = viewer.notifications.nodes;
      return told.some(({ chat: of }) => of?.id === talk.chat(where)) ? 'OK' : 'NONE';
    });
  };
};

/** How to run each rule on reading what is said. */
export const talked: Acts = {
  ...eachCase(law, 'Query.node', nodes),
  ...eachCase(law, 'Query.chat', chat),
  'Viewer.chats': ofViewer(false),
  'Viewer.chats of the past': ofViewer(true),
  'Viewer.messages': search,
  'Viewer.scheduledMessages': scheduled,
  ...eachCase(law, 'Viewer.notifications', notified),
  'Organization.chats': ofOrganization,
  ...eachCase(law, 'Chat.messages', (rule) =>
    messagesOf(rule.case.startsWith('pinned') ? 'pinned' : rule.case.startsWith('found') ? 'found' : 'messages')(rule),
  ),
  ...eachCase(law, 'Chat.lastMessage', lastOf),
  ...eachCase(law, 'Chat.members', membersOf),
  ...eachCase(law, 'Chat.counterpart', counterpartOf),
  ...eachCase(
    law,
    'Message.readers',
    // Who has read is counted beside, and must be as many.
    attention('readers', 'readCount readers(first: 100) { nodes { user { id } } }', ({ readCount }) => readCount),
  ),
  ...eachCase(
    law,
    'Message.reactors',
    attention('reactors', 'reactors(first: 100) { totalCount nodes { user { id } } }'),
  ),
  ...eachCase(
    law,
    'Message.recipients',
    attention('recipients', 'recipients(first: 100, acknowledged: true) { totalCount nodes { user { id } } }'),
  ),
  ...eachCase(law, 'Message.revisions', revisions),
  ...eachCase(law, 'Message.author', naming('author', byLimited)),
  ...eachCase(law, 'Message.mentions', naming('mentions', mentioningLimited)),
  ...eachCase(law, 'Message.replyTo', naming('replyTo', answeringEarlier)),
  ...eachCase(law, 'Message.forwardedFrom', naming('forwardedFrom', fromHeadStaff)),
};
