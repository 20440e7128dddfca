import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { audit } from '../audit/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { constraintOf } from '../database/failures.ts';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { anyOf } from '../graphql/batches.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { type GroupRow, groups } from '../groups/tables.ts';
import { idempotencyKey, optionalLine, personName, valid } from '../input.ts';
import { transact } from '../log/append.ts';
import { enterOrganization, tellAll } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canArrangeChildren, canSeeChild } from './policy.ts';
import { familiesOf } from './queries.ts';
import { type Child, children } from './tables.ts';

/** A day on which somebody was born who may be in a kindergarten or a school. */
export const birthDate = z.iso
  .date()
  .refine((day) => day >= '1990-01-01' && day <= new Date().toISOString().slice(0, 10))
  .nullish()
  .transform((value) => value ?? null);

/** What a child's record holds. */
export const childRecord = { ...personName, birthDate, externalId: optionalLine(100) };

const AddChild = z.object({ organizationId: z.string(), ...childRecord, idempotencyKey });

/** Adds a child's record; `enrollChild` gives it a place. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function addChild(db: Database, viewer: Viewer, input: unknown): Promise<Child> {
  const { organizationId, ...record } = valid(AddChild, input);
  return transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, organizationId);
    if (!canArrangeChildren(fresh, organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const [child] = await tx
      .insert(children)
      .values({ organizationId, ...record })
      .onConflictDoNothing({ target: [children.organizationId, children.idempotencyKey] })
      .returning()
      .catch(externalIdTaken);
    if (!child) return firstOf(tx, organizationId, record);
    await recordChildren(tx, organization, viewer.userId, 'CHILD_ADDED', [child]);
    return child;
  });
}

async function firstOf(tx: Transaction, organizationId: string, wish: Pick<Child, 'idempotencyKey' | 'familyName'>) {
  const [first] = await tx
    .select()
    .from(children)
    .where(and(eq(children.organizationId, organizationId), eq(children.idempotencyKey, wish.idempotencyKey ?? '')));
  if (first?.familyName !== wish.familyName) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

function externalIdTaken(error: unknown): never {
  if (constraintOf(error) === 'children_external_key') throw new InvalidInput('externalId', 'INVALID_EXTERNAL_ID');
  throw error;
}

const UpdateChild = z.object(childRecord).partial();

/** Edits a child's record; what is left out stays. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function updateChild(db: Database, viewer: Viewer, childId: string, input: unknown): Promise<Child> {
  const changes = valid(UpdateChild, input);
  return transact(db, async (tx) => {
    const { organization, child: before, viewer: fresh } = await enterChild(tx, viewer, childId);
    if (!canArrangeChildren(fresh, organization.id)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    const [child] = await tx
      .update(children)
      .set({ ...changes, changedAt: sql`now()` })
      .where(eq(children.id, before.id))
      .returning()
      .catch(externalIdTaken);
    if (!child) throw new NotFound();
    const after = { fields: Object.keys(changes) };
    await recordChildren(tx, organization, viewer.userId, 'CHILD_UPDATED', [{ ...child, after }]);
    return child;
  });
}

/** A child of an organization that the viewer has entered, with the viewer as of now. @throws NotFound, InvalidState */
export async function enterChild(tx: Transaction, viewer: Viewer, childId: string) {
  const find = () => tx.select().from(children).where(eq(children.id, childId));
  const [known] = await find();
  if (!known) throw new NotFound();
  const entered = await enterOrganization(tx, viewer, known.organizationId);
  const [child] = await find(); // again: only now does the organization's lock keep it still
  if (!child || !canSeeChild(entered.viewer, child)) throw new NotFound();
  return { ...entered, child };
}

/** A group of an organization that the viewer has entered and where people may be. @throws NotFound, InvalidInput */
export async function findGroup(
  tx: Transaction,
  viewer: Viewer,
  organizationId: string,
  groupId: string,
  field: string,
): Promise<GroupRow> {
  const [group] = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.id, groupId), eq(groups.organizationId, organizationId)));
  if (!group || !canSeeGroup(viewer, group)) throw new NotFound();
  if (group.kind === 'STAFF') throw new InvalidInput(field, 'INVALID_STAFF_GROUP');
  if (group.state !== 'ACTIVE') throw new InvalidInput(field, 'INVALID_ARCHIVED_GROUP');
  return group;
}

type ChildEvent =
  | 'CHILD_ADDED'
  | 'CHILD_UPDATED'
  | 'CHILD_ENROLLED'
  | 'CHILD_TRANSFERRED'
  | 'CHILD_GRADUATED'
  | 'CHILD_WITHDRAWN';

const verbs: Readonly<Record<ChildEvent, string>> = {
  CHILD_ADDED: 'add',
  CHILD_UPDATED: 'update',
  CHILD_ENROLLED: 'enroll',
  CHILD_TRANSFERRED: 'transfer',
  CHILD_GRADUATED: 'graduate',
  CHILD_WITHDRAWN: 'withdraw',
};

interface ChangedChild extends Pick<Child, 'id' | 'groupId'> {
  readonly fromGroupId?: string | null;
  readonly before?: object;
  readonly after?: object;
}

/** Tells of children, and writes down who changed them; what a record says stays out of the audit log. */
export async function recordChildren(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  kind: ChildEvent,
  changed: readonly ChangedChild[],
): Promise<void> {
  const staff = await staffAudiencesOf(
    tx,
    changed.flatMap(({ groupId, fromGroupId }) => [groupId ?? [], fromGroupId ?? []].flat()),
  );
  const families = await familiesOf(
    tx,
    changed.map(({ id }) => id),
  );
  await tellAll(
    tx,
    organization,
    changed.map(({ id, groupId, fromGroupId }) => ({
      kind,
      subjectId: id,
      to: [staff.get(groupId ?? ''), staff.get(fromGroupId ?? ''), ...(families.get(id) ?? [])].flatMap(
        (to) => to ?? [],
      ),
    })),
  );
  await audit(
    tx,
    actorId,
    ...changed.map(({ id, before, after }) => ({
      action: `child.${verbs[kind]}`,
      target: { type: 'Child', id },
      organizationId: organization.id,
      ...(before && { before: { ...before } }),
      ...(after && { after: { ...after } }),
    })),
  );
}

/** The audiences of the staff assigned to groups. */
export async function staffAudiencesOf(tx: Transaction, groupIds: readonly string[]): Promise<Map<string, string>> {
  const found = await tx
    .select({ id: groups.id, staffAudienceId: groups.staffAudienceId })
    .from(groups)
    .where(anyOf(groups.id, [...new Set(groupIds)]));
  return new Map(found.map(({ id, staffAudienceId }) => [id, staffAudienceId]));
}
