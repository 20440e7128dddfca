import { and, eq, gte, lt, type SQL } from 'drizzle-orm';
import { auditEntries } from '../audit/tables.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { canReadAuditLog } from './policy.ts';

export type AuditEntry = typeof auditEntries.$inferSelect;

export const auditEntryById = byId(auditEntries);

export interface AuditFilter {
  readonly action?: string | null;
  readonly actorId?: string | null;
  readonly target?: { readonly typename: string; readonly id: string } | null;
  readonly since?: string | null;
  readonly until?: string | null;
}

const filtered = ({ action, actorId, target, since, until }: AuditFilter): SQL | undefined =>
  and(
    action ? eq(auditEntries.action, action) : undefined,
    actorId ? eq(auditEntries.actorId, actorId) : undefined,
    target ? and(eq(auditEntries.targetId, target.id), eq(auditEntries.targetType, target.typename)) : undefined,
    since ? gte(auditEntries.createdAt, new Date(since)) : undefined,
    until ? lt(auditEntries.createdAt, new Date(until)) : undefined,
  );

/** What was done in organizations whose audit log the viewer may read. */
export const auditOf = listsOf(auditEntries, auditEntries.organizationId, (filter: AuditFilter, viewer) =>
  and(
    filtered(filter),
    anyOf(
      auditEntries.organizationId,
      viewer.organizationsWhere((id) => canReadAuditLog(viewer, id)),
    ),
  ),
);

/** What people did themselves, for themselves. */
export const actionsOf = listsOf(auditEntries, auditEntries.actorId, filtered);
