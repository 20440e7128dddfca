import { sql } from 'drizzle-orm';
import type { Met } from '../audiences/policy.ts';
import { ownOf } from '../chats/queries.ts';
import { prepareRaw } from '../database/statements.ts';
import type { Batch, Context } from '../graphql/context.ts';

/** What of a message changes later, as somebody left it who went away from its chat. */
export interface Past {
  readonly leftAt: string;
  /** Null: it says the same today. */
  readonly text: string | null;
  readonly editedAt: string | null;
  readonly reactionCounts: readonly { readonly emoji: string; readonly count: number }[];
  /** Those of them that not everybody may know of, each with what decides who meets whom. */
  readonly hiddenReactions: readonly (Omit<Met, 'organizationId'> & { readonly emoji: string })[];
}

interface PastKey {
  readonly id: string;
  readonly leftAt: string;
}

const pasts = prepareRaw<Omit<Past, 'leftAt'>, { ids: readonly string[]; moments: readonly string[] }>(sql`
  select
    (select r.text from message_revisions r
      where r.message_id = p.id and r.created_at > p.left_at order by r.id limit 1) as text,
    (select max(r.created_at)::text from message_revisions r
      where r.message_id = p.id and r.created_at <= p.left_at) as "editedAt",
    (select coalesce(json_agg(json_build_object('emoji', r.emoji, 'count', r.size) order by r.size desc, r.emoji), '[]')
      from (select emoji, count(*)::int as size from message_reactions
        where message_id = p.id and created_at <= p.left_at group by emoji) r) as "reactionCounts",
    (select coalesce(json_agg(json_build_object('emoji', r.emoji, 'userId', r.user_id, 'limitedIn', (
        select json_agg(h.group_id) from hidden_people h
        where h.user_id = r.user_id and h.organization_id = c.organization_id))), '[]')
    from message_reactions r where r.message_id = p.id and r.created_at <= p.left_at and exists (
      select from hidden_people h where h.user_id = r.user_id and h.organization_id = c.organization_id offset 0)
  ) as "hiddenReactions"
  from unnest(${sql.placeholder('ids')}::uuid[], ${sql.placeholder('moments')}::timestamptz[])
    with ordinality p (id, left_at, place)
  join messages m on m.id = p.id join chats c on c.id = m.chat_id
  order by p.place`);

/** Messages as they stood when somebody left. */
export const pastOf: Batch<PastKey, Past | null> = async (db, keys) => {
  const values = { ids: keys.map(({ id }) => id), moments: keys.map(({ leftAt }) => leftAt) };
  const found = await pasts(db, values);
  return keys.map(({ leftAt }, index) => {
    const past = found[index];
    return past ? { ...past, leftAt } : null;
  });
};

/** A message, and where it was said; `leftAt` where it has been read whether whoever looks has left. */
interface Left {
  readonly id: string;
  readonly chatId: string;
  readonly number: number | null;
  readonly audienceId: string;
  readonly leftAt?: string | null;
}

/** How whoever looks left a message behind; null: they take part where it was said, and see it as it is. */
export async function asLeft(ctx: Context, message: Left): Promise<Past | null> {
  const { id, chatId, number, audienceId } = message;
  if (number === null || message.leftAt === null) return null;
  const leftAt = async () => message.leftAt ?? (await ownOf(ctx, { id: chatId })).leftAt;
  if (await ctx.belongs(audienceId, async () => (await leftAt()) === null)) return null;
  const moment = await leftAt();
  return moment ? ctx.load(pastOf, { id, leftAt: moment }) : null;
}
