import { and, eq, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { audit } from '../audit/commands.ts';
import { inserts } from '../database/chunks.ts';
import type { Transaction } from '../database/connect.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { globalId } from '../graphql/ids.ts';
import { day, order, prose } from '../input.ts';
import { tell } from '../organizations/commands.ts';
import { today } from '../organizations/queries.ts';
import type { Organization } from '../organizations/tables.ts';
import { type Movement, movements, type PlannedMovement, plannedMovements } from './tables.ts';

/** By which decision somebody moves, and from which day it counts. */
export const decision = {
  effectiveOn: day.nullish().transform((value) => value ?? null),
  order: order.nullish().transform((value) => value ?? null),
  note: prose(500),
};

/** When and by which decision, in columns. */
export type Decision = Pick<Movement, 'effectiveOn' | 'orderNumber' | 'orderDate' | 'note' | 'decidedBy'>;

/** What a movement says besides when and why. */
export type Move = Pick<
  Movement,
  'kind' | 'childId' | 'membershipId' | 'userId' | 'position' | 'fromGroupId' | 'toGroupId'
>;

const yearMs = 366 * 86_400_000;

/**
 * What was decided, with its day: today unless told, and within a year of it.
 * @throws InvalidInput
 */
export function decided(
  organization: Organization,
  decidedBy: string | null,
  { effectiveOn, order, note }: z.output<z.ZodObject<typeof decision>>,
): Decision {
  const now = today(organization);
  if (effectiveOn && Math.abs(Date.parse(effectiveOn) - Date.parse(now)) > yearMs)
    throw new InvalidInput('effectiveOn', 'INVALID_EFFECTIVE_ON');
  return {
    effectiveOn: effectiveOn ?? now,
    orderNumber: order?.number ?? null,
    orderDate: order?.date ?? null,
    note,
    decidedBy,
  };
}

/** Whether a decision waits for a day to come. */
export const isToCome = (organization: Organization, { effectiveOn }: Decision): boolean =>
  effectiveOn > today(organization);

/** Writes movements into the journal, in the transaction that makes them. */
export async function recordMovements(
  tx: Transaction,
  organization: Organization,
  made: readonly (Move & Decision)[],
): Promise<Movement[]> {
  const written: Movement[] = [];
  for (const some of inserts(made)) {
    const values = some.map((move) => ({ ...move, organizationId: organization.id }));
    written.push(...(await tx.insert(movements).values(values).returning()));
  }
  return written;
}

/** Keeps a movement for its day; the same one again is found. @throws InvalidInput when another is planned for that day */
export async function planMovement(
  tx: Transaction,
  organization: Organization,
  move: Move & Decision,
): Promise<PlannedMovement> {
  const [planned] = await tx
    .insert(plannedMovements)
    .values({ ...move, organizationId: organization.id })
    .onConflictDoNothing()
    .returning();
  if (!planned) return samePlan(tx, move);
  await recordPlan(tx, organization, move.decidedBy, planned, 'MOVEMENT_PLANNED', 'plan');
  return planned;
}

async function samePlan(tx: Transaction, move: Move & Decision): Promise<PlannedMovement> {
  const same = (['kind', 'childId', 'membershipId', 'position', 'toGroupId', 'effectiveOn'] as const).map(
    (column) => sql`${plannedMovements[column]} is not distinct from ${move[column]}`,
  );
  // A child has one place at a time; an employee is released from one of several.
  const from = move.membershipId && sql`${plannedMovements.fromGroupId} is not distinct from ${move.fromGroupId}`;
  const [found] = await tx
    .select()
    .from(plannedMovements)
    .where(and(eq(plannedMovements.state, 'PLANNED'), ...same, from || undefined));
  if (!found) throw new InvalidInput('effectiveOn', 'INVALID_PLANNED_TWICE');
  return found;
}

/** @throws NotFound */
export async function plannedMovement(tx: Transaction, id: string): Promise<PlannedMovement> {
  const [found] = await tx.select().from(plannedMovements).where(eq(plannedMovements.id, id));
  if (!found) throw new NotFound();
  return found;
}

const closing = {
  CANCELLED: { kind: 'MOVEMENT_CANCELLED', verb: 'cancel' },
  DONE: { kind: 'MOVEMENT_TOOK_EFFECT', verb: 'takeEffect' },
  FAILED: { kind: 'MOVEMENT_FAILED', verb: 'fail' },
} as const;

/** Says what became of a plan. */
export async function closePlan(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  { id }: PlannedMovement,
  state: keyof typeof closing,
  failure: string | null = null,
): Promise<PlannedMovement> {
  const [planned] = await tx
    .update(plannedMovements)
    .set({ state, failure, decidedAt: sql`now()` })
    .where(eq(plannedMovements.id, id))
    .returning();
  if (!planned) throw new NotFound();
  await recordPlan(tx, organization, actorId, planned, closing[state].kind, closing[state].verb);
  return planned;
}

async function recordPlan(
  tx: Transaction,
  organization: Organization,
  actorId: string | null,
  planned: PlannedMovement,
  kind: string,
  verb: string,
): Promise<void> {
  await tell(tx, organization, { kind, subjectId: planned.id });
  await audit(tx, actorId, {
    action: `plannedMovement.${verb}`,
    target: { type: 'PlannedMovement', id: planned.id },
    organizationId: organization.id,
    after: {
      kind: planned.kind,
      effectiveOn: planned.effectiveOn,
      ...(planned.childId && { childId: globalId('Child', planned.childId) }),
      ...(planned.membershipId && { membershipId: globalId('Membership', planned.membershipId) }),
      ...(planned.failure && { failure: planned.failure }),
    },
  });
}
