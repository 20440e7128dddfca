import { and, eq, ne, or, type SQL, sql } from 'drizzle-orm';
import { children, guardianLinks } from '../children/tables.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';

// Named in full: where one table is read, Drizzle leaves its name out, and the columns would be those of `h`.
const isHidden = sql<boolean>`exists (
  select from hidden_people h
  where h.user_id = guardian_links.user_id and h.organization_id = guardian_links.organization_id)`;

/** The group of a link's child decides who of the staff may see it, and `isHidden` who else, so they are read with each. */
const place = {
  groupId: sql<string | null>`(
    select c.group_id from ${children} c where c.id = ${guardianLinks.childId})`.as('group_id'),
  isHidden: isHidden.as('is_hidden'),
};

/**
 * How a new link of somebody shows them to other families: who is LIMITED for one child of an organization, also one that
 * is not theirs any more, stays so for all that come. `setGuardianContactVisibility` alone makes it FULL.
 */
export const visibilityOf = (userId: SQL, organizationId: SQL): SQL => sql`(
  select case when coalesce(bool_or(latest.contact_visibility = 'LIMITED'), false) then 'LIMITED' else 'FULL' end
  from (
    select distinct on (l.child_id) l.contact_visibility from guardian_links l
    where l.user_id = ${userId} and l.organization_id = ${organizationId} order by l.child_id, l.id desc
  ) latest)::contact_visibility`;

export const guardianLinkById = byId(guardianLinks, place);

/** Who stands for children, as far as the viewer may know: `canSeeGuardianLink`, for a list. */
export const guardiansOf = listsOf(
  guardianLinks,
  guardianLinks.childId,
  ({ includeRevoked }: { includeRevoked: boolean }, viewer) => {
    const kept = or(
      anyOf(
        guardianLinks.organizationId,
        viewer.organizationsWhere((id) => viewer.leads(id)),
      ),
      sql`exists (select from ${children} c
        where c.id = ${guardianLinks.childId} and c.group_id = any(${sql.param(viewer.groupsTaught)}::uuid[]))`,
    );
    return and(
      includeRevoked ? undefined : ne(guardianLinks.state, 'REVOKED'),
      or(
        kept,
        eq(guardianLinks.userId, viewer.userId),
        and(
          anyOf(
            guardianLinks.childId,
            viewer.standings.flatMap(({ childIds }) => childIds),
          ),
          eq(guardianLinks.state, 'ACTIVE'),
          sql`not ${isHidden}`,
        ),
      ),
    );
  },
  place,
);
