import { inserts } from '../database/chunks.ts';
import type { Transaction } from '../database/connect.ts';
import { auditEntries } from './tables.ts';

export interface Deed {
  /** What was done, as in the API's mutations: `invite.revoke`. */
  readonly action: string;
  /** The API's type of the thing it was done to. */
  readonly target: { readonly type: string; readonly id: string };
  readonly organizationId?: string | null;
  readonly before?: Record<string, unknown>;
  readonly after?: Record<string, unknown>;
  readonly reason?: string | null;
}

/** Writes down deeds in the transaction that does them. `actorId` null: the platform itself. */
export async function audit(tx: Transaction, actorId: string | null, ...deeds: readonly Deed[]): Promise<void> {
  const rows = deeds.map((deed) => ({
    actorId,
    organizationId: deed.organizationId ?? null,
    action: deed.action,
    targetType: deed.target.type,
    targetId: deed.target.id,
    before: deed.before,
    after: deed.after,
    reason: deed.reason ?? null,
  }));
  for (const some of inserts(rows)) await tx.insert(auditEntries).values(some);
}
