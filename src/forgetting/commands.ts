import { type SQL, sql } from 'drizzle-orm';
import { audit } from '../audit/commands.ts';
import { rows, type Transaction } from '../database/connect.ts';

/** What people write and can delete. */
export type Forgettable = 'Message' | 'Post' | 'Comment' | 'BroadcastQuestion' | 'Material';

/**
 * Where each kind's words lie besides the audit log. Named as text, for most of it stands on higher floors, and in one place, so
 * that it can be read and checked: `test/forgetting.test.ts` looks through every column of the database for what was deleted.
 */
const words: Readonly<Record<Forgettable, (id: string) => readonly SQL[]>> = {
  Message: (id) => [
    sql`update messages set text = '', mentions = '{}' where id = ${id}`,
    sql`delete from message_revisions where message_id = ${id}`,
    ...pollsOf(sql`message_id = ${id}`),
  ],
  Post: (id) => [
    sql`update posts set text = '' where id = ${id}`,
    sql`update post_steps set text = null, note = null where post_id = ${id} and (text is not null or note is not null)`,
    sql`update comments set text = '', reason = null where post_id = ${id}`,
    ...pollsOf(sql`post_id = ${id}`),
  ],
  Comment: (id) => [sql`update comments set text = '', reason = null where id = ${id}`],
  BroadcastQuestion: (id) => [sql`update broadcast_questions set text = '', answer = null where id = ${id}`],
  Material: (id) => [sql`update materials set title = '', description = null where id = ${id}`],
};

const pollsOf = (which: SQL): readonly SQL[] => [
  sql`update poll_options set text = '' where poll_id in (select id from polls where ${which})`,
  sql`update polls set question = '' where ${which}`,
];

/** What goes with a thing and is written down in the audit log by itself. */
const parts: Readonly<Partial<Record<Forgettable, (id: string) => SQL>>> = {
  Message: (id) => sql`select id from polls where message_id = ${id}`,
  Post: (id) => sql`select id from polls where post_id = ${id} union all select id from comments where post_id = ${id}`,
};

/**
 * Forgets for good what a thing says, or ever said, in the transaction that deletes it: its own words, its earlier ones, what goes
 * with it, and what the audit log quotes. That something was done, by whom and when stays there.
 */
export async function forget(
  tx: Transaction,
  actorId: string,
  { type, id, organizationId }: { readonly type: Forgettable; readonly id: string; readonly organizationId: string },
): Promise<void> {
  for (const statement of words[type](id)) await tx.execute(statement);
  const part = parts[type]?.(id);
  const emptied = await rows(
    tx,
    sql`
    update audit_entries set before = null, after = null, reason = null
    where target_id = any(array(select ${id}::uuid ${part ? sql`union all ${part}` : sql``}))
      and (before is not null or after is not null or reason is not null)
    returning id`,
  );
  if (emptied.length === 0) return;
  const after = { entryCount: emptied.length };
  await audit(tx, actorId, { action: 'audit.forget', target: { type, id }, organizationId, after });
}
