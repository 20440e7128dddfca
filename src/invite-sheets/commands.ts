import { and, eq, gt, isNull, or, sql } from 'drizzle-orm';
import { z } from 'zod';
import { findGroup } from '../children/commands.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { printSlips, type Slip } from '../documents/slips.ts';
import { Forbidden, InvalidInput, NotFound } from '../errors.ts';
import { anyOf } from '../graphql/batches.ts';
import { groups } from '../groups/tables.ts';
import { idempotencyKey, valid } from '../input.ts';
import { demandNarrow, demandNearFuture, type InviteDraft, makeInvites, revokeInvites } from '../invites/commands.ts';
import { type Invite, invites } from '../invites/tables.ts';
import { transact } from '../log/append.ts';
import { enterOrganization } from '../organizations/commands.ts';
import type { Organization } from '../organizations/tables.ts';
import { positionNames, rosterKinds } from '../rosters/tables.ts';
import { text } from '../texts.ts';
import type { Viewer } from '../viewer.ts';
import { canPrintInvites } from './policy.ts';
import { type ChildWithGuardians, childrenWithGuardians, expectedStaff, type NamedGuardian } from './queries.ts';

const maxInvites = 1_000;
/** Of a code for whoever stands for a child, where nobody is named. */
const openUses = 2;

const CreateInviteSheet = z.object({
  organizationId: z.string(),
  kind: z.enum(rosterKinds),
  groupId: z.string().nullish(),
  linkTemplate: z
    .string()
    .max(500)
    .nullish()
    .transform((value) => value ?? null),
  expiresAt: z
    .date()
    .nullish()
    .transform((value) => value ?? null),
  idempotencyKey: idempotencyKey.pipe(z.string()),
});
type Wish = z.output<typeof CreateInviteSheet>;

export interface InviteSheet {
  readonly inviteCount: number;
  readonly slipCount: number;
  readonly html: string | null;
}

/**
 * Makes an invite for everybody who is expected and has not joined, and a page with their codes to print, one slip for each
 * family or employee. What earlier sheets made for the same people is dead: their paper may have been lost. A repeat with
 * the same idempotency key makes nothing and has no page. @throws NotFound, Forbidden, InvalidInput, InvalidState
 */
export async function createInviteSheet(db: Database, viewer: Viewer, input: unknown): Promise<InviteSheet> {
  const wish = valid(CreateInviteSheet, input);
  demandNearFuture(wish.expiresAt);
  if (wish.kind === 'CHILDREN') demandNarrow(wish);
  demandTemplate(wish.linkTemplate);
  const made = await transact(db, async (tx) => {
    const { organization, viewer: fresh } = await enterOrganization(tx, viewer, wish.organizationId);
    const group = wish.groupId ? await findGroup(tx, fresh, organization.id, wish.groupId, 'groupId') : null;
    if (!canPrintInvites(fresh, organization.id, group, wish.kind)) throw new Forbidden('FORBIDDEN_INVITER');
    const first = await firstOf(tx, fresh, wish);
    if (first) return first;
    const plan = await planOf(tx, organization, wish.kind, group?.id ?? null);
    if (plan.invites.length > maxInvites) throw new InvalidInput('groupId', 'INVALID_SHEET_SIZE', { max: maxInvites });
    await annulEarlier(tx, organization, fresh, plan);
    const drafts = plan.invites.map((each, index) => ({
      ...each,
      requiresApproval: false,
      expiresAt: wish.expiresAt,
      idempotencyKey: sheetKey(wish, plan, index),
    }));
    const codes = await makeInvites(tx, organization, fresh, drafts);
    if (codes.length < drafts.length) throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
    const counts = { inviteCount: drafts.length, slipCount: plan.slips.length };
    return { ...counts, printed: { organization, slips: filledIn(wish, plan, codes) } };
  });
  if (!('printed' in made)) return { ...made, html: null };
  const { organization, slips } = made.printed;
  const { locale, timeZone, name: organizationName } = organization;
  return { ...made, html: printSlips({ locale, timeZone, organizationName, slips }) };
}

/** @throws InvalidInput unless it is an https address in which the code has a place, and not in the host's name */
function demandTemplate(template: string | null): void {
  if (template === null) return;
  const [one, other] = ['a', 'b'].map((code) => URL.parse(addressOf(template, code)));
  const good = one?.protocol === 'https:' && !one.username && !one.password;
  if (!good || one.host !== other?.host || one.href === other.href)
    throw new InvalidInput('linkTemplate', 'INVALID_LINK_TEMPLATE');
}

const addressOf = (template: string, code: string): string => template.replaceAll('{code}', code);

/** The keys of a sheet's invites: clients' own keys have no spaces. */
const sheetKey = ({ idempotencyKey, groupId }: Wish, { slips }: Plan, index: number): string =>
  `${idempotencyKey} ${index} ${slips.length} ${groupId ?? ''}`;
const isOfSheet = sql`strpos(${invites.idempotencyKey}, ' ') > 0`;

/** What a sheet with this key made before; null: there was none. @throws InvalidInput when it was for others */
async function firstOf(tx: Transaction, viewer: Viewer, wish: Wish): Promise<Omit<InviteSheet, 'html'> | null> {
  const found = await tx
    .select({ key: invites.idempotencyKey, organizationId: invites.organizationId, role: invites.role })
    .from(invites)
    .where(
      and(
        eq(invites.createdBy, viewer.userId),
        sql`starts_with(${invites.idempotencyKey}, ${`${wish.idempotencyKey} `})`,
      ),
    );
  const [first] = found;
  if (!first) return null;
  const role = wish.kind === 'CHILDREN' ? 'GUARDIAN' : 'EMPLOYEE';
  const [, , slipCount, groupId] = first.key?.split(' ') ?? [];
  if (first.organizationId !== wish.organizationId || first.role !== role || groupId !== (wish.groupId ?? ''))
    throw new InvalidInput('idempotencyKey', 'KEY_REUSED');
  return { inviteCount: found.length, slipCount: Number(slipCount) };
}

type Planned = Omit<InviteDraft, 'requiresApproval' | 'expiresAt' | 'idempotencyKey'>;

/** Who is invited, and which invites stand on which slip. */
interface Plan {
  readonly invites: Planned[];
  readonly slips: (Pick<Slip, 'title' | 'lines'> & { readonly codes: { label: string; invite: Planned }[] })[];
}

const planOf = async (tx: Transaction, organization: Organization, kind: Wish['kind'], groupId: string | null) =>
  kind === 'CHILDREN'
    ? planFamilies(organization, await childrenWithGuardians(tx, organization, groupId))
    : planStaff(tx, organization, groupId);

/** A slip for each family; a person who belongs to two has one code in both. */
function planFamilies({ locale }: Organization, children: readonly ChildWithGuardians[]): Plan {
  const invited = new Map<string, Planned>();
  const inviteFor = ({ id: childId, groupId }: ChildWithGuardians, guardian: NamedGuardian | null): Planned => {
    const key = guardian?.id ?? childId;
    const maxUses = guardian ? 1 : openUses;
    const intendedPhone = guardian?.phone ?? null;
    const invite =
      invited.get(key) ?? ({ role: 'GUARDIAN', childId, groupId, position: null, maxUses, intendedPhone } as const);
    invited.set(key, invite);
    return invite;
  };
  const slips = [...familiesOf(children).values()].flatMap(({ guardians, children: own }) => {
    const [child] = own;
    if (!child) return [];
    const title = own.map(({ name }) => name).join(', ');
    const lines = [...new Set(own.map(({ groupName }) => groupName))];
    const expected = guardians.filter(({ hasJoined }) => !hasJoined);
    const named = expected.map((each) => ({ label: labelOf(each), invite: inviteFor(child, each) }));
    const codes =
      guardians.length > 0 ? named : [{ label: text(locale, 'SLIP_FAMILY'), invite: inviteFor(child, null) }];
    return [{ title, lines, codes }];
  });
  return { invites: [...invited.values()], slips };
}

interface Family {
  readonly guardians: readonly NamedGuardian[];
  readonly children: ChildWithGuardians[];
}

/** Children with the same guardians are a family, if one of these has not joined, and so is a child who has none. */
function familiesOf(children: readonly ChildWithGuardians[]): Map<string, Family> {
  const families = new Map<string, Family>();
  for (const child of children) {
    for (const guardians of circlesOf(child)) {
      const key =
        guardians
          .map(({ id, isHidden }) => `${id} ${isHidden}`)
          .toSorted()
          .join() || child.id;
      const family = families.get(key) ?? { guardians, children: [] };
      family.children.push(child);
      families.set(key, family);
    }
  }
  return families;
}

/** Who may know of each other for a child; who is hidden from the others is alone. Only those where somebody is expected. */
function circlesOf({ guardians }: ChildWithGuardians): (readonly NamedGuardian[])[] {
  if (guardians.length === 0) return [[]];
  const shown = guardians.filter(({ isHidden }) => !isHidden);
  const hidden = guardians.filter(({ isHidden }) => isHidden).map((guardian) => [guardian]);
  return [shown, ...hidden].filter((circle) => circle.some(({ hasJoined }) => !hasJoined));
}

async function planStaff(tx: Transaction, organization: Organization, groupId: string | null): Promise<Plan> {
  const [staffGroup] = await tx
    .select()
    .from(groups)
    .where(and(eq(groups.organizationId, organization.id), eq(groups.kind, 'STAFF')));
  if (!staffGroup) throw new NotFound();
  const slips = (await expectedStaff(tx, organization, groupId)).map((employee) => {
    const { familyName, givenName, patronymic, phone, position, groupNames } = employee;
    const invite: Planned = {
      role: 'EMPLOYEE',
      groupId: staffGroup.id,
      childId: null,
      position,
      maxUses: 1,
      intendedPhone: phone,
    };
    const title = [familyName, givenName, patronymic].filter(Boolean).join(' ');
    const as = position === 'HEAD' ? [] : [positionNames[position][organization.locale][0]];
    return { title, lines: [...as, ...groupNames], codes: [{ label: masked(phone), invite }] };
  });
  return { invites: slips.flatMap(({ codes }) => codes.map(({ invite }) => invite)), slips };
}

const masked = (phone: string): string => `•••${phone.slice(-4, -2)}-${phone.slice(-2)}`;
const labelOf = ({ name, phone }: NamedGuardian): string => [name, masked(phone)].filter(Boolean).join(', ');

/** Of every person there is one sheet's code that opens something. */
async function annulEarlier(tx: Transaction, organization: Organization, viewer: Viewer, plan: Plan): Promise<void> {
  const [anyone] = plan.invites;
  if (!anyone) return;
  const phones = plan.invites.flatMap(({ intendedPhone }) => intendedPhone ?? []);
  const open = plan.invites.flatMap(({ intendedPhone, childId }) => (intendedPhone ? [] : (childId ?? [])));
  await revokeInvites(
    tx,
    organization,
    viewer,
    and(
      eq(invites.organizationId, organization.id),
      eq(invites.role, anyone.role),
      eq(invites.useCount, 0),
      gt(invites.expiresAt, sql`now()`),
      isOfSheet,
      or(
        sql`${invites.intendedPhone} = any(${sql.param(phones)}::text[])`,
        and(isNull(invites.intendedPhone), anyOf(invites.childId, open)),
      ),
    ),
  );
}

/** The slips with the codes of the invites that were made. */
function filledIn(wish: Wish, plan: Plan, made: readonly { readonly invite: Invite; readonly code: string }[]): Slip[] {
  const byKey = new Map(made.map((each) => [each.invite.idempotencyKey, each]));
  const madeOf = new Map(plan.invites.map((each, index) => [each, byKey.get(sheetKey(wish, plan, index))]));
  return plan.slips.map(({ title, lines, codes }) => ({
    title,
    lines,
    codes: codes.flatMap(({ label, invite }) => {
      const found = madeOf.get(invite);
      if (!found) return [];
      const url = wish.linkTemplate && addressOf(wish.linkTemplate, found.code);
      return [{ label, code: found.code, url, until: found.invite.expiresAt }];
    }),
  }));
}
