import { and, eq, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { Executor } from '../database/connect.ts';
import { contains } from '../database/contains.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { type Page, paged } from '../graphql/connections.ts';
import type { Viewer } from '../viewer.ts';
import { children, enrollments, guardianLinks } from './tables.ts';

export const childById = byId(children);

export interface ChildFilter {
  readonly enrolled: boolean | null;
  readonly search: string | null;
}

const filtered = ({ enrolled, search }: ChildFilter): SQL | undefined =>
  and(
    enrolled === null ? undefined : enrolled ? isNotNull(children.groupId) : isNull(children.groupId),
    search
      ? contains(sql`concat_ws(' ', ${children.familyName}, ${children.givenName}, ${children.patronymic})`, search)
      : undefined,
  );

/** `canKeepRecord`, for a list. */
const keptBy = (viewer: Viewer): SQL | undefined =>
  or(
    anyOf(
      children.organizationId,
      viewer.organizationsWhere((id) => viewer.leads(id)),
    ),
    anyOf(children.groupId, viewer.groupsTaught),
  );

/** The children of organizations, as far as the viewer looks after them. */
export const childrenOf = listsOf(children, children.organizationId, (filter: ChildFilter, viewer) =>
  and(filtered(filter), keptBy(viewer)),
);

/** The children in groups, as far as the viewer looks after them. */
export const childrenIn = listsOf(children, children.groupId, (_filter: null, viewer) => keptBy(viewer));

/** A page of some children, newest record first. */
export function childrenAmong(db: Executor, ids: readonly string[], page: Page) {
  const { where, orderBy, limit } = paged(children.id, page);
  return db
    .select()
    .from(children)
    .where(and(anyOf(children.id, ids), where))
    .orderBy(orderBy)
    .limit(limit);
}

/** A child's time in the institution; reached through a child that is visible. */
export const enrollmentsOf = listsOf(enrollments, enrollments.childId, (_filter: null) => undefined);

/** Whom a change of children concerns besides the institution: their guardians who have joined, and students themselves. */
export async function familiesOf(db: Executor, childIds: readonly string[]): Promise<Map<string, string[]>> {
  const links = await db
    .select({ childId: guardianLinks.childId, userId: guardianLinks.userId })
    .from(guardianLinks)
    .where(and(anyOf(guardianLinks.childId, childIds), eq(guardianLinks.state, 'ACTIVE')));
  const students = await db
    .select({ childId: children.id, userId: children.userId })
    .from(children)
    .where(and(anyOf(children.id, childIds), isNotNull(children.userId)));
  const found = Map.groupBy([...links, ...students], ({ childId }) => childId);
  return new Map(childIds.map((id) => [id, (found.get(id) ?? []).flatMap(({ userId }) => userId ?? [])]));
}
