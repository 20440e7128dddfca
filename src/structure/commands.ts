import { and, count, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import { release } from '../assignments/commands.ts';
import { staffAssignments } from '../assignments/tables.ts';
import { createAudience, settleAudiences } from '../audiences/commands.ts';
import { audit, type Deed } from '../audit/commands.ts';
import { createGroupChannel, updateGroupChannels } from '../channels/commands.ts';
import { createGroupChat, updateGroupChat } from '../chats/commands.ts';
import { children } from '../children/tables.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { constraintOf } from '../database/failures.ts';
import { DomainError, Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { canArrangeGroups, canSeeGroup } from '../groups/policy.ts';
import { type GroupRow, groupKind, groups } from '../groups/tables.ts';
import { academicYear, idempotencyKey, line, valid } from '../input.ts';
import { revokeInvitesInto } from '../invites/commands.ts';
import { append, transact } from '../log/append.ts';
import { decided } from '../movements/commands.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';

/** How many floors the tree may have: a whole, its parts, their parts … */
const maxDepth = 8;

/** Another active group of that academic year has the name. */
export class GroupNameTaken extends DomainError {
  readonly code = 'GROUP_NAME_TAKEN';
  constructor() {
    super('GROUP_NAME_TAKEN');
  }
}

/** There are still children or parts in the group. */
export class GroupNotEmpty extends DomainError {
  readonly code = 'GROUP_NOT_EMPTY';
  readonly childCount: number;
  readonly subgroupCount: number;
  constructor(childCount: number, subgroupCount: number) {
    super('GROUP_NOT_EMPTY', { childCount, subgroupCount });
    this.childCount = childCount;
    this.subgroupCount = subgroupCount;
  }
}

const name = line(100);
const kind = z.enum(groupKind.enumValues).exclude(['STAFF']);
const CreateGroup = z.object({
  organizationId: z.string(),
  parentId: z.string().nullish(),
  kind,
  name,
  academicYear,
  idempotencyKey,
});

/** Makes a group (§2.1.6), with its channel and its chat. @throws NotFound, Forbidden, InvalidInput, InvalidState, GroupNameTaken */
export async function createGroup(db: Database, viewer: Viewer, input: unknown): Promise<GroupRow> {
  const wish = valid(CreateGroup, input);
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, wish.organizationId);
    if (!canArrangeGroups(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (wish.parentId) await findParent(tx, wish, wish.parentId);
    const first = wish.idempotencyKey ? await groupByKey(tx, organization, wish.idempotencyKey) : null;
    if (first && (first.name !== wish.name || first.academicYear !== wish.academicYear))
      throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
    if (first) return first;
    const group = await foundGroup(tx, organization, { ...wish, parentId: wish.parentId ?? null });
    await settleAudiences(tx, organization.id, 'everybody');
    await recordGroup(tx, viewer, group, 'GROUP_CREATED', { action: 'group.create', after: { ...described(group) } });
    return group;
  });
}

async function groupByKey(tx: Transaction, { id }: Organization, key: string): Promise<GroupRow | null> {
  const [found] = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.organizationId, id), eq(groups.idempotencyKey, key)));
  return found ?? null;
}

/** A group with its audiences, its channel and its chat, empty of people. @throws GroupNameTaken */
export async function foundGroup(
  tx: Transaction,
  { id: organizationId }: Organization,
  wish: Pick<GroupRow, 'kind' | 'name' | 'academicYear' | 'parentId' | 'idempotencyKey'>,
): Promise<GroupRow> {
  // Asked for beforehand, because its audiences need it first.
  const [made] = await rows<{ id: string }>(tx, sql`select uuidv7() as id`);
  const id = made?.id ?? '';
  const { kind, name, academicYear, parentId, idempotencyKey } = wish;
  const [group] = await tx
    .insert(groups)
    .values({
      id,
      organizationId,
      kind,
      name,
      academicYear,
      parentId,
      idempotencyKey,
      audienceId: await createAudience(tx, organizationId, 'GROUP', id),
      staffAudienceId: await createAudience(tx, organizationId, 'GROUP_STAFF', id),
    })
    .returning()
    .catch(nameTaken);
  if (!group) throw new Error('insert returned no row');
  await createGroupChannel(tx, group);
  await createGroupChat(tx, group);
  return group;
}

/** Where people meet because of a group follows it. */
async function updatePlaces(tx: Transaction, before: GroupRow, group: GroupRow): Promise<void> {
  await updateGroupChannels(tx, before, group);
  await updateGroupChat(tx, before, group);
}

function nameTaken(error: unknown): never {
  if (constraintOf(error) === 'groups_name_key') throw new GroupNameTaken();
  throw error;
}

const described = ({ name, kind, academicYear, parentId }: GroupRow) => ({
  name,
  kind,
  academicYear,
  parentId: parentId && globalId('Group', parentId),
});

const UpdateGroup = z.object({ name, kind }).partial();

/** Renames a group or changes its kind; what is left out stays. @throws NotFound, Forbidden, InvalidInput, InvalidState, GroupNameTaken */
export async function updateGroup(db: Database, viewer: Viewer, groupId: string, input: unknown): Promise<GroupRow> {
  const changes = valid(UpdateGroup, input);
  return change(db, viewer, groupId, 'ACTIVE', async (tx, { group: before }) => {
    if (Object.keys(changes).length === 0) return before;
    const group = await update(tx, before, changes);
    await updatePlaces(tx, before, group);
    await recordGroup(tx, viewer, group, 'GROUP_UPDATED', {
      action: 'group.update',
      before: described(before),
      after: described(group),
    });
    return group;
  });
}

/**
 * Gives a group another place in the tree, or none; its parts go with it. Groups are moved one after the other, so no two
 * can become each other's part. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function moveGroup(
  db: Database,
  viewer: Viewer,
  groupId: string,
  parentId: string | null,
): Promise<GroupRow> {
  return change(db, viewer, groupId, 'ACTIVE', async (tx, { group: before }) => {
    if (before.parentId === parentId) return before;
    if (parentId) await findParent(tx, before, parentId, before.id);
    const group = await update(tx, before, { parentId });
    await recordGroup(tx, viewer, group, 'GROUP_MOVED', {
      action: 'group.move',
      before: described(before),
      after: described(group),
    });
    return group;
  });
}

/** @throws NotFound, InvalidInput unless a group may be part of another */
async function findParent(
  tx: Transaction,
  { organizationId, academicYear }: Pick<GroupRow, 'organizationId' | 'academicYear'>,
  parentId: string,
  groupId: string | null = null,
): Promise<void> {
  const [parent] = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.id, parentId), eq(groups.organizationId, organizationId)));
  if (!parent) throw new NotFound();
  if (parent.state !== 'ACTIVE') throw new InvalidInput('parentId', 'INVALID_ARCHIVED_GROUP');
  if (parent.academicYear !== academicYear) throw new InvalidInput('parentId', 'INVALID_ACADEMIC_YEAR');
  const [place] = await rows<{ circle: boolean; depth: number }>(
    tx,
    sql`
    with recursive wholes as (
      select id, parent_id, 1 as depth from groups where id = ${parentId}
      union all select g.id, g.parent_id, depth + 1 from groups g join wholes w on g.id = w.parent_id
    ), parts as (
      select id, 1 as depth from groups where id = ${groupId}
      union all select g.id, depth + 1 from groups g join parts p on g.parent_id = p.id
    )
    select exists (select from wholes where id = ${groupId}) as circle,
      (select max(depth) from wholes) + coalesce((select max(depth) from parts), 1) as depth`,
  );
  if (place?.circle) throw new InvalidInput('parentId', 'INVALID_CIRCLE');
  if (place && place.depth > maxDepth) throw new InvalidInput('parentId', 'INVALID_DEPTH', { max: maxDepth });
}

/**
 * Puts a group away: its invites are dead, its chat can only be read, its staff are released. Children and parts must have
 * gone elsewhere first. @throws NotFound, Forbidden, InvalidState, GroupNotEmpty
 */
export async function archiveGroup(db: Database, viewer: Viewer, groupId: string): Promise<GroupRow> {
  return change(db, viewer, groupId, null, async (tx, { group, organization, viewer: fresh }) => {
    if (group.state === 'ARCHIVED') return group;
    const archived = await putAway(tx, organization, fresh, group);
    await settleAudiences(tx, organization.id, 'everybody');
    return archived;
  });
}

/** As `archiveGroup`; call `settleAudiences` for everybody afterwards. @throws GroupNotEmpty */
export async function putAway(
  tx: Transaction,
  organization: Organization,
  viewer: Viewer,
  group: GroupRow,
): Promise<GroupRow> {
  const [inside] = await tx.select({ size: count() }).from(children).where(eq(children.groupId, group.id));
  const [below] = await tx
    .select({ size: count() })
    .from(groups)
    .where(and(eq(groups.parentId, group.id), eq(groups.state, 'ACTIVE')));
  if (inside?.size || below?.size) throw new GroupNotEmpty(inside?.size ?? 0, below?.size ?? 0);
  const staff = await tx
    .select()
    .from(staffAssignments)
    .where(and(eq(staffAssignments.groupId, group.id), isNull(staffAssignments.endedOn)));
  // Whoever is there hears it while they are.
  await recordGroup(tx, viewer, group, 'GROUP_ARCHIVED', { action: 'group.archive' });
  const today = decided(organization, viewer.userId, { effectiveOn: null, order: null, note: null });
  await release(tx, organization, staff, today);
  await revokeInvitesInto(tx, organization, viewer, group.id);
  const archived = await update(tx, group, { state: 'ARCHIVED', archivedAt: sql`now()` });
  await updatePlaces(tx, group, archived);
  return archived;
}

/** Takes a group into use again, without the staff and the invites it had. @throws NotFound, Forbidden, InvalidInput, InvalidState, GroupNameTaken */
export async function restoreGroup(db: Database, viewer: Viewer, groupId: string): Promise<GroupRow> {
  return change(db, viewer, groupId, null, async (tx, { group: before, organization }) => {
    if (before.state === 'ACTIVE') return before;
    if (before.parentId) await findParent(tx, before, before.parentId);
    const group = await update(tx, before, { state: 'ACTIVE', archivedAt: null });
    await updatePlaces(tx, before, group);
    await settleAudiences(tx, organization.id, 'everybody');
    await recordGroup(tx, viewer, group, 'GROUP_RESTORED', { action: 'group.restore' });
    return group;
  });
}

interface Entered {
  readonly group: GroupRow;
  readonly organization: Organization;
  readonly viewer: Viewer;
}

/** @throws NotFound, Forbidden, InvalidState */
async function change(
  db: Database,
  viewer: Viewer,
  groupId: string,
  state: GroupRow['state'] | null,
  make: (tx: Transaction, entered: Entered) => Promise<GroupRow>,
): Promise<GroupRow> {
  return transact(db, async (tx) => {
    const find = () => tx.select().from(groups).where(eq(groups.id, groupId));
    const [known] = await find();
    if (!known) throw new NotFound();
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, known.organizationId);
    const [group] = await find(); // again: only now does the organization's lock keep it still
    if (!group || !canSeeGroup(fresh, group)) throw new NotFound();
    if (!canArrangeGroups(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (group.kind === 'STAFF') throw new InvalidInput('groupId', 'INVALID_STAFF_GROUP');
    if (state && group.state !== state) throw new InvalidState(group.state);
    return make(tx, { group, organization, viewer: fresh });
  });
}

async function update(
  tx: Transaction,
  { id }: GroupRow,
  changes: Parameters<ReturnType<typeof tx.update<typeof groups>>['set']>[0],
): Promise<GroupRow> {
  const [group] = await tx.update(groups).set(changes).where(eq(groups.id, id)).returning().catch(nameTaken);
  if (!group) throw new NotFound();
  return group;
}

/** Tells everybody in the group, and who leads. */
export async function recordGroup(
  tx: Transaction,
  { userId }: Viewer,
  { id, organizationId, audienceId }: GroupRow,
  kind: string,
  deed: Pick<Deed, 'action' | 'before' | 'after'>,
): Promise<void> {
  await append(tx, { kind, organizationId, audienceId, subjectId: id });
  await audit(tx, userId, { ...deed, target: { type: 'Group', id }, organizationId });
}
