import { randomUUID } from 'node:crypto';
import { globalId } from '../../src/graphql/ids.ts';
import type { TestApp } from './app.ts';
import type { Json } from './client.ts';
import { openNewsroom, student } from './newsroom.ts';
import { inDatabase } from './sql.ts';
import type { Person, School } from './world.ts';

/** A school of the newsroom's people, more families, a colleague without a group, pupils, and who belongs elsewhere. */
export async function openChatRoom(app: TestApp) {
  const newsroom = await openNewsroom(app.world);
  const { world, school, groupId, otherGroupId } = newsroom;
  const elsewhere = await world.school('School 8', 'SCHOOL');
  return {
    ...newsroom,
    neighbour: await world.guardian(school, await world.child(school, groupId)),
    colleague: await world.staff(school),
    pupil: await student(newsroom, groupId),
    otherPupil: await student(newsroom, otherGroupId),
    stranger: await world.person('Stranger'),
    foreigner: await world.staff(elsewhere),
    elsewhere,
    groupChat: await world.chat(newsroom.teacher, school, groupId),
  };
}

export type ChatRoom = Awaited<ReturnType<typeof openChatRoom>>;

/** Lets guardians begin chats; no client can, for now. */
export const allowGuardianChats = (app: TestApp) =>
  inDatabase(app, (sql) => sql`update organizations set guardian_chats_allowed = true`);

export const idOfUser = async (person: Person): Promise<string> => (await person.run('Viewer')).viewer.user.id;
export const idsOf = (people: readonly Person[]): Promise<string[]> => Promise.all(people.map(idOfUser));

let wishes = 0;

/** What somebody is answered who wants a CUSTOM chat with others. */
export const custom = async (
  who: Person,
  { id }: School,
  others: readonly Person[],
  input: object = {},
): Promise<Json> =>
  who.does('CreateChat', {
    input: { organizationId: id, kind: 'CUSTOM', name: `Talk ${++wishes}`, userIds: await idsOf(others), ...input },
  });

/** What somebody is answered who wants a DIRECT chat with another. */
export const direct = async (who: Person, { id }: School, other: Person): Promise<Json> =>
  who.does('CreateChat', { input: { organizationId: id, kind: 'DIRECT', userIds: [await idOfUser(other)] } });

/** A CUSTOM chat that somebody has made; its id. */
export async function talk(
  who: Person,
  school: School,
  others: readonly Person[],
  input: object = {},
): Promise<string> {
  const made = await custom(who, school, others, input);
  if (made.__typename !== 'Chat') throw new Error(JSON.stringify(made));
  return made.id;
}

export const chatFor = async (person: Person, id: string): Promise<Json> => (await person.run('Chat', { id })).chat;

/** The numbers of what somebody reads of a chat, oldest first; null: they do not see it. */
export const numbersFor = async (person: Person, id: string): Promise<number[] | null> =>
  (await chatFor(person, id))?.messages.nodes.map(({ number }: Json) => number).toReversed() ?? null;

/** As what somebody takes part; null: they do not see it. */
export const capacitiesFor = async (person: Person, id: string): Promise<string[] | null> =>
  (await chatFor(person, id))?.viewerCapacities.toSorted() ?? null;

/** Who takes part, as somebody meets them. */
export const membersFor = async (person: Person, id: string): Promise<Json> =>
  (await person.run('ChatMembers', { id })).chat?.members ?? null;

export const say = async (person: Person, chatId: string, input: object = {}): Promise<Json> =>
  person.does('SendMessage', {
    input: { chatId, text: `Word ${++wishes}`, clientMessageId: `wish-key-${++wishes}`, ...input },
  });

export const messageFor = async (person: Person, id: string): Promise<Json> =>
  (await person.run('Message', { id })).node;

export const move = async ({ administrator }: School, childId: string, groupId: string): Promise<void> => {
  const moved = await administrator.does('TransferChild', { input: { childId, groupId } });
  if (!moved.movement) throw new Error(JSON.stringify(moved));
};

export const absentChat = () => globalId('Chat', randomUUID());
export const absentUser = () => globalId('User', randomUUID());

/** Everything that can be done with a chat, by its operation. */
export const chatDeeds = (userId: string): Readonly<Record<string, object>> => ({
  AddChatMembers: { userIds: [userId] },
  RemoveChatMember: { userId },
  UpdateChat: { name: 'Otherwise' },
  LeaveChat: {},
  MakeChatReadOnly: {},
  ReopenChat: {},
  ArchiveChat: {},
  MarkChatRead: {},
  MuteChat: {},
  UnmuteChat: {},
  SaveChatDraft: { text: 'Begun' },
});

export const chatDeed = (person: Person, name: string, chatId: string, values: object): Promise<Json> =>
  person.does(name, name === 'UpdateChat' ? { input: { chatId, ...values } } : { chatId, ...values });
