import type { Json, TestClient } from '../support/client.ts';
import { Board, done } from './board.ts';
import { type MainRole, mainRoles, type Role } from './law.ts';
import type { Actor, Scene } from './scene.ts';

/** A chat, as the law tells them apart, and which roles take part in it: they have something of their own there. */
const participants = {
  HEAD_STAFF: ['administrator', 'head', 'verified staff', 'other staff'],
  'GROUP_GUARDIANS of one’s own': ['verified staff', 'guardian', 'LIMITED guardian'],
  'GROUP_GUARDIANS of others': ['other staff', 'other guardian', 'former guardian'],
  DIRECT: ['verified staff', 'guardian'],
  CUSTOM: ['verified staff', 'other staff', 'guardian', 'LIMITED guardian'],
  SUPERVISED: ['verified staff', 'student'],
} as const satisfies Record<string, readonly Role[]>;
export type ChatPlace = keyof typeof participants;
export const chatPlaces = Object.keys(participants) as ChatPlace[]; // keys of a constant
export const isChatPlace = (text: string): text is ChatPlace => text in participants;

export const takesPart = (role: Role, where: ChatPlace): boolean =>
  (participants[where] as readonly Role[]).includes(role);

/** `EARLIER of staff in CUSTOM`: in which state something is, whose it is, and where. */
export interface ChatCase {
  /** Empty where nothing is said of it. */
  readonly state: string;
  /** Null where it does not matter. */
  readonly whose: 'one’s own' | 'staff' | 'families' | null;
  readonly where: ChatPlace;
}

export function chatCase(text: string): ChatCase {
  const [, state = '', whose, where = ''] =
    text.match(/^(?:([A-Z_]+) )?(?:of (one’s own|staff|families) )?in (.+)$/) ?? [];
  if (!isChatPlace(where)) throw new Error(`law-of-chats.md: what is “${text}”?`);
  return { state, whose: (whose ?? null) as ChatCase['whose'], where }; // as the expression has it
}

type Cast = Readonly<Record<Exclude<Role, MainRole>, Actor>>;
/** When what is scheduled is to be sent. */
export const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
let keys = 0;

/** What is said in a school, in every chat, by those who have a role in the matrix and by some who have none. */
export class Talk {
  readonly scene: Scene;
  readonly board: Board;
  readonly people: Cast;
  /** Confirmed, and assigned to no group. */
  readonly clerk: Actor;
  /** Has a child in the class, and none elsewhere. */
  readonly classmate: Actor;
  readonly #chats = new Map<ChatPlace, string>();
  readonly #earlier = new Map<string, string>();
  readonly #files = new Map<string, string>();
  readonly #polls = new Map<ChatPlace, string>();
  readonly #calls = new Map<ChatPlace, string>();
  readonly #ids = new Map<Actor, Promise<string>>();

  private constructor(scene: Scene, board: Board, people: Cast, [clerk, classmate]: readonly [Actor, Actor]) {
    this.scene = scene;
    this.board = board;
    this.people = people;
    this.clerk = clerk;
    this.classmate = classmate;
  }

  /** The one of a scene; set up when the first asks. */
  static of(scene: Scene): Promise<Talk> {
    const known = talks.get(scene) ?? Talk.#open(scene);
    talks.set(scene, known);
    return known;
  }

  static async #open(scene: Scene): Promise<Talk> {
    const { world, school, arranger, classId, otherClassId } = scene;
    const board = await Board.of(scene);
    await done(arranger, 'UpdateOrganization', { input: { organizationId: school.id, guardianChatsAllowed: true } });
    const childId = await world.child(school, classId);
    const people = {
      'other staff': await world.teacher(school, otherClassId),
      'other guardian': await world.guardian(school, await world.child(school, otherClassId)),
      'LIMITED guardian': board.hidden,
      'former guardian': await world.guardian(school, childId),
    };
    const clerk = await world.staff(school);
    const classmate = await world.guardian(school, await world.child(school, classId));
    const talk = new Talk(scene, board, people, [clerk, classmate]);
    await talk.#begin();
    await done(arranger, 'TransferChild', { input: { childId, groupId: otherClassId } });
    return talk;
  }

  /** All that is there while the child of the former guardian is still in the class. */
  async #begin(): Promise<void> {
    const { world, school, people, classId, otherClassId } = this.scene;
    const { colleague, parent } = this.board;
    this.#chats.set('HEAD_STAFF', this.scene.chat('HEAD_STAFF'));
    this.#chats.set('GROUP_GUARDIANS of one’s own', await world.chat(colleague, school, classId));
    this.#chats.set('GROUP_GUARDIANS of others', await world.chat(colleague, school, otherClassId));
    this.#chats.set('DIRECT', await this.create('DIRECT', [people.guardian]));
    this.#chats.set('SUPERVISED', await this.supervised());
    const customId = await this.create('CUSTOM', [colleague, this.people['other staff']]);
    this.#chats.set('CUSTOM', customId);
    await this.#early('staff', 'CUSTOM', colleague);
    this.#polls.set('CUSTOM', await this.ask('CUSTOM', colleague));
    this.#polls.set('GROUP_GUARDIANS of one’s own', await this.ask('GROUP_GUARDIANS of one’s own', colleague));
    for (const [whose, author] of [
      ['staff', colleague],
      ['families', parent],
      ['former guardian', this.people['former guardian']],
    ] as const)
      await this.#early(whose, 'GROUP_GUARDIANS of one’s own', author);
    for (const where of ['CUSTOM', 'GROUP_GUARDIANS of one’s own'] as const)
      this.#calls.set(where, await this.call(where, colleague));
    const userIds = await this.idsOf([people.guardian, this.people['LIMITED guardian'], parent]);
    await done(people['verified staff'], 'AddChatMembers', { chatId: customId, userIds });
  }

  /** With a file; and the staff's asks that note be taken of it. */
  async #early(whose: string, where: ChatPlace, author: Actor): Promise<void> {
    const asking = whose === 'staff' ? { acknowledgementRequired: true } : {};
    const fileId = (await this.scene.world.upload(author)).id;
    this.#files.set(`${where} ${whose}`, fileId);
    this.#earlier.set(`${where} ${whose}`, await this.say(where, author, { fileIds: [fileId], ...asking }));
  }

  chat(where: ChatPlace): string {
    return this.#chats.get(where) ?? '';
  }

  /** A new chat by the teacher of the class. */
  async create(kind: 'DIRECT' | 'CUSTOM', others: readonly Actor[]): Promise<string> {
    const name = kind === 'CUSTOM' ? 'The trip' : null;
    const input = { organizationId: this.scene.school.id, kind, name, userIds: await this.idsOf(others) };
    return (await done(this.scene.people['verified staff'], 'CreateChat', { input })).id;
  }

  /** A chat as CUSTOM, in a state, for what changes it. */
  async further(state = 'ACTIVE'): Promise<string> {
    const { people } = this.scene;
    const { colleague, parent } = this.board;
    const others = [colleague, parent, people.guardian, this.people['other staff'], this.people['LIMITED guardian']];
    const chatId = await this.create('CUSTOM', others);
    if (state === 'READ_ONLY') await done(people['verified staff'], 'MakeChatReadOnly', { chatId });
    return chatId;
  }

  supervised(): Promise<string> {
    return this.create('CUSTOM', [this.board.colleague, this.scene.people.student]);
  }

  /** Who plays a role. */
  actor(role: Role): Actor {
    return isMain(role) ? this.scene.people[role] : this.people[role];
  }

  idOf(who: Actor): Promise<string> {
    const known = this.#ids.get(who) ?? who.run('Viewer').then(({ viewer }) => String(viewer.user.id));
    this.#ids.set(who, known);
    return known;
  }

  idsOf(people: readonly Actor[]): Promise<string[]> {
    return Promise.all(people.map((who) => this.idOf(who)));
  }

  /** Whoever says something there, of the staff or of the families, when nobody in particular does. */
  author(whose: ChatCase['whose'], where: ChatPlace): Actor {
    const { people } = this.scene;
    const { colleague, parent } = this.board;
    if (whose !== 'families') return where === 'DIRECT' ? people['verified staff'] : colleague;
    return where === 'DIRECT' ? people.guardian : where === 'SUPERVISED' ? people.student : parent;
  }

  /** Says something, and answers the message's id. */
  async say(where: ChatPlace | { chatId: string }, by: TestClient, more: object = {}): Promise<string> {
    const chatId = typeof where === 'string' ? this.chat(where) : where.chatId;
    return (await done(by, 'SendMessage', { input: { ...saying(chatId), ...more } })).id;
  }

  /** A new message in a state, of somebody in particular or not. */
  async message({ state, whose, where }: ChatCase, by = this.author(whose, where), more: object = {}): Promise<string> {
    if (state === 'SCHEDULED')
      return (await done(by, 'ScheduleMessage', { input: { ...saying(this.chat(where)), sendAt: tomorrow, ...more } }))
        .id;
    const messageId = await this.say(where, by, {
      ...(state === 'ASKING' ? { acknowledgementRequired: true } : {}),
      ...more,
    });
    if (state === 'DELETED') await done(by, 'DeleteMessage', { messageId });
    return messageId;
  }

  /** The message of a case: one's own where one takes part, else another's; as it stands for all, or made anew. */
  async found(which: ChatCase, who: Actor, role: Role, fresh = false): Promise<string> {
    const earlier = this.#earlierOf(which, role);
    if (earlier) return earlier;
    const own = which.whose === 'one’s own' && takesPart(role, which.where);
    const make = () => this.message(which, own ? who : undefined);
    const { state, whose, where } = which;
    return fresh ? make() : this.board.once(`message ${state} ${own ? role : (whose ?? 'staff')} ${where}`, make);
  }

  /** The file of a message of a case. */
  async file(which: ChatCase, who: Actor, role: Role): Promise<string> {
    const { state, whose, where } = which;
    if (state === 'EARLIER') return this.#files.get(`${where} ${whose}`) ?? '';
    const own = whose === 'one’s own' && takesPart(role, where);
    const author = own ? who : this.author(whose, where);
    return this.board.once(`file of ${state} ${own ? role : whose} ${where}`, async () => {
      const { id } = await this.scene.world.upload(author);
      await this.message(which, author, { fileIds: [id] });
      return id;
    });
  }

  isEarlier(messageId: string): boolean {
    return [...this.#earlier.values()].includes(messageId);
  }

  /** Calls, and ends it again unless it is to go on; answers the call's id. */
  async call(where: ChatPlace, by: TestClient, goesOn = false): Promise<string> {
    const { call } = await done(by, 'StartCall', { input: { chatId: this.chat(where), kind: 'AUDIO' } });
    if (!goesOn) await done(by, 'EndCall', { callId: call.id });
    return call.id;
  }

  /** The call that was there EARLIER. */
  earlierCall(where: ChatPlace): string {
    return this.#calls.get(where) ?? '';
  }

  /** Asks, and answers the poll's id. */
  async ask(where: ChatPlace, by: TestClient, more: object = {}): Promise<string> {
    const { chatId, clientMessageId } = saying(this.chat(where));
    const input = { chatId, clientMessageId, question: 'When?', options: ['Monday', 'Tuesday'], ...more };
    return (await done(by, 'CreatePoll', { input })).id;
  }

  /** The poll of a case, as `found`; CHILD and ANONYMOUS say how it is voted in. */
  async poll({ state, whose, where }: ChatCase, who: Actor, role: Role, fresh = false): Promise<string> {
    if (state === 'EARLIER' && !fresh) return this.#polls.get(where) ?? '';
    const own = whose === 'one’s own' && takesPart(role, where);
    const more = state === 'CHILD' ? { electorate: 'CHILD' } : { anonymous: state === 'ANONYMOUS' };
    const make = () => this.ask(where, own ? who : this.author(whose, where), more);
    return fresh ? make() : this.board.once(`poll ${state} ${own ? role : (whose ?? 'staff')} ${where}`, make);
  }

  /** What was said EARLIER; and what the former guardian has said in the class was. */
  #earlierOf({ state, whose, where }: ChatCase, role: Role): string | undefined {
    const isSaid = state === '' || state === 'SENT';
    if (isSaid && whose === 'one’s own' && where === 'GROUP_GUARDIANS of one’s own' && role === 'former guardian')
      return this.#earlier.get(`${where} ${role}`);
    return state === 'EARLIER' ? this.#earlier.get(`${where} ${whose ?? 'staff'}`) : undefined;
  }

  /** Which chats are seen. */
  seen(found: ReadonlySet<string>): string {
    return (
      chatPlaces
        .filter((where) => found.has(this.chat(where)))
        .map((where) => chatNames[where])
        .join(' ') || 'NONE'
    );
  }
}

/** What a list of what is seen calls each chat. */
export const chatNames: Readonly<Record<ChatPlace, string>> = {
  HEAD_STAFF: 'HEAD_STAFF',
  'GROUP_GUARDIANS of one’s own': 'OWN',
  'GROUP_GUARDIANS of others': 'OTHERS',
  DIRECT: 'DIRECT',
  CUSTOM: 'CUSTOM',
  SUPERVISED: 'SUPERVISED',
};

const talks = new WeakMap<Scene, Promise<Talk>>();

/** What is said is found by this word. */
export const word = 'caterpillar';

/** What it takes to say something in a chat. */
export const saying = (chatId: string): Json => ({
  chatId,
  text: `A ${word} has come`,
  clientMessageId: `message-${++keys}`,
});

const isMain = (role: Role): role is MainRole => (mainRoles as readonly Role[]).includes(role);

/** Who plays a role. */
export const actorOf = async (scene: Scene, role: Role): Promise<Actor> =>
  isMain(role) ? scene.people[role] : (await Talk.of(scene)).actor(role);
