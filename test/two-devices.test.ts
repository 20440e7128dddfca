import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, Stream } from './support/client.ts';
import { inSeconds } from './support/newsroom.ts';
import { operation } from './support/operations.ts';
import { newKey, openTalk, ownChat, say, type Talk } from './support/talk.ts';
import { eventually } from './support/waiting.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let talk: Talk;

beforeAll(async () => {
  app = await startTestApp();
  talk = await openTalk(app.world);
});
afterAll(() => app[Symbol.asyncDispose]());

const live = operation('ViewerEvents');
/** What a client keeps, as the document says that it follows with. */
const [, chatFragment = '', messageFragment = ''] = live.split(/(?=^fragment )/m);

interface State {
  readonly chats: Map<string, Json>;
  /** Each with the chat that it stands in. */
  readonly messages: Map<string, { chatId: string; message: Json }>;
}

/** A person's client on one device: it asks once what there is, and from then on believes what it is told. */
class Device implements State {
  readonly person: Person;
  readonly chats = new Map<string, Json>();
  readonly messages = new Map<string, { chatId: string; message: Json }>();
  #cursor = '';
  #stream: Stream | null = null;
  #taken = 0;

  constructor(person: Person) {
    this.person = person;
  }

  async begin(chatIds: readonly string[]): Promise<void> {
    this.#cursor = (await this.person.run('Viewer')).viewer.cursor;
    await this.#ask(chatIds);
    this.comeOnline();
  }

  async #ask(chatIds: readonly string[]): Promise<void> {
    const { chats, messages } = await stateOf(this.person, chatIds);
    for (const [id, chat] of chats) this.chats.set(id, chat);
    for (const [id, message] of messages) this.messages.set(id, message);
  }

  comeOnline(): void {
    if (this.#stream) return;
    this.#taken = 0;
    this.#stream = this.person.subscribe('ViewerEvents', { after: this.#cursor });
  }

  /** What has come so far is kept, and nothing that comes after. */
  async goOffline(): Promise<void> {
    await this.take();
    await this.#stream?.[Symbol.asyncDispose]();
    this.#stream = null;
  }

  /** Believes what it was told; of a chat into which the person came again it asks what was said meanwhile. */
  async take(): Promise<void> {
    const events = this.#stream?.delivered.slice(this.#taken) ?? [];
    this.#taken += events.length;
    for (const event of events) {
      this.#cursor = event.cursor;
      const chat = event.chat ?? event.message?.chat;
      if (chat && 'lastNumber' in chat) {
        const cameAgain = !chat.viewerLeft && this.chats.get(chat.id)?.viewerLeft;
        if (cameAgain) await this.#ask([chat.id]);
        else this.chats.set(chat.id, chat);
      }
      if (event.message) {
        const { chat: place, ...message } = event.message;
        this.messages.set(message.id, { chatId: place.id, message });
      }
    }
  }

  async has(text: string): Promise<void> {
    await eventually(async () => {
      await this.take();
      expect([...this.chats.values()].map(({ viewerDraft }) => viewerDraft)).toContain(text);
    });
  }
}

/** The same as queries show it. */
async function stateOf(person: Person, chatIds: readonly string[]): Promise<State> {
  const chats = new Map<string, Json>();
  const messages = new Map<string, { chatId: string; message: Json }>();
  for (const chatId of chatIds) {
    const history = `query ($chatId: ID!) { chat(id: $chatId) { ...ChatState messages(first: 100) { nodes { ...MessageState } } } }`;
    const { data, errors } = await person.send(`${history} ${chatFragment} ${messageFragment}`, { chatId });
    if (errors) throw new Error(JSON.stringify(errors));
    const { messages: said, ...chat } = data.chat;
    chats.set(chatId, chat);
    for (const message of said.nodes) messages.set(message.id, { chatId, message });
  }
  for (const state of ['SCHEDULED', 'CANCELLED', 'FAILED']) {
    const list = `query ($state: MessageState) { viewer { scheduledMessages(state: $state, first: 100) { nodes { chat { id } ...MessageState } } } }`;
    const { data, errors } = await person.send(`${list} ${messageFragment}`, { state });
    if (errors) throw new Error(JSON.stringify(errors));
    for (const { chat, ...message } of data.viewer.scheduledMessages.nodes)
      if (chatIds.includes(chat.id)) messages.set(message.id, { chatId: chat.id, message });
  }
  return { chats, messages };
}

/** Of the chats in which somebody takes part: of one that they have left they are told no more. */
function present({ chats, messages }: State): Json {
  const here = [...chats.values()].filter(({ viewerLeft }) => !viewerLeft);
  const ids = new Set(here.map(({ id }) => id));
  const said = [...messages.values()].filter(({ chatId }) => ids.has(chatId)).map(({ message }) => message);
  return { chats: sorted(here), messages: sorted(said) };
}

const sorted = (rows: Iterable<Json>): Json[] => [...rows].toSorted((one, other) => (one.id < other.id ? -1 : 1));

const deeds = [
  'send',
  'send',
  'read',
  'mute',
  'unmute',
  'draft',
  'react',
  'unreact',
  'edit',
  'delete',
  'pin',
  'unpin',
  'schedule',
  'cancel',
  'acknowledge',
  'freeze',
  'reopen',
  'leave',
  'add',
  'offline',
  'online',
] as const;

interface Step {
  readonly what: (typeof deeds)[number];
  /** 0 and 1: the person, on one of two devices; 2: somebody else. */
  readonly who: number;
  readonly chat: number;
  readonly which: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom(...deeds),
    who: fc.nat(2),
    chat: fc.nat(1),
    which: fc.nat(3),
  }),
  { minLength: 20, maxLength: 60 },
);

/** What a sequence of deeds is done to. */
interface Scene {
  readonly devices: readonly Device[];
  readonly other: Person;
  readonly chatIds: readonly string[];
  /** The ids of all that was said or scheduled. */
  readonly said: string[];
}

/** Does it, if it can be done; what is refused is no matter here. */
async function take(step: Step, { devices, other, chatIds, said }: Scene): Promise<void> {
  const { what, who, which } = step;
  const device = devices[who];
  const person = device?.person ?? other;
  const chatId = chatIds[step.chat] ?? '';
  const messageId = said.at(-1 - (which % Math.max(1, said.length)));
  const text = `Words ${which}`;
  const keep = ({ id }: Json) => void (id && said.push(id));
  const onMessage = (name: string, more: object = {}) => messageId && person.does(name, { messageId, ...more });
  if (what === 'offline') await device?.goOffline();
  else if (what === 'online') device?.comeOnline();
  else if (what === 'send') keep(await say(person, chatId, text, { acknowledgementRequired: which % 3 === 0 }));
  else if (what === 'read') await person.does('MarkChatRead', { chatId, upTo: which % 2 ? which : null });
  else if (what === 'mute')
    await person.does('MuteChat', { chatId, until: which % 2 ? inSeconds(3600 * which) : null });
  else if (what === 'unmute') await person.does('UnmuteChat', { chatId });
  else if (what === 'draft') await person.does('SaveChatDraft', { chatId, text: which % 4 ? text : null });
  else if (what === 'react') await onMessage('AddMessageReaction', { emoji: '👍' });
  else if (what === 'unreact') await onMessage('RemoveMessageReaction', { emoji: '👍' });
  else if (what === 'edit') await (messageId && person.does('EditMessage', { input: { messageId, text } }));
  else if (what === 'delete') await onMessage('DeleteMessage');
  else if (what === 'pin') await onMessage('PinMessage');
  else if (what === 'unpin') await onMessage('UnpinMessage');
  else if (what === 'acknowledge') await onMessage('AcknowledgeMessage');
  else if (what === 'cancel') await onMessage('CancelScheduledMessage');
  else if (what === 'freeze') await talk.teacher.does('MakeChatReadOnly', { chatId });
  else if (what === 'reopen') await talk.teacher.does('ReopenChat', { chatId });
  else if (what === 'leave') await person.does('LeaveChat', { chatId });
  else if (what === 'add')
    await talk.teacher.does('AddChatMembers', { chatId, userIds: [await app.world.userId(person)] });
  else {
    const input = { chatId, text, clientMessageId: newKey(), sendAt: inSeconds(86_400) };
    keep(await person.does('ScheduleMessage', { input }));
  }
}

test('two devices of one person know the same by what they are told, whatever each missed, and it is what a query shows', {
  timeout: 240_000,
}, async () => {
  const { teacher, head, otherTeacher, school } = talk;
  const home = await ownChat(app.world, school, [teacher, head]);
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const first = await app.world.staff(school);
      const second = await app.world.person(undefined, first.phone);
      await teacher.does('AddChatMembers', { chatId: home, userIds: [await app.world.userId(first)] });
      const chatIds = [
        await ownChat(app.world, school, [teacher, otherTeacher, first]),
        await ownChat(app.world, school, [teacher, otherTeacher, first], { historyVisibility: 'ALL' }),
      ];
      const devices = [new Device(first), new Device(second)];
      for (const device of devices) await device.begin([...chatIds, home]);
      const scene = { devices, other: otherTeacher, chatIds, said: [] };
      for (const step of sequence) await take(step, scene);
      for (const device of devices) device.comeOnline();
      const last = newKey();
      await first.does('SaveChatDraft', { chatId: home, text: last });
      for (const device of devices) await device.has(last);
      const shown = present(await stateOf(first, [...chatIds, home]));
      for (const device of devices) {
        expect(present(device)).toEqual(shown);
        await device.goOffline();
      }
    }),
    { numRuns: 15, endOnFailure: true },
  );
});
