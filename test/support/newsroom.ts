import { randomUUID } from 'node:crypto';
import { globalId } from '../../src/graphql/ids.ts';
import type { Json, Stream } from './client.ts';
import { cursorOf } from './log.ts';
import type { Person, World } from './world.ts';

/** A school with somebody in each role that a post means something to, two groups, and its channels. */
export async function openNewsroom(world: World, kind = 'SCHOOL') {
  const school = await world.school('School 7', kind);
  const { administrator } = school;
  const [groupId, otherGroupId] = [await world.group(school), await world.group(school)];
  const child = await world.child(school, groupId);
  const head = await world.head(school);
  return {
    world,
    school,
    administrator,
    head,
    groupId,
    otherGroupId,
    child,
    teacher: await world.teacher(school, groupId),
    otherTeacher: await world.teacher(school, otherGroupId),
    unverified: await world.member(school, 'EMPLOYEE'),
    guardian: await world.guardian(school, child),
    otherGuardian: await world.guardian(school, await world.child(school, otherGroupId)),
    community: await world.channel(administrator, school, 'COMMUNITY'),
    staffRoom: await world.channel(administrator, school, 'STAFF'),
    groupChannel: await world.channel(administrator, school, 'GROUP', groupId),
  };
}

export type Newsroom = Awaited<ReturnType<typeof openNewsroom>>;

/** A pupil with an account, in a group where it is given. */
export async function student({ world, school, administrator }: Newsroom, groupId?: string): Promise<Person> {
  const input = { organizationId: school.id, studentsAllowed: true };
  await administrator.does('UpdateOrganization', { input });
  if (!groupId) return world.member(school, 'STUDENT');
  const [pupil, childId] = [await world.person('Student'), await world.child(school, groupId)];
  const made = await administrator.does('CreateInvite', { input: { role: 'STUDENT', childId } });
  await pupil.does('RedeemInvite', { code: made.inviteCode });
  return pupil;
}

export const draft = async (author: Person, channelId: string, input: object = {}): Promise<string> => {
  const made = await author.does('DraftPost', { input: { channelId, text: 'Tomorrow at nine', ...input } });
  if (made.__typename !== 'Post') throw new Error(JSON.stringify(made));
  return made.id;
};

/** A draft that has been suggested. */
export async function suggestion(author: Person, channelId: string): Promise<string> {
  const postId = await draft(author, channelId);
  await author.does('SuggestPost', { postId });
  return postId;
}

/** How somebody sees a post; null: not at all. */
export const postFor = async (person: Person, id: string): Promise<Json> => (await person.run('Post', { id })).node;

/** What became of a post, from its beginning; null: not for this person. */
export async function stepsOf(person: Person, id: string): Promise<Json[] | null> {
  const { node } = await person.run('PostHistory', { id, first: 100 });
  return node?.history?.nodes.toReversed() ?? null;
}

/** The names of those among some people who see a post. */
export async function seers(people: Readonly<Record<string, Person>>, id: string): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(people).map(async ([name, person]) => ((await postFor(person, id)) ? name : null)),
  );
  return found.filter((name) => name !== null).toSorted();
}

/** What a mutation answered: the type of what it returned, or the error's code. */
export const answer = ({ __typename, code }: Json): string => code ?? __typename;

export const absentPost = () => globalId('Post', randomUUID());

export const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

/** So many at the same instant. */
export const atOnce = (size: number, work: (index: number) => Promise<Json>): Promise<Json[]> =>
  Promise.all(Array.from({ length: size }, (_, index) => work(index)));

/** Follows from now on, however long the socket takes to open. */
export async function follow(person: Person, name: string, variables: object = {}): Promise<Stream> {
  return person.subscribe(name, { ...variables, after: await cursorOf(person) }).begun();
}

/** The kinds of what a stream has delivered, in order. */
export const kinds = ({ delivered }: Pick<Stream, 'delivered'>): string[] =>
  delivered.map(({ kind, __typename }) => kind ?? __typename);

/** Waits for an event of a kind, which stands behind all that is looked for, and returns the kinds of what came before it. */
export async function kindsUntil(stream: Stream, kind: string): Promise<string[]> {
  for (let size = 1; !kinds(stream).includes(kind); size++) {
    if ((await stream.count(size)).length < size) throw new Error(`the stream ended: ${kinds(stream)}`);
  }
  return kinds(stream).slice(0, kinds(stream).indexOf(kind));
}

export const comment = (person: Person, postId: string, text = 'Good', idempotencyKey?: string): Promise<Json> =>
  person.does('AddComment', { postId, text, idempotencyKey });
export const commentsFor = async (person: Person, postId: string, state?: string): Promise<Json> =>
  (await person.run('Comments', { postId, state })).node?.comments ?? null;
export const textsFor = async (person: Person, postId: string): Promise<string[]> =>
  (await commentsFor(person, postId)).nodes.map(({ text }: Json) => text).toReversed();
/** Whether somebody finds a comment by its id. */
export const finds = async (person: Person, id: string): Promise<boolean> =>
  (await person.run('Node', { id })).node !== null;
/** Who is named as the author of each of a post's comments, oldest first. */
export const namesFor = async (person: Person, postId: string): Promise<(string | null)[]> =>
  (await commentsFor(person, postId)).nodes.map(({ author }: Json) => author?.displayName ?? null).toReversed();

export const later = inSeconds(3600);
/** Everything that can be done with a post, by its operation. */
export const deeds: Readonly<Record<string, object>> = {
  UpdatePost: {},
  SuggestPost: {},
  WithdrawSuggestion: {},
  ApproveSuggestion: {},
  RejectSuggestion: { comment: 'Not yet.' },
  PublishPost: {},
  SchedulePost: { publishAt: later },
  CancelScheduledPost: {},
  PinPost: {},
  UnpinPost: {},
  ArchivePost: {},
  RestorePost: {},
  DeletePost: {},
  AcknowledgePost: {},
  RemindUnacknowledged: {},
  AddReaction: { emoji: '👍' },
  RemoveReaction: { emoji: '👍' },
  AddComment: { text: 'Thank you' },
};

export const deed = (person: Person, name: string, postId: string): Promise<Json> =>
  person.does(name, name === 'UpdatePost' ? { input: { postId, text: 'Anew' } } : { postId, ...deeds[name] });

/** A published post that readers may comment on, as `commenting` says. */
export const opinionAsked = (world: World, author: Person, channelId: string, commenting: string): Promise<string> =>
  world.post(author, channelId, 'What do you think?', { commenting });
