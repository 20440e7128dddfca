import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { assign } from '../assignments/commands.ts';
import { staffAssignments } from '../assignments/tables.ts';
import { settleAudiences } from '../audiences/commands.ts';
import { audit } from '../audit/commands.ts';
import { children } from '../children/tables.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { moveChildren } from '../enrollments/commands.ts';
import { Forbidden, InvalidInput, InvalidState } from '../errors.ts';
import { anyOf } from '../graphql/batches.ts';
import { canArrangeGroups } from '../groups/policy.ts';
import { type GroupRow, groups } from '../groups/tables.ts';
import { academicYear, line, order, prose, valid } from '../input.ts';
import { rehearse, transact } from '../log/append.ts';
import { type Decision, decided } from '../movements/commands.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { foundGroup, putAway, recordGroup } from '../structure/commands.ts';
import type { Viewer } from '../viewer.ts';
import { type AcademicYearRollover, academicYearRollovers, type GroupRollover } from './tables.ts';

const Rollover = z.object({
  organizationId: z.string(),
  fromYear: academicYear,
  groups: z
    .array(
      z.object({
        groupId: z.string(),
        outcome: z.enum(['CONTINUE', 'GRADUATE']),
        name: line(100)
          .nullish()
          .transform((value) => value ?? null),
      }),
    )
    .max(500)
    .nullish()
    .transform((value) => value ?? []),
  order: order.nullish().transform((value) => value ?? null),
  note: prose(500),
  dryRun: z.boolean(),
});
type Wish = z.output<typeof Rollover>;

/**
 * Takes an organization into its next academic year, all of it or nothing (§2.1.12): every active group of the old year goes
 * on as a new one, or its children graduate; children, staff, plans and open invites follow, and the old groups are
 * archived. A repeat returns what the first did; a dry run does all the same and undoes it.
 * @throws NotFound, Forbidden, InvalidInput, InvalidState, GroupNameTaken
 */
export async function rolloverAcademicYear(
  db: Database,
  viewer: Viewer,
  input: unknown,
): Promise<AcademicYearRollover> {
  const wish = valid(Rollover, input);
  return (wish.dryRun ? rehearse : transact)(db, (tx) => rollOver(tx, viewer, wish));
}

async function rollOver(tx: Transaction, viewer: Viewer, wish: Wish): Promise<AcademicYearRollover> {
  const { organization, viewer: fresh } = await enterOrganization(tx, viewer, wish.organizationId);
  if (!canArrangeGroups(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
  const [first] = await tx
    .select()
    .from(academicYearRollovers)
    .where(
      and(eq(academicYearRollovers.organizationId, organization.id), eq(academicYearRollovers.fromYear, wish.fromYear)),
    );
  const ending = await groupsOfYear(tx, organization, wish.fromYear);
  if (ending.length === 0) {
    if (first) return first;
    throw new InvalidState('NO_GROUPS');
  }
  const toYear = yearAfter(wish.fromYear);
  const { successors, made } = await foundSuccessors(tx, organization, ending, toYear, wish);
  const decision = decided(organization, viewer.userId, { effectiveOn: null, order: wish.order, note: wish.note });
  const moved = await moveEverybody(tx, organization, successors, decision);
  await redirect(tx, organization, successors);
  // Parts before the whole they belong to.
  for (const group of ending.toReversed()) await putAway(tx, organization, fresh, group);
  await settleAudiences(tx, organization.id, 'everybody');
  for (const group of made) await recordGroup(tx, fresh, group, 'GROUP_CREATED', { action: 'group.create' });
  return record(tx, fresh, organization, {
    fromYear: wish.fromYear,
    toYear,
    groups: ending.map((group) => ({
      fromGroupId: group.id,
      fromName: group.name,
      toGroupId: successors.get(group.id)?.id ?? null,
      toName: successors.get(group.id)?.name ?? null,
      childCount: moved.children.get(group.id) ?? 0,
      staffCount: moved.staff.get(group.id) ?? 0,
    })),
  });
}

const yearAfter = (year: string): string => {
  const next = Number(year.slice(0, 4)) + 1;
  return `${next}/${String((next + 1) % 100).padStart(2, '0')}`;
};

/** The active groups of a year, each whole before its parts. */
async function groupsOfYear(tx: Transaction, { id }: Organization, year: string): Promise<GroupRow[]> {
  const found = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.organizationId, id), eq(groups.academicYear, year), eq(groups.state, 'ACTIVE')))
    .orderBy(groups.id);
  const parts = Map.groupBy(found, ({ parentId }) => parentId);
  const below = (parentId: string | null): GroupRow[] =>
    (parts.get(parentId) ?? []).flatMap((group) => [group, ...below(group.id)]);
  return below(null);
}

/** The group in which each goes on, made where there is none of that name yet; null for those that end here. */
async function foundSuccessors(
  tx: Transaction,
  organization: Organization,
  ending: readonly GroupRow[],
  toYear: string,
  { groups: wishes }: Wish,
): Promise<{ successors: Map<string, GroupRow | null>; made: GroupRow[] }> {
  const known = new Set(ending.map(({ id }) => id));
  if (wishes.some(({ groupId }) => !known.has(groupId))) throw new InvalidInput('groups', 'INVALID_ROLLOVER_GROUP');
  const wished = new Map(wishes.map((wish) => [wish.groupId, wish]));
  const there = new Map((await groupsOfYear(tx, organization, toYear)).map((group) => [group.name, group]));
  const successors = new Map<string, GroupRow | null>();
  const made: GroupRow[] = [];
  for (const group of ending) {
    const wish = wished.get(group.id);
    if (wish?.outcome === 'GRADUATE') {
      successors.set(group.id, null);
      continue;
    }
    const name = wish?.name ?? group.name;
    const parentId = successors.get(group.parentId ?? '')?.id ?? null;
    const { kind } = group;
    let successor = there.get(name);
    if (!successor) {
      const wanted = { name, parentId, kind, academicYear: toYear, idempotencyKey: null };
      successor = await foundGroup(tx, organization, wanted);
      made.push(successor);
    }
    there.set(name, successor);
    successors.set(group.id, successor);
  }
  return { successors, made };
}

/** Children go on or graduate, staff go on with them; how many of each, by the group they come from. */
async function moveEverybody(
  tx: Transaction,
  organization: Organization,
  successors: ReadonlyMap<string, GroupRow | null>,
  decision: Decision,
) {
  const from = [...successors.keys()];
  const enrolled = await tx
    .select({ childId: children.id, groupId: children.groupId })
    .from(children)
    .where(anyOf(children.groupId, from));
  const place = (groupId: string | null) => successors.get(groupId ?? '')?.id ?? null;
  await moveChildren(
    tx,
    organization,
    enrolled.map(({ childId, groupId }) => {
      const toGroupId = place(groupId);
      return { ...decision, childId, toGroupId, kind: toGroupId ? 'TRANSFERRED' : 'GRADUATED' };
    }),
  );
  const assigned = await tx
    .select()
    .from(staffAssignments)
    .where(and(anyOf(staffAssignments.groupId, from), isNull(staffAssignments.endedOn)));
  await assign(
    tx,
    organization,
    assigned.flatMap(({ membershipId: id, userId, groupId: left, position }) => {
      const groupId = place(left);
      return groupId ? [{ groupId, position, membership: { id, userId }, decision }] : [];
    }),
  );
  return { children: countBy(enrolled), staff: countBy(assigned) };
}

function countBy(moved: readonly { readonly groupId: string | null }[]): Map<string | null, number> {
  return new Map([...Map.groupBy(moved, ({ groupId }) => groupId)].map(([id, all]) => [id, all.length]));
}

/** What is planned or open for a group that goes on, is for the group in which it goes on. */
async function redirect(
  tx: Transaction,
  { id: organizationId }: Organization,
  successors: ReadonlyMap<string, GroupRow | null>,
): Promise<void> {
  const pairs = [...successors].flatMap(([from, to]) => (to ? [[from, to.id] as const] : []));
  const moved = sql`unnest(
    ${sql.param(pairs.map(([from]) => from))}::uuid[], ${sql.param(pairs.map(([, to]) => to))}::uuid[]) m (old, new)`;
  await tx.execute(sql`
    update planned_movements p set to_group_id = m.new from ${moved}
    where p.organization_id = ${organizationId} and p.state = 'PLANNED' and p.to_group_id = m.old`);
  await tx.execute(sql`
    update planned_movements p set from_group_id = m.new from ${moved}
    where p.organization_id = ${organizationId} and p.state = 'PLANNED' and p.from_group_id = m.old`);
  await tx.execute(sql`
    update invites i set group_id = m.new from ${moved}
    where i.organization_id = ${organizationId} and i.revoked_at is null and i.group_id = m.old`);
  await tx.execute(sql`
    update staff_records r set group_ids = array(
      select distinct coalesce((select m.new from ${moved} where m.old = g), g) from unnest(r.group_ids) g)
    where r.organization_id = ${organizationId}`);
}

async function record(
  tx: Transaction,
  { userId }: Viewer,
  { id: organizationId }: Organization,
  made: Pick<AcademicYearRollover, 'fromYear' | 'toYear'> & { groups: readonly GroupRollover[] },
): Promise<AcademicYearRollover> {
  const [rollover] = await tx
    .insert(academicYearRollovers)
    .values({ ...made, organizationId, decidedBy: userId })
    // Groups that were taken into use again since have gone over now.
    .onConflictDoUpdate({
      target: [academicYearRollovers.organizationId, academicYearRollovers.fromYear],
      set: { groups: sql`${academicYearRollovers.groups} || excluded.groups` },
    })
    .returning();
  if (!rollover) throw new Error('insert returned no row');
  await audit(tx, userId, {
    action: 'academicYear.rollover',
    target: { type: 'Organization', id: organizationId },
    organizationId,
    before: { academicYear: made.fromYear },
    after: { academicYear: made.toYear, groupCount: made.groups.length },
  });
  return rollover;
}
