import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { grantAdministrator, revokeAdministrator } from '../../src/administrators/commands.ts';
import { assignStaff, endStaffAssignment } from '../../src/assignments/commands.ts';
import { addChild } from '../../src/children/commands.ts';
import type { Database } from '../../src/database/connect.ts';
import { endMembership, leaveOrganization } from '../../src/departures/commands.ts';
import { cancelPlannedMovement, makeDueMovements } from '../../src/due-movements/commands.ts';
import { enrollChild, graduateChild, transferChild, withdrawChild } from '../../src/enrollments/commands.ts';
import { revokeGuardianLink, setGuardianContactVisibility } from '../../src/guardians/commands.ts';
import { createInvite } from '../../src/invites/commands.ts';
import { appointHead, restoreMembership, suspendMembership } from '../../src/memberships/commands.ts';
import { restoreOrganization, suspendOrganization } from '../../src/organizations/commands.ts';
import { today } from '../../src/organizations/queries.ts';
import { redeemInvite } from '../../src/redemptions/commands.ts';
import { archiveGroup, createGroup, moveGroup, restoreGroup } from '../../src/structure/commands.ts';
import { confirmVerification, revokeVerification, submitVerification } from '../../src/verifications/commands.ts';
import { Viewer } from '../../src/viewer.ts';
import type { Assignment, Child, Group, Invite, Link, Membership, Plan, School, Somebody } from './model.ts';
import * as model from './model.ts';
import type { Place } from './place.ts';

/** What somebody wishes: things are named by their place in lists, so that a wish means something in any school. */
export interface Wish {
  readonly what: string;
  /** Who: 0 is an administrator. */
  readonly by: number;
  readonly one: number;
  readonly two: number;
  /** Which of its variants. */
  readonly how: number;
  /** Who looks at everything afterwards. */
  readonly looks: number;
}

/** A wish granted twice: by the model, which says what is to come of it, and by the command. */
export interface Deed {
  /** The thing that is made, if any: its id is the database's to give. */
  readonly expected: () => unknown;
  readonly done: (db: Database) => Promise<unknown>;
}

export async function undone(db: Database, work: (tx: Database) => Promise<void>): Promise<void> {
  const over = new Error('over');
  await db
    .transaction(async (tx) => {
      await work(tx);
      throw over;
    })
    .catch((error) => {
      if (error !== over) throw error;
    });
}

export const viewer = ({ userId, sessionId, phone }: Somebody): Viewer =>
  new Viewer({ userId, sessionId, phone, locale: 'ru', isOperator: false, standings: [] });

/** A day to come, by its number; no run is so long that one becomes today. */
const dayOf = (number: number): string =>
  new Date(Date.parse(firstDay) + (number + 2) * 86_400_000).toISOString().slice(0, 10);
const firstDay = today({ timeZone: 'Europe/Moscow' });

export const reason = 'So it was decided.';
export let names = 0;

/** The commands, each beside what the model says of it. */
export const acts = {
  createGroup: (school: School, by: Somebody, parent: Group | null): Deed => ({
    expected: () => model.createGroup(school, by, parent),
    done: (db) =>
      createGroup(db, viewer(by), {
        organizationId: school.id,
        parentId: parent?.id ?? null,
        kind: 'AGE_GROUP',
        name: `Group ${++names}`,
        academicYear: '2026/27',
      }),
  }),
  moveGroup: (group: Group, by: Somebody, parent: Group | null): Deed => ({
    expected: () => model.moveGroup(group, by, parent),
    done: (db) => moveGroup(db, viewer(by), group.id, parent?.id ?? null),
  }),
  archiveGroup: (group: Group, by: Somebody): Deed => ({
    expected: () => model.archiveGroup(group, by),
    done: (db) => archiveGroup(db, viewer(by), group.id),
  }),
  restoreGroup: (group: Group, by: Somebody): Deed => ({
    expected: () => model.restoreGroup(group, by),
    done: (db) => restoreGroup(db, viewer(by), group.id),
  }),
  assignStaff: (
    membership: Membership,
    group: Group,
    by: Somebody,
    position: model.Position,
    day: number | null,
  ): Deed => ({
    expected: () => model.assignStaff(membership, group, by, position, day),
    done: (db) =>
      assignStaff(db, viewer(by), { membershipId: membership.id, groupId: group.id, position, ...onDay(day) }),
  }),
  endStaffAssignment: (assignment: Assignment, id: string, by: Somebody, day: number | null): Deed => ({
    expected: () => model.endStaffAssignment(assignment, by, day),
    done: (db) => endStaffAssignment(db, viewer(by), { staffAssignmentId: id, ...onDay(day) }),
  }),
  addChild: (school: School, by: Somebody): Deed => ({
    expected: () => model.addChild(school, by),
    done: (db) =>
      addChild(db, viewer(by), { organizationId: school.id, familyName: `Child ${++names}`, givenName: 'Misha' }),
  }),
  moveChild: (child: Child, to: Group | null, by: Somebody, kind: keyof typeof movers, day: number | null): Deed => ({
    expected: () => model.moveChild(child, to, by, kind, day),
    done: (db) => movers[kind](db, viewer(by), { childId: child.id, groupId: to?.id, ...onDay(day) }),
  }),
  inviteFamily: (child: Child, by: Somebody, role: 'GUARDIAN' | 'STUDENT', told: Group): Deed => {
    const groupId = child.group ? null : told.id;
    return {
      expected: () => model.inviteFamily(child, by, role, told),
      done: (db) => createInvite(db, viewer(by), { role, childId: child.id, groupId }),
    };
  },
  inviteEmployee: (school: School, by: Somebody): Deed => ({
    expected: () => model.inviteEmployee(school, by),
    done: (db) => createInvite(db, viewer(by), { role: 'EMPLOYEE', groupId: school.groups[0]?.id }),
  }),
  redeemInvite: (invite: Invite, by: Somebody): Deed => ({
    expected: () => model.redeemInvite(invite, by),
    done: (db) => redeemInvite(db, viewer(by), invite.code),
  }),
  revokeGuardianLink: (link: Link, id: string, by: Somebody): Deed => ({
    expected: () => model.revokeLink(link, by),
    done: (db) => revokeGuardianLink(db, viewer(by), { guardianLinkId: id, reason }),
  }),
  setGuardianContactVisibility: (link: Link, id: string, by: Somebody, limited: boolean): Deed => ({
    expected: () => model.setVisibility(link, by, limited),
    done: (db) =>
      setGuardianContactVisibility(db, viewer(by), {
        guardianLinkId: id,
        contactVisibility: limited ? 'LIMITED' : 'FULL',
      }),
  }),
  suspendMembership: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.changeMembership(m, by, 'SUSPENDED'),
    done: (db) => suspendMembership(db, viewer(by), { membershipId: m.id, reason }),
  }),
  restoreMembership: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.changeMembership(m, by, 'ACTIVE'),
    done: (db) => restoreMembership(db, viewer(by), { membershipId: m.id }),
  }),
  endMembership: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.changeMembership(m, by, 'ENDED'),
    done: (db) => endMembership(db, viewer(by), { membershipId: m.id, reason }),
  }),
  leaveOrganization: (school: School, by: Somebody, role: model.Role | null): Deed => ({
    expected: () => model.leave(school, by, role),
    done: (db) => leaveOrganization(db, viewer(by), { organizationId: school.id, role }),
  }),
  submitVerification: (m: Membership): Deed => ({
    expected: () => model.submitVerification(m),
    done: (db) => submitVerification(db, viewer(m.person), { membershipId: m.id, evidence: 'Order 12' }),
  }),
  confirmVerification: (m: Membership, id: string, by: Somebody): Deed => ({
    expected: () => model.decideVerification(m, by, 'VERIFIED'),
    done: (db) => confirmVerification(db, viewer(by), { verificationId: id }),
  }),
  revokeVerification: (m: Membership, id: string, by: Somebody): Deed => ({
    expected: () => model.decideVerification(m, by, 'REVOKED'),
    done: (db) => revokeVerification(db, viewer(by), { verificationId: id, reason }),
  }),
  grantAdministrator: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.grantAdministrator(m, by),
    done: (db) => grantAdministrator(db, viewer(by), { membershipId: m.id }),
  }),
  revokeAdministrator: (m: Membership, id: string, by: Somebody): Deed => ({
    expected: () => model.revokeAdministrator(m, by),
    done: (db) => revokeAdministrator(db, viewer(by), { grantId: id }),
  }),
  appointHead: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.appointHead(m, by),
    done: (db) => appointHead(db, viewer(by), { membershipId: m.id }),
  }),
  suspendOrganization: (school: School, by: Somebody): Deed => ({
    expected: () => model.setSuspended(school, by, true),
    done: (db) => suspendOrganization(db, viewer(by), school.id, reason),
  }),
  restoreOrganization: (school: School, by: Somebody): Deed => ({
    expected: () => model.setSuspended(school, by, false),
    done: (db) => restoreOrganization(db, viewer(by), school.id),
  }),
  cancelPlannedMovement: (plan: Plan, id: string, by: Somebody): Deed => ({
    expected: () => model.cancelPlan(plan, by),
    done: (db) => cancelPlannedMovement(db, viewer(by), id),
  }),
  letDaysPass: (school: School): Deed => ({
    expected: () => model.daysPass(school),
    done: async (db) => {
      // Nothing but the calendar moves: all that has a day is that much longer ago.
      const here = sql`organization_id = ${school.id}`;
      const earlier = sql`started_on = started_on - 20, ended_on = ended_on - 20`;
      await db.execute(sql`update enrollments set ${earlier} where ${here}`);
      await db.execute(sql`update staff_assignments set ${earlier} where ${here}`);
      await db.execute(sql`update planned_movements set effective_on = effective_on - 20 where ${here}`);
      await makeDueMovements(db);
    },
  }),
};

const movers = {
  ENROLLED: enrollChild,
  TRANSFERRED: transferChild,
  GRADUATED: graduateChild,
  WITHDRAWN: withdrawChild,
} as const;

const onDay = (day: number | null) => (day === null ? {} : { effectiveOn: dayOf(day) });

/** Which command a wish names, on what; null where there is nothing to do it to. */
export const meanings: Readonly<Record<string, (place: Place, wish: Wish) => Deed | null>> = {
  createGroup: (place, w) => acts.createGroup(place.school, place.actor(w), w.how % 2 ? place.group(w.one) : null),
  moveGroup: (place, w) => acts.moveGroup(place.group(w.one), place.actor(w), w.how % 4 ? place.group(w.two) : null),
  archiveGroup: (place, w) => acts.archiveGroup(place.group(w.one), place.actor(w)),
  restoreGroup: (place, w) => acts.restoreGroup(place.group(w.one), place.actor(w)),
  assignStaff: (place, w) =>
    acts.assignStaff(
      place.membership(w.one),
      place.group(w.two),
      place.actor(w),
      w.how % 2 ? 'SPECIALIST' : 'EDUCATOR',
      dayWished(w),
    ),
  endStaffAssignment: (place, w) => {
    const assignment = pick(place.school.assignments, w.one);
    const id = place.factOf('assignments', place.school.assignments.indexOf(assignment));
    return acts.endStaffAssignment(assignment, id, place.actor(w), dayWished(w));
  },
  addChild: (place, w) => acts.addChild(place.school, place.actor(w)),
  enrollChild: (place, w) => moved(place, w, 'ENROLLED'),
  transferChild: (place, w) => moved(place, w, 'TRANSFERRED'),
  graduateChild: (place, w) => moved(place, w, 'GRADUATED'),
  withdrawChild: (place, w) => moved(place, w, 'WITHDRAWN'),
  inviteGuardian: (place, w) => acts.inviteFamily(place.child(w.one), place.actor(w), 'GUARDIAN', place.group(w.two)),
  inviteStudent: (place, w) => acts.inviteFamily(place.child(w.one), place.actor(w), 'STUDENT', place.group(w.two)),
  inviteEmployee: (place, w) => acts.inviteEmployee(place.school, place.actor(w)),
  redeemInvite: (place, w) =>
    acts.redeemInvite(pick(place.school.invites.toReversed(), w.one), pick(place.world.people, w.two)),
  redeemInviteOfOld: (place, w) =>
    acts.redeemInvite(pick(place.school.invites, w.one), pick(place.world.people, w.two)),
  revokeGuardianLink: (place, w) => {
    const link = pick(place.school.links, w.one);
    return acts.revokeGuardianLink(link, place.factOf('links', place.school.links.indexOf(link)), place.actor(w));
  },
  setGuardianContactVisibility: (place, w) => {
    const link = pick(place.school.links, w.one);
    const id = place.factOf('links', place.school.links.indexOf(link));
    return acts.setGuardianContactVisibility(link, id, place.actor(w), w.how % 2 === 0);
  },
  suspendMembership: (place, w) => acts.suspendMembership(place.membership(w.one), place.actor(w)),
  restoreMembership: (place, w) => acts.restoreMembership(place.membership(w.one), place.actor(w)),
  endMembership: (place, w) => acts.endMembership(place.membership(w.one), place.actor(w)),
  leaveOrganization: (place, w) =>
    acts.leaveOrganization(place.school, pick(place.world.people, w.one), w.how % 2 ? 'EMPLOYEE' : null),
  submitVerification: (place, w) => acts.submitVerification(place.membership(w.one)),
  confirmVerification: (place, w) => {
    const m = place.membership(w.one);
    const { verificationId } = place.factsOf(m);
    return verificationId ? acts.confirmVerification(m, verificationId, place.actor(w)) : null;
  },
  revokeVerification: (place, w) => {
    const m = place.membership(w.one);
    const { verificationId } = place.factsOf(m);
    return verificationId ? acts.revokeVerification(m, verificationId, place.actor(w)) : null;
  },
  grantAdministrator: (place, w) => acts.grantAdministrator(place.membership(w.one), place.actor(w)),
  revokeAdministrator: (place, w) => {
    const m = pick(
      place.school.memberships.filter(({ grant }) => grant !== 'NONE'),
      w.one,
    );
    return acts.revokeAdministrator(m, place.factsOf(m).grantId, place.actor(w));
  },
  appointHead: (place, w) => acts.appointHead(place.membership(w.one), place.actor(w)),
  suspendOrganization: (place, w) => acts.suspendOrganization(place.school, place.governor(w)),
  restoreOrganization: (place, w) => acts.restoreOrganization(place.school, place.governor(w)),
  cancelPlannedMovement: (place, w) => {
    const plan = pick(place.school.plans, w.one);
    return acts.cancelPlannedMovement(plan, place.factOf('plans', place.school.plans.indexOf(plan)), place.actor(w));
  },
  letDaysPass: (place) => (place.school.suspended ? null : acts.letDaysPass(place.school)),
};

const moved = (place: Place, w: Wish, kind: keyof typeof movers): Deed => {
  const to = kind === 'ENROLLED' || kind === 'TRANSFERRED' ? place.group(w.two) : null;
  return acts.moveChild(place.child(w.one), to, place.actor(w), kind, dayWished(w));
};

/** Mostly at once; else on one of a few days, so that plans meet. */
const dayWished = ({ how }: Wish): number | null => (how % 3 === 2 ? (how >> 2) % 3 : null);

export const wish: fc.Arbitrary<Wish> = fc.record({
  what: fc.constantFrom(...Object.keys(meanings)),
  by: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(14) }),
  one: fc.nat(23),
  two: fc.nat(23),
  how: fc.nat(11),
  looks: fc.nat(13),
});

export function pick<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}
