import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { hiddenFrom, type Meeter, meeterOf } from '../audiences/queries.ts';
import { type Visit, visitChat } from '../chats/commands.ts';
import { canDisturb, canStress } from '../chats/policy.ts';
import type { Own } from '../chats/queries.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { constraintOf } from '../database/failures.ts';
import { prepareRaw } from '../database/statements.ts';
import { Forbidden, InvalidInput } from '../errors.ts';
import { files } from '../files/tables.ts';
import { prose, valid } from '../input.ts';
import { atOnce, transact } from '../log/append.ts';
import { demandWriting } from '../messages/commands.ts';
import { canSeeMessage } from '../messages/policy.ts';
import { asMessage, authorIn, columns, type Message, messageById } from '../messages/queries.ts';
import { maxFiles, maxLength, maxMentions, messagePriority, messages } from '../messages/tables.ts';
import type { Role, Viewer } from '../viewer.ts';

export const clientMessageId = z.string().regex(/^[\x21-\x7e]{8,100}$/);

/** What a message says, however it is sent. */
export const content = z.object({
  text: prose(maxLength).transform((text) => text ?? ''),
  fileIds: z
    .array(z.string())
    .max(maxFiles)
    .nullish()
    .transform((ids) => ids ?? []),
  replyToId: z
    .string()
    .nullish()
    .transform((id) => id ?? null),
  mentionedIds: z
    .array(z.string())
    .max(maxMentions)
    .nullish()
    .transform((ids) => [...new Set(ids ?? [])]),
  priority: z
    .enum(messagePriority.enumValues)
    .nullish()
    .transform((priority) => priority ?? 'NORMAL'),
  acknowledgementRequired: z
    .boolean()
    .nullish()
    .transform((required) => required ?? false),
  capacity: z
    .enum(['EMPLOYEE', 'GUARDIAN', 'STUDENT'])
    .nullish()
    .transform((capacity) => capacity ?? null),
  clientMessageId,
});

const SendMessage = content.extend({ chatId: z.string() });
export type Wish = z.output<typeof SendMessage>;

type Sent = Parameters<typeof asMessage>[0];

const wish = (name: keyof Wish, type: string) => sql`${sql.placeholder(name)}::${sql.raw(type)}`;
const userId = sql.placeholder('userId');

const nothing = sql``;

/** Who may stress what they say: the staff of the chat, and to disturb people who leads. */
const mayStress = sql`and case ${wish('priority', 'text')}
    when 'URGENT' then m.capacity = 'EMPLOYEE' and exists (
      select from active_standings s where s.user_id = ${userId} and s.organization_id = c.organization_id
        and (s.administrator or (s.position = 'HEAD' and s.verified)))
    when 'IMPORTANT' then m.capacity = 'EMPLOYEE'
    else m.capacity = 'EMPLOYEE' or not ${wish('acknowledgementRequired', 'boolean')} end`;

const attachable = sql`
  attachable as materialized (
    select f.id from files f
    where f.id = any(${wish('fileIds', 'uuid[]')}) and f.uploader_id = ${userId} and f.state = 'READY' and f.owner_id is null
    order by f.id for update
  ),`;

/** What it answers can be read, whom it names takes part and is met by who names them (§4.11), what goes with it may be used. */
const holds = sql`
  and (${wish('replyToId', 'uuid')} is null or exists (
    select from messages r
    where r.id = ${wish('replyToId', 'uuid')} and r.chat_id = mine.id and r.state = 'SENT' and (
      mine.history_visibility = 'ALL' or exists (
        select from audience_members w
        where w.audience_id = mine.audience_id and w.user_id = ${userId} and w.since_number < r.number
          and (w.until_number is null or r.number <= w.until_number)))))
  and (cardinality(${wish('mentionedIds', 'uuid[]')}) = 0 or cardinality(${wish('mentionedIds', 'uuid[]')}) = (
    select count(distinct w.user_id) from audience_members w
    where w.audience_id = mine.audience_id and w.until is null and w.user_id = any(${wish('mentionedIds', 'uuid[]')})
      and not (w.capacity = 'GUARDIAN' and ${hiddenFrom(sql`w.user_id`, sql`mine.organization_id`)})))
  and (cardinality(${wish('fileIds', 'uuid[]')}) = 0 or cardinality(${wish('fileIds', 'uuid[]')}) = (select count(*) from attachable))`;

const attached = sql`
  attached as (
    update files set owner_kind = 'MESSAGE', owner_id = m.id, organization_id = mine.organization_id, position = w.place
    from m, mine, unnest(${wish('fileIds', 'uuid[]')}) with ordinality w (file_id, place)
    where files.id = w.file_id
  ),`;

/**
 * Says something in a chat, in one statement: asks whether its author may, on their own row of the audience, which nobody takes
 * away meanwhile; takes the next number, under the chat's lock; writes the message, the author's mark and the event. It answers
 * no row where something stands against it, and fails on `messages_client_key` for a repeat; then nothing at all has happened.
 *
 * Mere words have a statement of their own: with all that others ask, Postgres would plan it anew for every message, for longer
 * than it takes to run.
 */
export const sending = (mere: boolean): SQL => sql`
  with mine as materialized (
    select c.id, c.audience_id, c.organization_id, c.history_visibility, m.capacity, uuidv7() as message_id
    from chats c
    join audience_members m on m.audience_id = c.audience_id and m.user_id = ${userId} and m.until is null
    left join chat_marks k on k.chat_id = c.id and k.user_id = ${userId}
    where c.id = ${sql.placeholder('chatId')} and (${wish('capacity', 'text')} is null or m.capacity = ${wish('capacity', 'text')})
      and exists (select from sessions s where s.id = ${sql.placeholder('sessionId')} and s.ended_at is null)
      ${mere ? nothing : mayStress}
    order by m.capacity = k.capacity desc nulls last, m.capacity
    limit 1
    for share of m
  ),
  ${mere ? nothing : attachable}
  counted as (
    update chats set last_number = last_number + 1, place = mine.message_id
    from mine
    where chats.id = mine.id and chats.state = 'ACTIVE' ${mere ? nothing : holds}
    returning chats.last_number, mine.*
  ),
  m as (
    insert into messages (id, chat_id, number, author_id, capacity, text, client_message_id, reply_to_id, mentions, priority,
      acknowledgement_required, sent_at)
    select message_id, id, last_number, ${userId}, capacity, ${wish('text', 'text')}, ${wish('clientMessageId', 'text')},
      ${
        mere
          ? sql`null, '{}', 'NORMAL', false`
          : sql`${wish('replyToId', 'uuid')}, ${wish('mentionedIds', 'uuid[]')}, ${wish('priority', 'message_priority')},
            ${wish('acknowledgementRequired', 'boolean')}`
      }, clock_timestamp()
    from counted
    returning *
  ),
  ${mere ? nothing : attached}
  marked as (
    insert into chat_marks (chat_id, user_id, read_through, capacity)
    select chat_id, author_id, number, capacity from m
    on conflict (chat_id, user_id) do update
      set read_through = excluded.read_through, capacity = excluded.capacity, draft = null
  ),
  told as (
    insert into log_events (audience_id, organization_id, kind, subject_id, payload)
    select audience_id, organization_id, 'MESSAGE_SENT', message_id, jsonb_build_object('placeId', id) from counted
  )
  select ${columns}, ${authorIn(sql`counted.organization_id`)}, counted.organization_id as "organizationId",
    counted.audience_id as "audienceId"
  from m join counted on true`;

type Sending = Wish & { userId: string; sessionId: string };
const sendMere = prepareRaw<Sent, Sending>(sending(true));
const sendAny = prepareRaw<Sent, Sending & Meeter>(sending(false));

const isMere = ({ fileIds, mentionedIds, replyToId, priority, acknowledgementRequired }: Wish): boolean =>
  fileIds.length === 0 &&
  mentionedIds.length === 0 &&
  replyToId === null &&
  priority === 'NORMAL' &&
  !acknowledgementRequired;

/**
 * Says something in a chat. A repeat with the same `clientMessageId` answers with the first. @throws NotFound, Forbidden,
 * InvalidInput naming the field, InvalidState
 */
export async function sendMessage(db: Database, viewer: Viewer, input: unknown): Promise<Message> {
  const said = valid(SendMessage, input);
  demandContent(said);
  const by = { userId: viewer.userId, sessionId: viewer.sessionId };
  const send = () =>
    isMere(said) ? sendMere(db, { ...said, ...by }) : sendAny(db, { ...said, ...meeterOf(viewer), ...by });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const [sent] = await atOnce(db, send);
      if (sent) return shownTo(db, viewer, sent, said);
    } catch (error) {
      if (constraintOf(error) !== 'messages_client_key') throw error;
    }
    const first = await transact(db, (tx) => firstOrRefusal(tx, viewer, said));
    if (first) return first;
  }
  throw new Error('a message could be sent and was not');
}

/** Runs what says something by a client's key; where the same key was quicker, once more: now there is a first. */
export async function sayOnce<Result>(db: Database, command: (tx: Transaction) => Promise<Result>): Promise<Result> {
  try {
    return await transact(db, command);
  } catch (error) {
    if (constraintOf(error) !== 'messages_client_key') throw error;
    return transact(db, command);
  }
}

/** As the author sees what was just sent; only what came with files or names people has more to it than was said. */
async function shownTo(db: Database, viewer: Viewer, sent: Sent, { fileIds, mentionedIds }: Wish): Promise<Message> {
  const message: Message = {
    ...asMessage({
      ...sent,
      limitedIn: [],
      mentioned: [],
      files: [],
      reactionCounts: [],
      hiddenReactions: [],
      replyIsForAll: false,
    }),
    leftAt: null,
  };
  if (fileIds.length === 0 && mentionedIds.length === 0) return message;
  const [read] = await messageById(db, [message.id], () => viewer);
  return read ? { ...read, leftAt: null } : message;
}

/** The message that was sent by this `clientMessageId` before, or why this one cannot be; null: nothing stands against it now. */
async function firstOrRefusal(tx: Transaction, viewer: Viewer, said: Wish): Promise<Message | null> {
  const visit = await visitChat(tx, viewer, said.chatId);
  const first = await firstOf(tx, viewer, said);
  if (!first) await refuseWish(tx, visit, said);
  return first;
}

/** Refuses what may not be said, or not by this viewer, as the statement does. @throws Forbidden, InvalidInput, InvalidState */
export async function refuseWish(tx: Transaction, visit: Visit, said: Omit<Wish, 'chatId'>): Promise<void> {
  const { own, chat, viewer } = visit;
  demandWriting(visit);
  capacityFor(own, said);
  if (isStressed(said) && (!canStress(own) || (said.capacity ?? 'EMPLOYEE') !== 'EMPLOYEE'))
    throw new Forbidden('FORBIDDEN_CHAT_STAFF');
  if (said.priority === 'URGENT' && !canDisturb(viewer, chat, own)) throw new Forbidden('FORBIDDEN_LEADERS');
  await refuseContent(tx, visit, said);
}

type Stress = Pick<Wish, 'priority' | 'acknowledgementRequired'>;

/** Says more than a message of families may. */
export const isStressed = ({ priority = 'NORMAL', acknowledgementRequired = false }: Partial<Stress>): boolean =>
  priority !== 'NORMAL' || acknowledgementRequired;

/** As what somebody speaks: as they wish, else as the last time here, else as an employee. @throws Forbidden, InvalidInput */
export function capacityFor(own: Own, { capacity: wanted, ...said }: Pick<Wish, 'capacity'> & Partial<Stress>): Role {
  if (wanted && !own.capacities.includes(wanted)) throw new InvalidInput('capacity', 'INVALID_CAPACITY');
  const last = isStressed(said) ? null : own.capacities.find((capacity) => capacity === own.capacity);
  const capacity = wanted ?? last ?? own.capacities.toSorted()[0];
  if (!capacity) throw new Forbidden('FORBIDDEN_LEFT_CHAT');
  return capacity;
}

/** @throws InvalidInput */
export function demandContent({ text, fileIds }: Pick<Wish, 'text' | 'fileIds'>): void {
  if (!text && fileIds.length === 0) throw new InvalidInput('text', 'INVALID_EMPTY_MESSAGE');
}

export async function firstOf(
  tx: Transaction,
  viewer: Viewer,
  said: Pick<Wish, 'chatId' | 'clientMessageId'>,
): Promise<Message | null> {
  const [known] = await tx
    .select({ id: messages.id })
    .from(messages)
    .where(
      and(
        eq(messages.authorId, viewer.userId),
        eq(messages.chatId, said.chatId),
        eq(messages.clientMessageId, said.clientMessageId),
      ),
    );
  const [first] = known ? await messageById(tx, [known.id], () => viewer) : [];
  return first ?? null;
}

/** Names what of a message cannot be said here. */
async function refuseContent(
  tx: Transaction,
  { viewer, chat, own }: Visit,
  { replyToId, mentionedIds, fileIds }: Pick<Wish, 'replyToId' | 'mentionedIds' | 'fileIds'>,
): Promise<void> {
  const [answered] = replyToId ? await messageById(tx, [replyToId], () => viewer) : [];
  if (replyToId && !(answered?.state === 'SENT' && answered.chatId === chat.id && canSeeMessage(viewer, answered, own)))
    throw new InvalidInput('replyToId', 'INVALID_REPLY');
  const { audienceId, organizationId } = chat;
  const among = { ...meeterOf(viewer), audienceId, organizationId, userIds: mentionedIds };
  const present = mentionedIds.length === 0 ? [] : await metAmong(tx, among);
  if (present.length < mentionedIds.length) throw new InvalidInput('mentionedIds', 'INVALID_MENTION');
  const usable = await tx
    .select({ id: files.id })
    .from(files)
    .where(
      and(
        inArray(files.id, [...fileIds]),
        eq(files.uploaderId, viewer.userId),
        eq(files.state, 'READY'),
        isNull(files.ownerId),
      ),
    );
  if (usable.length < fileIds.length) throw new InvalidInput('fileIds', 'INVALID_FILE');
}

/** Who of some people takes part, as far as the viewer meets them. */
const metAmong = prepareRaw<
  { userId: string },
  Meeter & { audienceId: string; organizationId: string; userIds: readonly string[] }
>(sql`
  select distinct w.user_id as "userId" from audience_members w
  where w.audience_id = ${sql.placeholder('audienceId')}::uuid and w.until is null and w.user_id = any(${sql.placeholder('userIds')}::uuid[])
    and not (w.capacity = 'GUARDIAN' and ${hiddenFrom(sql`w.user_id`, sql`${sql.placeholder('organizationId')}::uuid`)})`);
