import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { createAudience, settleAudiences } from '../audiences/commands.ts';
import { manageChat, recordChat } from '../chat-management/commands.ts';
import { tellChat, tellThoseWhoMeet, visitChat } from '../chats/commands.ts';
import { type ChatRow, chatMembers, chats, historyVisibility } from '../chats/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { idempotencyKey, line, optionalLine, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { answersFor, type Candidate, canBeginChat, canTalkTo } from './policy.ts';
import { candidates } from './queries.ts';

/** People in one chat. */
const maxMembers = 500;

/** There are students in the chat, and nobody else answers for them. */
export class SupervisorNeeded extends DomainError {
  readonly code = 'SUPERVISOR_NEEDED';
  constructor() {
    super('SUPERVISOR_NEEDED');
  }
}

const CreateChat = z.object({
  organizationId: z.string(),
  kind: z.enum(['DIRECT', 'CUSTOM']),
  name: optionalLine(100),
  userIds: z
    .array(z.string())
    .max(maxMembers)
    .transform((ids) => [...new Set(ids)]),
  historyVisibility: z.enum(historyVisibility.enumValues).nullish(),
  supervisorId: z.string().nullish(),
  idempotencyKey,
});
type Wish = z.output<typeof CreateChat>;

/**
 * Begins a chat (§2.2.6c, 2.3.3). A DIRECT one with somebody is always the same. @throws NotFound, Forbidden, InvalidInput,
 * InvalidState
 */
export async function createChat(db: Database, viewer: Viewer, input: unknown): Promise<string> {
  const wish = valid(CreateChat, input);
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, wish.organizationId);
    if (!canBeginChat(fresh, organization, wish.kind)) throw new Forbidden('FORBIDDEN_CHAT');
    const others = wish.userIds.filter((id) => id !== viewer.userId);
    if (wish.kind === 'DIRECT' && (others.length !== 1 || wish.name || wish.supervisorId))
      throw new InvalidInput('userIds', 'INVALID_DIRECT_CHAT');
    if (wish.kind === 'CUSTOM' && !wish.name) throw new InvalidInput('name', 'INVALID_CHAT_NAME');
    demandSize(others.length + 1);
    const pair = wish.kind === 'DIRECT' ? [viewer.userId, ...others].toSorted().join(' ') : null;
    const first = await firstOf(tx, viewer, wish, pair);
    if (first) return first.id;
    const people = await reachable(tx, fresh, organization, others);
    const all = new Map([...people, ...(await candidates(tx, organization.id, [viewer.userId]))]);
    if (pair && isStudent(all)) throw new InvalidInput('userIds', 'INVALID_DIRECT_CHAT');
    const supervisorId = isStudent(all) ? supervisorAmong(all, wish.supervisorId ?? viewer.userId) : null;
    const chat = await found(tx, viewer, wish, pair);
    await put(tx, chat, viewer, [viewer.userId, ...others], supervisorId);
    await tellChat(tx, chat, 'CHAT_CREATED');
    await recordChat(tx, viewer, chat, 'create', { after: { kind: chat.kind, name: chat.name } });
    return chat.id;
  });
}

/** @throws InvalidInput */
function demandSize(size: number): void {
  if (size > maxMembers) throw new InvalidInput('userIds', 'INVALID_CHAT_SIZE', { max: maxMembers });
}

/** The chat of this pair, or by this key, that was made before. */
async function firstOf(tx: Transaction, { userId }: Viewer, wish: Wish, pair: string | null): Promise<ChatRow | null> {
  const of = pair
    ? and(eq(chats.organizationId, wish.organizationId), eq(chats.pair, pair))
    : and(eq(chats.creatorId, userId), eq(chats.idempotencyKey, wish.idempotencyKey ?? ''));
  const [first] = await tx.select().from(chats).where(of);
  if (!first) return null;
  if (first.organizationId !== wish.organizationId || (!pair && first.name !== wish.name))
    throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

async function found(tx: Transaction, { userId }: Viewer, wish: Wish, pair: string | null): Promise<ChatRow> {
  // Asked for beforehand, because its audience needs it first.
  const [made] = await rows<{ id: string }>(tx, sql`select uuidv7() as id`);
  const id = made?.id ?? '';
  const [chat] = await tx
    .insert(chats)
    .values({
      id,
      organizationId: wish.organizationId,
      kind: wish.kind,
      name: wish.name,
      pair,
      creatorId: userId,
      historyVisibility: wish.historyVisibility ?? 'FROM_JOIN',
      idempotencyKey: pair ? null : wish.idempotencyKey,
      audienceId: await createAudience(tx, wish.organizationId, 'CHAT', id),
    })
    .returning();
  if (!chat) throw new Error('insert returned no row');
  return chat;
}

/** People whom the viewer may bring into a chat, by their id. @throws InvalidInput, the same whether or not somebody is there */
async function reachable(
  tx: Transaction,
  viewer: Viewer,
  organization: Organization,
  userIds: readonly string[],
): Promise<Map<string, Candidate[]>> {
  const known = await candidates(tx, organization.id, userIds);
  const people = userIds.map((id): [string, Candidate[]] => [
    id,
    (known.get(id) ?? []).filter((candidate) => canTalkTo(viewer, organization, candidate)),
  ]);
  if (people.some(([, as]) => as.length === 0)) throw new InvalidInput('userIds', 'INVALID_CHAT_PEOPLE');
  return new Map(people);
}

const isStudent = (people: ReadonlyMap<string, Candidate[]>): boolean =>
  [...people.values()].some((as) => as.some(({ role }) => role === 'STUDENT'));

/** Whether somebody answers for all the students among some people. */
function supervises(people: ReadonlyMap<string, Candidate[]>, userId: string): boolean {
  const students = [...people.values()].flat().filter(({ role }) => role === 'STUDENT');
  return (people.get(userId) ?? []).some(
    (one) => one.role === 'EMPLOYEE' && one.verified && students.every((student) => answersFor(one, student)),
  );
}

/** Who answers for the students among some people. @throws InvalidInput */
function supervisorAmong(people: ReadonlyMap<string, Candidate[]>, userId: string): string {
  if (!supervises(people, userId)) throw new InvalidInput('supervisorId', 'INVALID_SUPERVISOR');
  return userId;
}

async function put(
  tx: Transaction,
  { id: chatId, organizationId }: ChatRow,
  { userId: addedBy }: Viewer,
  userIds: readonly string[],
  supervisorId: string | null,
): Promise<void> {
  await tx
    .insert(chatMembers)
    .values(userIds.map((userId) => ({ chatId, userId, addedBy, isSupervisor: userId === supervisorId })));
  await settleAudiences(tx, organizationId, userIds);
}

type Member = typeof chatMembers.$inferSelect;

const present = (tx: Transaction, chatId: string): Promise<Member[]> =>
  tx
    .select()
    .from(chatMembers)
    .where(and(eq(chatMembers.chatId, chatId), isNull(chatMembers.leftAt)));

/** Puts people into a CUSTOM chat; who is there stays. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const addChatMembers = (db: Database, viewer: Viewer, chatId: string, userIds: readonly string[]) =>
  manageChat(db, viewer, chatId, async (tx, { organization, chat, viewer: fresh }) => {
    if (chat.state !== 'ACTIVE') throw new InvalidState(chat.state);
    const before = await present(tx, chatId);
    const added = [...new Set(userIds)].filter((id) => !before.some(({ userId }) => userId === id));
    if (added.length === 0) return;
    demandSize(before.length + added.length);
    const people = await reachable(tx, fresh, organization, added);
    if (isStudent(people)) await demandSupervisor(tx, organization, before, people);
    await put(tx, chat, viewer, added, null);
    await tellThoseWhoMeet(tx, chat, added, 'CHAT_MEMBERS_CHANGED');
    await recordChat(tx, viewer, chat, 'addMembers', { after: { userIds: named(added) } });
  });

const named = (userIds: readonly string[]) => userIds.map((id) => globalId('User', id)).join(' ');

/** Whoever supervises the chat must answer for the students that come, too. @throws SupervisorNeeded */
async function demandSupervisor(
  tx: Transaction,
  organization: Organization,
  before: readonly Member[],
  people: ReadonlyMap<string, Candidate[]>,
): Promise<void> {
  const supervisor = before.find(({ isSupervisor }) => isSupervisor);
  if (!supervisor) throw new SupervisorNeeded();
  const as = await candidates(tx, organization.id, [supervisor.userId]);
  if (!supervises(new Map([...people, ...as]), supervisor.userId)) throw new SupervisorNeeded();
}

/** Takes somebody out of a CUSTOM chat. Repeating it changes nothing. @throws NotFound, Forbidden, SupervisorNeeded */
export const removeChatMember = (db: Database, viewer: Viewer, chatId: string, userId: string) =>
  manageChat(db, viewer, chatId, async (tx, { organization, chat }) => {
    if (!(await depart(tx, organization, chat, userId, viewer.userId))) return;
    await recordChat(tx, viewer, chat, 'removeMember', { before: { userIds: named([userId]) } });
  });

/**
 * Leaves a CUSTOM chat; what was said meanwhile stays readable. The institution's own chats and DIRECT ones are not left.
 * Repeating it changes nothing. @throws NotFound, InvalidInput, SupervisorNeeded
 */
export const leaveChat = (db: Database, viewer: Viewer, chatId: string): Promise<void> =>
  transact(db, async (tx) => {
    const { organization, chat } = await visitChat(tx, viewer, chatId, 'no key update');
    if (chat.kind !== 'CUSTOM') throw new InvalidInput('chatId', 'INVALID_DERIVED_CHAT');
    await depart(tx, organization, chat, viewer.userId, null);
  });

async function depart(
  tx: Transaction,
  organization: Organization,
  chat: ChatRow,
  userId: string,
  removedBy: string | null,
): Promise<boolean> {
  const members = await present(tx, chat.id);
  const member = members.find((one) => one.userId === userId);
  if (!member) return false;
  if (member.isSupervisor) {
    const all = await candidates(
      tx,
      organization.id,
      members.map((one) => one.userId),
    );
    if (isStudent(all)) throw new SupervisorNeeded();
  }
  await tx.update(chatMembers).set({ leftAt: sql`now()`, removedBy }).where(eq(chatMembers.id, member.id));
  await settleAudiences(
    tx,
    organization.id,
    members.map((one) => one.userId),
  );
  await tellThoseWhoMeet(tx, chat, [userId], 'CHAT_MEMBERS_CHANGED');
  // Who has gone hears no more of the chat itself.
  await tellChat(tx, { ...chat, audienceId: userId }, 'CHAT_MEMBERS_CHANGED');
  return true;
}

const UpdateChat = z
  .object({ name: line(100), historyVisibility: z.enum(historyVisibility.enumValues), supervisorId: z.string() })
  .partial();

/** Changes a CUSTOM chat; what is left out stays. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function updateChat(db: Database, viewer: Viewer, chatId: string, input: unknown): Promise<void> {
  const { supervisorId, ...changes } = valid(UpdateChat, input);
  await manageChat(db, viewer, chatId, async (tx, { organization, chat }) => {
    if (chat.state === 'ARCHIVED') throw new InvalidState(chat.state);
    const former = supervisorId ? await appoint(tx, organization, chat, supervisorId) : null;
    const { name, historyVisibility } = { ...chat, ...changes };
    const isSame = name === chat.name && historyVisibility === chat.historyVisibility;
    if (isSame && former?.userId === supervisorId) return;
    if (!isSame) await tx.update(chats).set({ name, historyVisibility }).where(eq(chats.id, chatId));
    await tellChat(tx, chat, 'CHAT_UPDATED');
    await recordChat(tx, viewer, chat, 'update', {
      before: { name: chat.name, historyVisibility: chat.historyVisibility, ...supervisorOf(former?.userId) },
      after: { ...changes, ...supervisorOf(supervisorId) },
    });
  });
}

const supervisorOf = (userId: string | undefined) => (userId ? { supervisorId: globalId('User', userId) } : {});

/** Makes somebody the one who answers for the students in a chat; who did before. @throws InvalidInput */
async function appoint(
  tx: Transaction,
  organization: Organization,
  chat: ChatRow,
  supervisorId: string,
): Promise<Member | undefined> {
  const members = await present(tx, chat.id);
  const ids = members.map(({ userId }) => userId);
  supervisorAmong(await candidates(tx, organization.id, ids), supervisorId);
  const former = members.find(({ isSupervisor }) => isSupervisor);
  if (former?.userId === supervisorId) return former;
  const set = (userId: string, isSupervisor: boolean) =>
    tx
      .update(chatMembers)
      .set({ isSupervisor })
      .where(and(eq(chatMembers.chatId, chat.id), isNull(chatMembers.leftAt), eq(chatMembers.userId, userId)));
  if (former) await set(former.userId, false);
  await set(supervisorId, true);
  await settleAudiences(tx, organization.id, ids);
  return former;
}
