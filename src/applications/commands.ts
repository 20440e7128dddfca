import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { userByPhone } from '../accounts/commands.ts';
import { giveGrant } from '../administrators/commands.ts';
import { replaceFiles } from '../attachments/commands.ts';
import { freshViewer, operatorsAudience } from '../audiences/queries.ts';
import { audit } from '../audit/commands.ts';
import { createSystemChannels } from '../channels/commands.ts';
import { createHeadStaffChat } from '../chats/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { Forbidden, InvalidInput, InvalidState, NotFound } from '../errors.ts';
import { createStaffGroup } from '../groups/commands.ts';
import { idempotencyKey, line, order, personName, phoneNumber, prose, valid } from '../input.ts';
import { append, transact } from '../log/append.ts';
import { beginMembership } from '../memberships/commands.ts';
import { createOrganization } from '../organizations/commands.ts';
import { organizationKind } from '../organizations/tables.ts';
import type { Viewer } from '../viewer.ts';
import { canDecideApplication, canSeeApplication } from './policy.ts';
import { type Application, organizationApplications } from './tables.ts';

const content = z.object({
  organization: z.object({ kind: z.enum(organizationKind.enumValues), name: line(200), address: prose(500) }),
  order,
  administrator: z.object({ ...personName, phone: z.string(), email: z.email().max(254) }),
});

const orderFileId = z.string().nullish();
const SubmitApplication = content.extend({ orderFileId, idempotencyKey });
const ResubmitApplication = content.extend({ orderFileId, applicationId: z.string() });

function columnsOf({ organization, order, administrator }: z.output<typeof content>) {
  const { familyName, givenName, patronymic, email } = administrator;
  return {
    kind: organization.kind,
    organizationName: organization.name,
    address: organization.address,
    orderNumber: order.number,
    orderDate: order.date,
    familyName,
    givenName,
    patronymic,
    email,
    phone: phoneNumber(administrator.phone, 'administrator.phone'),
  };
}

/** Applies to open an institution's space (§2.1.2). @throws InvalidInput, RateLimited (by `allow`) */
export async function submitOrganizationApplication(
  db: Database,
  viewer: Viewer,
  input: unknown,
  allow: () => Promise<void>,
): Promise<Application> {
  const wish = valid(SubmitApplication, input);
  const columns = columnsOf(wish);
  await allow();
  return transact(db, async (tx) => {
    const [application] = await tx
      .insert(organizationApplications)
      .values({ ...columns, applicantId: viewer.userId, idempotencyKey: wish.idempotencyKey })
      .onConflictDoNothing({ target: [organizationApplications.applicantId, organizationApplications.idempotencyKey] })
      .returning();
    if (!application) return firstOf(tx, viewer, wish.idempotencyKey ?? '', columns.organizationName);
    if (wish.orderFileId) await replaceOrder(tx, viewer, application, wish.orderFileId);
    await record(tx, viewer, application, 'submit', null);
    return application;
  });
}

const replaceOrder = (tx: Transaction, viewer: Viewer, { id }: Application, fileId: string): Promise<boolean> =>
  replaceFiles(tx, { kind: 'APPLICATION', id, organizationId: null }, [fileId], viewer, {
    field: 'orderFileId',
    max: 1,
  });

async function firstOf(tx: Transaction, viewer: Viewer, key: string, organizationName: string): Promise<Application> {
  const [first] = await tx
    .select()
    .from(organizationApplications)
    .where(
      and(eq(organizationApplications.applicantId, viewer.userId), eq(organizationApplications.idempotencyKey, key)),
    );
  if (first?.organizationName !== organizationName) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return first;
}

/** Sends an application again after the operator asked for changes. @throws NotFound, InvalidInput, InvalidState */
export async function resubmitOrganizationApplication(
  db: Database,
  viewer: Viewer,
  input: unknown,
): Promise<Application> {
  const wish = valid(ResubmitApplication, input);
  const columns = columnsOf(wish);
  return transact(db, async (tx) => {
    const before = await ownApplication(tx, viewer, wish.applicationId);
    if (before.state !== 'CHANGES_REQUESTED') throw new InvalidState(before.state);
    if (wish.orderFileId) await replaceOrder(tx, viewer, before, wish.orderFileId);
    return move(tx, viewer, before, 'resubmit', {
      ...columns,
      state: 'SUBMITTED',
      submittedAt: sql`now()`,
      reason: null,
    });
  });
}

/** Takes back one's own application; a withdrawn one stays so. @throws NotFound, InvalidState */
export async function withdrawOrganizationApplication(
  db: Database,
  viewer: Viewer,
  applicationId: string,
): Promise<Application> {
  return transact(db, async (tx) => {
    const before = await ownApplication(tx, viewer, applicationId);
    if (before.state === 'WITHDRAWN') return before;
    if (before.state === 'APPROVED' || before.state === 'REJECTED') throw new InvalidState(before.state);
    return move(tx, viewer, before, 'withdraw', { state: 'WITHDRAWN' });
  });
}

/**
 * Approves an application and makes, in one transaction, everything an institution begins with: organization, group
 * «Staff», channels COMMUNITY and STAFF, chat HEAD_STAFF, and the administrator's account, membership and reserved grant.
 * @throws NotFound, Forbidden, InvalidState
 */
export async function approveOrganizationApplication(
  db: Database,
  viewer: Viewer,
  applicationId: string,
): Promise<Application> {
  return transact(db, async (tx) => {
    const before = await enterDecision(tx, viewer, applicationId);
    if (before.state === 'APPROVED') return before;
    if (before.state !== 'SUBMITTED') throw new InvalidState(before.state);
    const organization = await createOrganization(tx, {
      kind: before.kind,
      name: before.organizationName,
      address: before.address,
    });
    await createStaffGroup(tx, organization);
    await createSystemChannels(tx, organization);
    await createHeadStaffChat(tx, organization);
    const { phone, familyName, givenName, patronymic, email } = before;
    const administrator = await userByPhone(tx, {
      phone,
      familyName,
      givenName,
      patronymic,
      email,
      locale: organization.locale,
    });
    const member = { userId: administrator.id, role: 'EMPLOYEE', position: null } as const;
    const membership = await beginMembership(tx, organization, member, before);
    await giveGrant(tx, organization, membership, {
      by: viewer.userId,
      order: { number: before.orderNumber, date: before.orderDate },
      reserved: true,
    });
    return move(tx, viewer, before, 'approve', {
      ...decided(viewer),
      state: 'APPROVED',
      organizationId: organization.id,
    });
  });
}

/** Rejects an application for good, with a reason. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const rejectOrganizationApplication = (
  db: Database,
  viewer: Viewer,
  input: { applicationId: string; reason: string },
) => answer(db, viewer, input, { verb: 'reject', state: 'REJECTED' });

/** Sends an application back with what must change. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export const requestOrganizationApplicationChanges = (
  db: Database,
  viewer: Viewer,
  input: { applicationId: string; reason: string },
) => answer(db, viewer, input, { verb: 'requestChanges', state: 'CHANGES_REQUESTED' });

async function answer(
  db: Database,
  viewer: Viewer,
  input: { applicationId: string; reason: string },
  { verb, state }: { verb: string; state: 'REJECTED' | 'CHANGES_REQUESTED' },
): Promise<Application> {
  const { reason } = valid(z.object({ reason: line(1000) }), input);
  return transact(db, async (tx) => {
    const before = await enterDecision(tx, viewer, input.applicationId);
    if (before.state === state) return before;
    if (before.state !== 'SUBMITTED') throw new InvalidState(before.state);
    return move(tx, viewer, before, verb, { ...decided(viewer), state, reason });
  });
}

const decided = (viewer: Viewer) => ({ decidedAt: sql`now()`, decidedBy: viewer.userId });

async function locked(tx: Transaction, applicationId: string): Promise<Application> {
  const [application] = await tx
    .select()
    .from(organizationApplications)
    .where(eq(organizationApplications.id, applicationId))
    .for('update');
  if (!application) throw new NotFound();
  return application;
}

async function ownApplication(tx: Transaction, viewer: Viewer, applicationId: string): Promise<Application> {
  const application = await locked(tx, applicationId);
  if (!canSeeApplication(viewer, application)) throw new NotFound();
  if (application.applicantId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
  return application;
}

async function enterDecision(tx: Transaction, viewer: Viewer, applicationId: string): Promise<Application> {
  const application = await locked(tx, applicationId);
  const fresh = await freshViewer(tx, viewer);
  if (!canSeeApplication(fresh, application)) throw new NotFound();
  if (!fresh.isOperator) throw new Forbidden('FORBIDDEN_OPERATORS');
  if (!canDecideApplication(fresh, application)) throw new Forbidden('FORBIDDEN_OWN');
  return application;
}

async function move(
  tx: Transaction,
  viewer: Viewer,
  before: Application,
  verb: string,
  change: Parameters<ReturnType<typeof tx.update<typeof organizationApplications>>['set']>[0],
): Promise<Application> {
  const [application] = await tx
    .update(organizationApplications)
    .set(change)
    .where(eq(organizationApplications.id, before.id))
    .returning();
  if (!application) throw new NotFound();
  await record(tx, viewer, application, verb, before.state);
  return application;
}

/** The operators hear of it, and who applied. */
async function record(tx: Transaction, viewer: Viewer, application: Application, verb: string, before: string | null) {
  const event = {
    kind: verb === 'submit' ? 'APPLICATION_SUBMITTED' : 'APPLICATION_CHANGED',
    subjectId: application.id,
  };
  await append(
    tx,
    { ...event, audienceId: await operatorsAudience(tx) },
    { ...event, audienceId: application.applicantId },
  );
  await audit(tx, viewer.userId, {
    action: `application.${verb}`,
    target: { type: 'OrganizationApplication', id: application.id },
    organizationId: application.organizationId,
    before: before ? { state: before } : undefined,
    after: { state: application.state },
    reason: application.reason,
  });
}
