import type { Json, TestClient } from '../support/client.ts';
import type { Role } from './law.ts';
import type { Actor, Scene } from './scene.ts';

/** Where something is told, as the law tells places apart; and what it calls them in a list of what is seen. */
export const places = {
  COMMUNITY: 'COMMUNITY',
  STAFF: 'STAFF',
  'GROUP of one’s own': 'OWN',
  'GROUP of others': 'OTHERS',
} as const;
export type Where = keyof typeof places;
const isPlace = (text: string): text is Where => text in places;

/** `SUGGESTED of one’s own in STAFF`: in which state something is, whose it is, and where. */
export interface Case {
  /** Empty where nothing is said of it. */
  readonly state: string;
  /** Null where it does not matter. */
  readonly own: boolean | null;
  readonly where: Where;
}

export function caseOf(text: string): Case {
  const [, state = '', whose, where = ''] = text.match(/^(?:(\w+) )?(?:of (one’s own|others) )?in (.+)$/) ?? [];
  if (!isPlace(where)) throw new Error(`law.md: what is “${text}”?`);
  return { state, own: whose === undefined ? null : whose === 'one’s own', where };
}

const isGroup = (where: Where): boolean => where.startsWith('GROUP');

/** Who has something of their own there: as its author, in a word below a post. */
const authors: readonly Role[] = ['administrator', 'head', 'verified staff'];
const leaders: readonly Role[] = ['administrator', 'head'];
export const writes = (role: Role, where: Where): boolean =>
  (where === 'GROUP of others' ? leaders : authors).includes(role);
export const comments = (role: Role, where: Where): boolean =>
  writes(role, where) ||
  ((where === 'COMMUNITY' || where === 'GROUP of one’s own') && (role === 'guardian' || role === 'student'));
/** Whose comments need nobody’s approval. */
export const publishes = (role: Role, where: Where): boolean =>
  isGroup(where) ? writes(role, where) : role === 'administrator';

/** How a post comes into a state: each step by whoever publishes, but the suggestion by its author. */
const steps: Readonly<Record<string, readonly string[]>> = {
  DRAFT: [],
  SUGGESTED: ['SuggestPost'],
  APPROVED: ['SuggestPost', 'ApproveSuggestion'],
  SCHEDULED: ['SchedulePost'],
  PUBLISHED: ['PublishPost'],
  ARCHIVED: ['PublishPost', 'ArchivePost'],
  DELETED: ['PublishPost', 'DeletePost'],
};

export const publishAt = new Date(Date.now() + 86_400_000).toISOString();

/** What is told in a school, in every place and every state, by people who have no role in the matrix. */
export class Board {
  readonly #scene: Scene;
  readonly #channels: ReadonlyMap<Where, string>;
  /** Teaches in both classes. */
  readonly colleague: Actor;
  /** Has a child in both. */
  readonly parent: Actor;
  /** Guards the same child as the guardian of the matrix, and is hidden from them. */
  readonly hidden: Actor;
  readonly #made = new Map<string, Promise<string>>();

  private constructor(scene: Scene, channels: ReadonlyMap<Where, string>, people: readonly [Actor, Actor, Actor]) {
    this.#scene = scene;
    this.#channels = channels;
    [this.colleague, this.parent, this.hidden] = people;
  }

  /** The one of a scene; set up when the first asks. */
  static of(scene: Scene): Promise<Board> {
    const known = boards.get(scene) ?? Board.#open(scene);
    boards.set(scene, known);
    return known;
  }

  static async #open(scene: Scene): Promise<Board> {
    const { world, school, arranger, classId, otherClassId, childId } = scene;
    const colleague = await world.teacher(school, classId);
    await world.assign(school, colleague.membershipId, otherClassId);
    const parent = await world.guardian(school, await world.child(school, classId));
    await world.guardian(school, await world.child(school, otherClassId), parent);
    const hidden = await world.guardian(school, childId);
    const limited = { guardianLinkId: hidden.linkId, contactVisibility: 'LIMITED' };
    await done(arranger, 'SetGuardianContactVisibility', limited);
    const channels = new Map<Where, string>([
      ['COMMUNITY', await world.channel(arranger, school, 'COMMUNITY')],
      ['STAFF', await world.channel(arranger, school, 'STAFF')],
      ['GROUP of one’s own', await world.channel(arranger, school, 'GROUP', classId)],
      ['GROUP of others', await world.channel(arranger, school, 'GROUP', otherClassId)],
    ]);
    return new Board(scene, channels, [colleague, parent, hidden]);
  }

  channel(where: Where): string {
    return this.#channels.get(where) ?? '';
  }

  /** The group whose place it is; null: it is nobody's group. */
  group(where: Where): string | null {
    const { classId, otherClassId } = this.#scene;
    return !isGroup(where) ? null : where === 'GROUP of others' ? otherClassId : classId;
  }

  /** What of some places is seen, by what is there. */
  seen(found: ReadonlySet<string>, there: Iterable<readonly [Where, string]> = this.#channels): string {
    const all = [...there];
    const seen = all.filter(([, id]) => found.has(id)).map(([where]) => places[where]);
    return seen.length === all.length ? 'ALL' : seen.join(' ') || 'NONE';
  }

  /** What is made once, for all who only look at it or are refused. */
  once(what: string, make: () => Promise<string>): Promise<string> {
    const known = this.#made.get(what) ?? make();
    this.#made.set(what, known);
    return known;
  }

  /** A channel beside those that are always there. */
  async further(where: Where, state: string): Promise<string> {
    const { arranger } = this.#scene;
    const { id: channelId } = await done(arranger, 'CreateChannel', { input: this.furtherInput(where) });
    if (state === 'ARCHIVED') await done(arranger, 'ArchiveChannel', { channelId });
    return channelId;
  }

  furtherInput(where: Where): object {
    const kind = isGroup(where) ? 'GROUP' : where;
    return { organizationId: this.#scene.school.id, kind, groupId: this.group(where), name: 'The canteen' };
  }

  /** A new post; by a colleague, or where only administrators publish by the first of them, unless somebody is given. */
  async post({ state, where }: Case, by?: TestClient): Promise<string> {
    const { arranger } = this.#scene;
    const [next] = steps[state] ?? [];
    const direct = next !== 'SuggestPost' && next !== undefined;
    const author = by ?? (direct && !isGroup(where) ? arranger : this.colleague);
    const publisher = isGroup(where) ? author : arranger;
    const input = { channelId: this.channel(where), text, acknowledgementRequired: true, commenting: 'MODERATED' };
    const { id: postId } = await done(author, 'DraftPost', { input });
    const taken = direct && author !== publisher ? ['SuggestPost', 'ApproveSuggestion'] : [];
    for (const step of [...taken, ...(steps[state] ?? [])])
      await done(step === 'SuggestPost' ? author : publisher, step, { postId, publishAt });
    return postId;
  }

  /** The post that is there in a state. */
  shown(state: string, where: Where): Promise<string> {
    return this.once(`post ${state} ${where}`, () => this.post({ state, own: null, where }));
  }

  /** A new comment below the published post; by a reader, unless somebody is given. */
  async comment({ state, where }: Case, by?: TestClient): Promise<string> {
    const author = by ?? (where === 'STAFF' ? this.colleague : this.parent);
    const postId = await this.shown('PUBLISHED', where);
    const { id: commentId } = await done(author, 'AddComment', { postId, text: 'We shall come' });
    const { arranger } = this.#scene;
    if (state === 'PUBLISHED') await done(arranger, 'ApproveComment', { commentId });
    if (state === 'REJECTED') await done(arranger, 'RejectComment', { commentId, reason: 'Not here' });
    return commentId;
  }
}

const boards = new WeakMap<Scene, Promise<Board>>();
const text = 'Tomorrow at nine';

/** Runs a mutation that is to succeed. */
export async function done(who: TestClient, operation: string, variables: object): Promise<Json> {
  const result = await who.does(operation, variables);
  if (result.code) throw new Error(`${operation}: ${JSON.stringify(result)}`);
  return result;
}
