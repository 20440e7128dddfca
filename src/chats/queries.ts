import { type SQL, sql } from 'drizzle-orm';
import { personIn } from '../accounts/queries.ts';
import type { PersonName } from '../accounts/tables.ts';
import type { Database, Executor } from '../database/connect.ts';
import { prepareRaw, unseen } from '../database/statements.ts';
import { byId } from '../graphql/batches.ts';
import type { Page } from '../graphql/connections.ts';
import type { Batch, Context } from '../graphql/context.ts';
import type { Role, Viewer } from '../viewer.ts';
import { canReadChat, type Presence, type Stretch, takesPart } from './policy.ts';
import { type ChatRow, chats } from './tables.ts';

/** Chats by their ids, whoever asks. */
export const chatById = byId(chats);

/** What a chat is to the viewer: their part in it, and what they keep for themselves about it. */
export interface Own extends Presence {
  /** The number of the last message that they may read; 0: none. */
  readonly lastNumber: number;
  /** The number behind which they came, or came again: nothing before counts as unread. */
  readonly joinedAfter: number;
  readonly readThrough: number;
  /** As what they wrote here last. */
  readonly capacity: string | null;
  readonly draft: string | null;
  readonly isMuted: boolean;
  readonly mutedUntil: Date | null;
  /** Of a DIRECT chat: who the other is. */
  readonly counterpart: PersonName | null;
  readonly isOrphaned: boolean;
  /** When they went, as Postgres has it; null: they take part. What they read of it stands as it stood then. */
  readonly leftAt: string | null;
}

/** A chat, with what it is to the viewer where that has been read. */
export interface Chat extends ChatRow {
  readonly own?: Own;
}

interface Stay {
  readonly capacity: Role;
  readonly after: number;
  readonly through: number | null;
  readonly isOpen: boolean;
  readonly until: string | null;
}

export type FoundChat = ChatRow & {
  createdAt: string;
  stays: Stay[];
  isMuted: boolean;
  mutedUntil: string | null;
} & Omit<Own, keyof Presence | 'mutedUntil' | 'lastNumber' | 'joinedAfter' | 'leftAt'>;

const userId = unseen('userId', 'uuid');
const standings = unseen('standings', 'text[]');

/**
 * Whether an interval of the viewer's (`m`) in a chat (`c`) counts: what lasts, and what is over while they are a member in the
 * capacity that they had: one that may write, as `standings` says. Of a group's chat a guardian keeps it only while they are one
 * of a child who was in the group.
 */
export const counts = sql`(m.until is null or (
  (c.organization_id::text || ':' || m.capacity) = any(${standings})
  and (m.capacity <> 'GUARDIAN' or c.kind <> 'GROUP_GUARDIANS' or exists (
    select from guardian_links l join enrollments e on e.child_id = l.child_id
    where l.user_id = m.user_id and l.state = 'ACTIVE' and e.group_id = c.group_id))))`;

/** When the viewer took part: what lasts, and what is over, each by the index that holds it and not all of their chats. */
const stays = sql`
  select m.capacity, m.since_number as after, m.until_number as through, m.until is null as "isOpen", m.until from (
    select * from audience_members o where o.audience_id = c.audience_id and o.user_id = ${userId} and o.until is null
    union all
    select * from audience_members o where o.audience_id = c.audience_id and o.user_id = ${userId} and o.until is not null
  ) m
  where ${counts}
  order by m.since_number`;

/** Who made it is counted among its staff, because Postgres may answer «not exists» by reading everybody's rows. */
const chatsSeen = (among: SQL): SQL => sql`
  select c.id, c.organization_id as "organizationId", c.kind, c.group_id as "groupId", c.name, c.state,
    c.history_visibility as "historyVisibility", c.audience_id as "audienceId", c.creator_id as "creatorId", c.pair,
    c.idempotency_key as "idempotencyKey", c.last_number as "lastNumber", c.place, c.created_at as "createdAt",
    (select coalesce(json_agg(s), '[]') from (${stays}) s) as stays,
    coalesce(k.read_through, 0) as "readThrough", k.capacity, k.draft,
    k.muted_at is not null and coalesce(k.muted_until > now(), true) as "isMuted", k.muted_until as "mutedUntil",
    case when c.kind = 'DIRECT' then (
      select ${personIn(sql`o.user_id`, sql`c.organization_id`)}
      from chat_members o
      where o.chat_id = c.id and o.left_at is null and o.user_id <> ${userId} limit 1) end as counterpart,
    c.kind = 'CUSTOM' and (
      select count(*) from audience_members m
      where m.audience_id = c.audience_id and m.user_id = c.creator_id and m.capacity = 'EMPLOYEE' and m.until is null
    ) = 0 as "isOrphaned"
  from chats c left join chat_marks k on k.chat_id = c.id and k.user_id = ${userId}
  ${among}`;

export interface Asker extends Record<string, unknown> {
  readonly userId: string;
  readonly standings: readonly string[];
}

/** What of the viewer decides which chats are theirs. */
export const askerOf = ({ userId: id, standings: all }: Viewer): Asker => ({
  userId: id,
  standings: all
    .filter(({ role, verified, administrator }) => role !== 'EMPLOYEE' || verified || administrator)
    .map(({ organizationId, role }) => `${organizationId}:${role}`),
});

/** A chat as the viewer sees it, for a column of another statement; {@link asChat} takes it. */
export const chatAsJson = (id: SQL): SQL =>
  sql`(select to_json(seen) from (${chatsSeen(sql`where c.id = ${id}`)}) seen)`;

const seenByIds = prepareRaw<FoundChat, Asker & { ids: readonly string[] }>(
  chatsSeen(sql`where c.id = any(${unseen('ids', 'uuid[]')})`),
);

export function asChat({ stays: found, isMuted, mutedUntil, ...row }: FoundChat): Chat & { own: Own } {
  const { readThrough, capacity, draft, counterpart, isOrphaned, ...chat } = row;
  const open = found.filter(({ isOpen }) => isOpen);
  const stretches: Stretch[] = found.map(({ after, through }) => ({
    after: chat.historyVisibility === 'ALL' ? 0 : after,
    through,
  }));
  const last = stretches.reduce((latest, { after, through }) => {
    const end = through ?? chat.lastNumber;
    return end > after ? Math.max(latest, end) : latest;
  }, 0);
  const own: Own = {
    capacities: open.map((stay) => stay.capacity),
    stretches,
    lastNumber: last,
    joinedAfter: arrival(found, chat.lastNumber),
    readThrough,
    capacity,
    draft,
    isMuted,
    mutedUntil: isMuted && mutedUntil ? new Date(mutedUntil) : null,
    counterpart,
    isOrphaned,
    leftAt: open.length > 0 ? null : lastOf(found),
  };
  return { ...chat, createdAt: new Date(chat.createdAt), own };
}

/** When the last stay ended. Postgres writes them all in one form and zone, so that texts compare as moments. */
const lastOf = (found: readonly Stay[]): string | null =>
  found.reduce<string | null>((last, { until }) => (until && until > (last ?? '') ? until : last), null);

/** Behind which number somebody came who has been there since, though perhaps not always in the same capacity. */
function arrival(found: readonly Stay[], lastNumber: number): number {
  const since = Math.min(lastNumber, ...found.filter(({ isOpen }) => isOpen).map(({ after }) => after));
  return found.reduceRight(
    (first, { after, through }) => (after < first && (through === null || through >= first) ? after : first),
    since,
  );
}

/** Chats as the viewer sees them; null: absent, or not for them. */
export const seenChat: Batch<string, (Chat & { own: Own }) | null> = async (db, ids, viewer) => {
  const found = new Map(
    (await seenByIds(db, { ...askerOf(viewer()), ids: [...ids] })).map((row) => [row.id, asChat(row)]),
  );
  return ids.map((id) => {
    const chat = found.get(id);
    return chat && canReadChat(chat.own) ? chat : null;
  });
};

/** What a chat is to the viewer who is looking at it. */
export async function ownOf(ctx: Context, chat: Pick<Chat, 'id' | 'own'>): Promise<Own> {
  if (chat.own) return chat.own;
  return (await ctx.load(seenChat, chat.id))?.own ?? absent;
}

const absent: Own = {
  capacities: [],
  stretches: [],
  lastNumber: 0,
  joinedAfter: 0,
  readThrough: 0,
  capacity: null,
  draft: null,
  isMuted: false,
  mutedUntil: null,
  counterpart: null,
  isOrphaned: false,
  leftAt: null,
};

/** How many messages the viewer has not read since they came: by their numbers, for there are no gaps. */
export const unreadIn = (own: Own): number =>
  takesPart(own) ? Math.max(0, own.lastNumber - Math.max(own.readThrough, own.joinedAfter)) : 0;

/** Whether whoever looks sees a chat. */
export const seesChat = (ctx: Context, { id, audienceId }: Pick<Chat, 'id' | 'audienceId'>): Promise<boolean> =>
  ctx.belongs(audienceId, async () => (await ctx.load(seenChat, id)) !== null);

/** Which of the viewer's chats. */
export interface ChatFilter {
  readonly organizationId: string | null;
  readonly kind: ChatRow['kind'] | null;
  /** Those in which they took part once, and no longer. */
  readonly past: boolean;
}

const filter = {
  organizationId: sql`${sql.placeholder('organizationId')}::uuid`,
  kind: sql`${sql.placeholder('kind')}::chat_kind`,
  after: sql`${sql.placeholder('after')}::uuid`,
  before: sql`${sql.placeholder('before')}::uuid`,
};

const among = (past: boolean): SQL => sql`
  where c.audience_id in (
      select m.audience_id from audience_members m
      where m.user_id = ${userId} and m.until is ${past ? sql`not` : sql``} null)
    ${
      past
        ? sql`and exists (${stays}) and not exists (
            select from audience_members m where m.audience_id = c.audience_id and m.user_id = ${userId} and m.until is null)`
        : sql``
    }
    and (${filter.organizationId} is null or c.organization_id = ${filter.organizationId})
    and (${filter.kind} is null or c.kind = ${filter.kind})`;

type PageValues = Asker & Omit<ChatFilter, 'past'> & { after: string | null; before: string | null; limit: number };

/** Who left a chat is not told by its place when something is said there: those chats stand in the order of their creation. */
const orderOf = (past: boolean) => sql.raw(past ? 'c.id' : 'c.place');

const pageStatement = (past: boolean, inverted: boolean) =>
  prepareRaw<FoundChat, PageValues>(
    chatsSeen(sql`${among(past)}
      and (${filter.after} is null or ${orderOf(past)} < ${filter.after})
      and (${filter.before} is null or ${orderOf(past)} > ${filter.before})
    order by ${orderOf(past)} ${sql.raw(inverted ? 'asc' : 'desc')} limit ${sql.placeholder('limit')}::int`),
  );

const pages = {
  current: { forth: pageStatement(false, false), back: pageStatement(false, true) },
  past: { forth: pageStatement(true, false), back: pageStatement(true, true) },
};

/** A page of the viewer's chats, where something was said last first. */
export async function pageOfChats(db: Database, viewer: Viewer, wanted: ChatFilter, page: Page): Promise<Chat[]> {
  const { past, ...rest } = wanted;
  const { [page.inverted ? 'back' : 'forth']: read } = pages[past ? 'past' : 'current'];
  const { after = null, before = null, limit } = page;
  return (await read(db, { ...askerOf(viewer), ...rest, after, before, limit })).map(asChat);
}

export const cursorOfChat = (past: boolean) => (chat: ChatRow) => (past ? chat.id : chat.place);

const sizes = {
  current: prepareRaw<{ size: number }, Asker & Omit<ChatFilter, 'past'>>(
    sql`select count(*)::int as size from chats c ${among(false)}`,
  ),
  past: prepareRaw<{ size: number }, Asker & Omit<ChatFilter, 'past'>>(
    sql`select count(*)::int as size from chats c ${among(true)}`,
  ),
};

export async function sizeOfChats(db: Database, viewer: Viewer, { past, ...rest }: ChatFilter): Promise<number> {
  const [counted] = await sizes[past ? 'past' : 'current'](db, { ...askerOf(viewer), ...rest });
  return counted?.size ?? 0;
}

/** A chat as a command's viewer sees it, on fresh rows; null: absent, or not for them. */
export async function chatWithin(tx: Executor, viewer: Viewer, chatId: string): Promise<(Chat & { own: Own }) | null> {
  const [found] = await seenByIds(tx, { ...askerOf(viewer), ids: [chatId] });
  const chat = found && asChat(found);
  return chat && canReadChat(chat.own) ? chat : null;
}
