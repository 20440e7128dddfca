import { type SQL, sql } from 'drizzle-orm';
import { type Asker, askerOf, counts } from '../chats/queries.ts';
import type { ChatRow } from '../chats/tables.ts';
import type { Database } from '../database/connect.ts';
import { prepareRaw, unseen } from '../database/statements.ts';
import { byId } from '../graphql/batches.ts';
import type { Page } from '../graphql/connections.ts';
import type { Batch, Context } from '../graphql/context.ts';
import type { Viewer } from '../viewer.ts';
import type { OwnPart } from './policy.ts';
import { type CallRow, calls } from './tables.ts';

/** A call with the chat that it is in. */
export type Call = CallRow & { readonly chat: Pick<ChatRow, 'kind' | 'audienceId'> };

/** Calls by their ids, whoever asks. */
export const callById = byId(calls, {
  chat: sql<Call['chat']>`(
    select json_build_object('kind', c.kind, 'audienceId', c.audience_id) from chats c where c.id = ${calls}.chat_id)`.as(
    'chat',
  ),
});

/** A call with what the viewer has done about it. */
export type SeenCall = Call & { readonly part: OwnPart };

type FoundCall = Omit<SeenCall, 'ringsUntil' | 'answeredAt' | 'endedAt' | 'createdAt'> & {
  readonly ringsUntil: string;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
  readonly createdAt: string;
};

const me = unseen('userId', 'uuid');

/** An interval of the viewer's (`m`) in the chat (`c`) that counts for them, and in which a call (`l`) went on. */
const present = sql`
  select from audience_members m
  where m.audience_id = c.audience_id and m.user_id = ${me} and m.since <= coalesce(l.ended_at, now())
    and (m.until is null or m.until > l.created_at) and ${counts}`;

const callsSeen = (among: SQL): SQL => sql`
  select l.id, l.organization_id as "organizationId", l.chat_id as "chatId", l.caller_id as "callerId", l.kind, l.state,
    l.rings_until as "ringsUntil", l.answered_at as "answeredAt", l.ended_at as "endedAt", l.idempotency_key as "idempotencyKey",
    l.created_at as "createdAt", json_build_object('kind', c.kind, 'audienceId', c.audience_id) as chat,
    json_build_object(
      'wasCalled', exists (${present} and m.since <= l.created_at),
      'hasAnswered', p.answered_at is not null,
      'hasDeclined', p.declined_at is not null,
      'isThere', p.admitted_at is not null and p.left_at is null,
      'hasStayed', exists (${present} and (m.until is null or m.until >= l.ended_at))) as part
  from calls l join chats c on c.id = l.chat_id
  left join participations p on p.room_id = l.id and p.user_id = ${me}
  where ${among} and exists (${present})`;

const asCall = ({ ringsUntil, answeredAt, endedAt, createdAt, ...row }: FoundCall): SeenCall => ({
  ...row,
  ringsUntil: new Date(ringsUntil),
  answeredAt: answeredAt ? new Date(answeredAt) : null,
  endedAt: endedAt ? new Date(endedAt) : null,
  createdAt: new Date(createdAt),
});

const seenByIds = prepareRaw<FoundCall, Asker & { ids: readonly string[] }>(
  callsSeen(sql`l.id = any(${unseen('ids', 'uuid[]')})`),
);

/** Calls as the viewer sees them: of their chats, while they took part; null: absent, or not for them. */
export const seenCall: Batch<string, SeenCall | null> = async (db, ids, viewer) => {
  const found = await seenByIds(db, { ...askerOf(viewer()), ids: [...ids] });
  const index = new Map(found.map((row) => [row.id, asCall(row)]));
  return ids.map((id) => index.get(id) ?? null);
};

/** Whether whoever looks sees a call. */
export const seesCall = (ctx: Context, { id, chat }: Pick<Call, 'id' | 'chat'>): Promise<boolean> =>
  ctx.belongs(chat.audienceId, async () => (await ctx.load(seenCall, id)) !== null);

const activeIn = prepareRaw<FoundCall, Asker & { chatIds: readonly string[] }>(
  callsSeen(sql`l.chat_id = any(${unseen('chatIds', 'uuid[]')}) and l.state in ('RINGING', 'ACTIVE')`),
);

/** The call that goes on in each chat, as the viewer sees it; null: none. */
export const activeCall: Batch<string, SeenCall | null> = async (db, chatIds, viewer) => {
  const found = await activeIn(db, { ...askerOf(viewer()), chatIds: [...chatIds] });
  const index = new Map(found.map((row) => [row.chatId, asCall(row)]));
  return chatIds.map((id) => index.get(id) ?? null);
};

/** Which of the viewer's calls. */
export interface CallFilter {
  readonly organizationId: string | null;
  readonly chatId: string | null;
  readonly missedOnly: boolean;
}

const given = (name: string, type: string): SQL => sql`${sql.placeholder(name)}::${sql.raw(type)}`;

/** `hasMissed`, for a list: of calls `l` in a chat `c`, about which the viewer did `p`. */
const missed = sql`(l.ended_at is not null and l.caller_id <> ${me} and exists (${present} and m.since <= l.created_at)
  and p.answered_at is null and p.declined_at is null)`;

/** Which of them people are told of: those of the last 30 days, over after they were last seen to. Ids tell when calls began. */
export const missedSince = (seenAt: SQL): SQL => sql`
  l.id > (select uuidv7(interval '-30 days')) and l.ended_at > coalesce(${seenAt}, '-infinity') and ${missed}`;

/** Of one chat, or of all in which the viewer takes part or did. */
const among = sql`
  c.audience_id in (select o.audience_id from audience_members o where o.user_id = ${me})
  and (${given('chatId', 'uuid')} is null or l.chat_id = ${given('chatId', 'uuid')})
  and (${given('organizationId', 'uuid')} is null or l.organization_id = ${given('organizationId', 'uuid')})
  and (not ${given('missedOnly', 'boolean')} or ${missed})`;

type PageValues = Asker & CallFilter & { after: string | null; before: string | null; limit: number };

const pageIn = (direction: 'asc' | 'desc') =>
  prepareRaw<FoundCall, PageValues>(sql`
    ${callsSeen(sql`${among}
      and (${given('after', 'uuid')} is null or l.id < ${given('after', 'uuid')})
      and (${given('before', 'uuid')} is null or l.id > ${given('before', 'uuid')})`)}
    order by l.id ${sql.raw(direction)} limit ${given('limit', 'int')}`);

const pages = { asc: pageIn('asc'), desc: pageIn('desc') };

/** A page of the viewer's calls, latest first. */
export async function pageOfCalls(db: Database, viewer: Viewer, filter: CallFilter, page: Page): Promise<SeenCall[]> {
  const { after = null, before = null, limit, inverted } = page;
  const found = await pages[inverted ? 'asc' : 'desc'](db, { ...askerOf(viewer), ...filter, after, before, limit });
  return found.map(asCall);
}

const counted = prepareRaw<{ size: number }, Asker & CallFilter>(
  sql`select count(*)::int as size from (${callsSeen(among)}) found`,
);

export async function sizeOfCalls(db: Database, viewer: Viewer, filter: CallFilter): Promise<number> {
  const [found] = await counted(db, { ...askerOf(viewer), ...filter });
  return found?.size ?? 0;
}
