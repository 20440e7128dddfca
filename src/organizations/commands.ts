import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { createAudience, settleAudiences } from '../audiences/commands.ts';
import { freshViewer, operatorsAudience } from '../audiences/queries.ts';
import { audit } from '../audit/commands.ts';
import { type Database, rows, type Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { httpsUrl, line, prose, timeOfDay, valid } from '../input.ts';
import { append, type NewEvent, transact } from '../log/append.ts';
import { locales } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { canGovernOrganizations, canSeeOrganization, canUpdateOrganization } from './policy.ts';
import { type Organization, organizations } from './tables.ts';

/** An organization with its audiences, empty of people. Part of the approval of an application. */
export async function createOrganization(
  tx: Transaction,
  input: Pick<Organization, 'kind' | 'name' | 'address'>,
): Promise<Organization> {
  // Asked for beforehand, because its audiences need it first.
  const [made] = await rows<{ id: string }>(tx, sql`select uuidv7() as id`);
  const id = made?.id ?? '';
  const [organization] = await tx
    .insert(organizations)
    .values({
      ...input,
      id,
      membersAudienceId: await createAudience(tx, id, 'MEMBERS'),
      employeesAudienceId: await createAudience(tx, id, 'EMPLOYEES'),
      staffAudienceId: await createAudience(tx, id, 'STAFF'),
      verifiedStaffAudienceId: await createAudience(tx, id, 'VERIFIED_STAFF'),
      administratorsAudienceId: await createAudience(tx, id, 'ADMINISTRATORS'),
    })
    .returning();
  if (!organization) throw new Error('insert returned no row');
  return organization;
}

/** The organization, locked: changes of its people happen one after the other. */
export async function lockOrganization(
  tx: Transaction,
  organizationId: string,
  lock: 'no key update' | 'share' = 'no key update',
): Promise<Organization> {
  const [organization] = await tx.select().from(organizations).where(eq(organizations.id, organizationId)).for(lock);
  if (!organization) throw new NotFound();
  return organization;
}

/**
 * The beginning of every command in an organization: takes its lock and asks again who the viewer is there, so that the
 * rule that follows is checked on fresh rows.
 * @throws NotFound unless the viewer may see it, InvalidState unless it is active
 */
export async function enterOrganization(
  tx: Transaction,
  viewer: Viewer,
  organizationId: string,
  lock?: 'share',
): Promise<{ organization: Organization; viewer: Viewer }> {
  const organization = await lockOrganization(tx, organizationId, lock);
  const fresh = await freshViewer(tx, viewer);
  if (!canSeeOrganization(fresh, organizationId)) throw new NotFound();
  if (organization.state !== 'ACTIVE') throw new InvalidState(organization.state);
  return { organization, viewer: fresh };
}

/**
 * As `enterOrganization`, for what changes nobody's rights: many may do so at once, and while they do, everybody's rights stay
 * as they are. @throws NotFound, InvalidState
 */
export const visitOrganization = (tx: Transaction, viewer: Viewer, organizationId: string) =>
  enterOrganization(tx, viewer, organizationId, 'share');

/** What happened to something, and who besides the administrators is told: people and audiences, each once. */
export interface Told extends Omit<NewEvent, 'audienceId' | 'organizationId'> {
  readonly to: Iterable<string>;
}

/** Tells the organization's administrators, and whom each concerns, what happened. */
export async function tellAll(tx: Transaction, organization: Organization, told: readonly Told[]): Promise<void> {
  await append(
    tx,
    ...told.flatMap(({ to, ...event }) =>
      [...new Set([organization.administratorsAudienceId, ...to])].map((audienceId) => ({
        ...event,
        audienceId,
        organizationId: organization.id,
      })),
    ),
  );
}

/** Tells the organization's administrators, and the people it is about, what happened. */
export const tell = (
  tx: Transaction,
  organization: Organization,
  event: Omit<Told, 'to'>,
  ...to: readonly string[]
): Promise<void> => tellAll(tx, organization, [{ ...event, to }]);

const UpdateOrganization = z
  .object({
    name: line(200),
    address: prose(500),
    website: httpsUrl,
    timeZone: line(60),
    locale: z.enum(locales),
    studentsAllowed: z.boolean(),
    guardianChatsAllowed: z.boolean(),
    quietFrom: timeOfDay.nullable(),
    quietUntil: timeOfDay.nullable(),
  })
  .partial();

/** To the minute, as they are given. */
const quietTimes = ({ quietFrom, quietUntil }: Organization) => ({
  quietFrom: quietFrom?.slice(0, 5) ?? null,
  quietUntil: quietUntil?.slice(0, 5) ?? null,
});

/** Edits the organization's data and policy (§2.1.4). @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function updateOrganization(
  db: Database,
  viewer: Viewer,
  organizationId: string,
  input: unknown,
): Promise<Organization> {
  const changes = valid(UpdateOrganization, input);
  if (changes.timeZone && !Intl.supportedValuesOf('timeZone').includes(changes.timeZone)) {
    throw new InvalidInput('timeZone', 'INVALID_TIME_ZONE');
  }
  return transact(db, async (tx) => {
    const { organization: before, viewer: fresh } = await enterOrganization(tx, viewer, organizationId);
    if (!canUpdateOrganization(fresh, organizationId)) throw new Forbidden('FORBIDDEN_ADMINISTRATORS');
    if (changes.studentsAllowed && before.kind === 'KINDERGARTEN') {
      throw new InvalidInput('studentsAllowed', 'INVALID_KINDERGARTEN');
    }
    const shown = { ...before, ...quietTimes(before) };
    const { quietFrom, quietUntil } = { ...shown, ...changes };
    if (quietFrom === quietUntil ? quietFrom !== null : quietFrom === null || quietUntil === null) {
      throw new InvalidInput('quietUntil', 'INVALID_QUIET_HOURS');
    }
    const [organization] = await tx
      .update(organizations)
      .set({ ...changes, changedAt: sql`now()` })
      .where(eq(organizations.id, organizationId))
      .returning();
    if (!organization) throw new NotFound();
    await append(tx, {
      kind: 'ORGANIZATION_UPDATED',
      audienceId: organization.membersAudienceId,
      organizationId,
      subjectId: organizationId,
    });
    await audit(tx, viewer.userId, {
      action: 'organization.update',
      target: { type: 'Organization', id: organizationId },
      organizationId,
      before: Object.fromEntries(Object.keys(changes).map((key) => [key, shown[key as keyof typeof changes]])),
      after: changes,
    });
    return organization;
  });
}

/** Closes an organization to everybody in it, at once. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const suspendOrganization = (db: Database, viewer: Viewer, organizationId: string, reason: string) =>
  govern(db, viewer, organizationId, 'SUSPENDED', valid(z.object({ reason: line(500) }), { reason }).reason);

/** Opens a suspended organization again, as it was. Repeating it changes nothing. @throws NotFound, Forbidden, InvalidState */
export const restoreOrganization = (db: Database, viewer: Viewer, organizationId: string) =>
  govern(db, viewer, organizationId, 'ACTIVE', null);

async function govern(
  db: Database,
  viewer: Viewer,
  organizationId: string,
  state: 'ACTIVE' | 'SUSPENDED',
  reason: string | null,
): Promise<Organization> {
  return transact(db, async (tx) => {
    const before = await lockOrganization(tx, organizationId);
    const fresh = await freshViewer(tx, viewer);
    if (!canSeeOrganization(fresh, organizationId)) throw new NotFound();
    if (!canGovernOrganizations(fresh)) throw new Forbidden('FORBIDDEN_OPERATORS');
    if (before.state === state) return before;
    if (before.state === 'ARCHIVED') throw new InvalidState(before.state);
    const [organization] = await tx
      .update(organizations)
      .set({ state, suspensionReason: reason, changedAt: sql`now()` })
      .where(eq(organizations.id, organizationId))
      .returning();
    if (!organization) throw new NotFound();
    const kind = state === 'ACTIVE' ? 'ORGANIZATION_RESTORED' : 'ORGANIZATION_SUSPENDED';
    const toMembers = { kind, organizationId, subjectId: organizationId, audienceId: organization.membersAudienceId };
    // The members hear it while they may: before they lose access, after they have it back.
    if (state === 'SUSPENDED') await append(tx, toMembers);
    await settleAudiences(tx, organizationId, 'everybody', 'ORGANIZATION_SUSPENDED');
    if (state === 'ACTIVE') await append(tx, toMembers);
    await append(tx, { ...toMembers, audienceId: await operatorsAudience(tx) });
    await audit(tx, viewer.userId, {
      action: state === 'ACTIVE' ? 'organization.restore' : 'organization.suspend',
      target: { type: 'Organization', id: organizationId },
      organizationId,
      before: { state: before.state },
      after: { state },
      reason,
    });
    return organization;
  });
}
