import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { type DocumentNode, execute, parse } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { grantAdministrator, revokeAdministrator } from '../src/administrators/commands.ts';
import { approveOrganizationApplication, submitOrganizationApplication } from '../src/applications/commands.ts';
import { assignStaff, endStaffAssignment } from '../src/assignments/commands.ts';
import { setOperators } from '../src/audiences/commands.ts';
import { checkAudiences, viewerOf } from '../src/audiences/queries.ts';
import { addChild } from '../src/children/commands.ts';
import { type Connection, connect, type Database, rows } from '../src/database/connect.ts';
import { endMembership, leaveOrganization } from '../src/departures/commands.ts';
import { cancelPlannedMovement, makeDueMovements } from '../src/due-movements/commands.ts';
import { enrollChild, graduateChild, transferChild, withdrawChild } from '../src/enrollments/commands.ts';
import { DomainError } from '../src/errors.ts';
import { type Asking, type Services, ViewerContext } from '../src/graphql/context.ts';
import { globalId } from '../src/graphql/ids.ts';
import { revokeGuardianLink, setGuardianContactVisibility } from '../src/guardians/commands.ts';
import { createInvite } from '../src/invites/commands.ts';
import { appointHead, restoreMembership, suspendMembership } from '../src/memberships/commands.ts';
import { restoreOrganization, suspendOrganization, updateOrganization } from '../src/organizations/commands.ts';
import { today } from '../src/organizations/queries.ts';
import { redeemInvite } from '../src/redemptions/commands.ts';
import { schema } from '../src/schema.ts';
import { archiveGroup, createGroup, moveGroup, restoreGroup } from '../src/structure/commands.ts';
import { confirmVerification, revokeVerification, submitVerification } from '../src/verifications/commands.ts';
import { Viewer } from '../src/viewer.ts';
import type { Json } from './support/client.ts';
import { createDatabase, type TestDatabase } from './support/postgres.ts';
import type {
  Assignment,
  Child,
  Group,
  Invite,
  Link,
  Membership,
  Plan,
  School,
  Somebody,
} from './support/school-model.ts';
import * as model from './support/school-model.ts';
import { applicationOf } from './support/world.ts';

const numRuns = Number(process.env.HOMEROOM_PROPERTY_RUNS ?? 1000);
/** A run that fails names its seed; with it the same runs are made again. */
const seed = Number(process.env.HOMEROOM_PROPERTY_SEED ?? Math.floor(Math.random() * 0x7fffffff));
const longestRun = 6;
/** Runs at a time, each in schools of its own: while one waits for the database, another thinks. */
const lanes = 2;

let database: TestDatabase;
let connection: Connection;
/** Of each lane: two schools and the people of both, from which every run starts. */
let beginnings: readonly model.World[];

beforeAll(async () => {
  database = await createDatabase();
  connection = await connect({ databaseUrl: database.url, dataDirectory: 'memory://', poolSize: lanes });
  beginnings = await openLanes(connection.db);
});
afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

test('whatever people do, everybody is where they belong afterwards, and sees nothing beyond', {
  timeout: 600_000,
}, async () => {
  const run = (beginning: model.World) => (wishes: readonly Wish[]) =>
    undone(connection.db, async (tx) => {
      const place = new Place(tx, structuredClone(beginning));
      await place.learn();
      for (const [at, one] of wishes.entries()) await place.grant(one, at + 1);
    });
  const wishes = fc.array(wish, { maxLength: longestRun, size: 'max' });
  const ended = await Promise.allSettled(
    beginnings.map((beginning, lane) =>
      fc.assert(fc.asyncProperty(wishes, run(beginning)), { numRuns: Math.ceil(numRuns / lanes), seed: seed + lane }),
    ),
  );
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
});

/** What somebody wishes: things are named by their place in lists, so that a wish means something in any school. */
interface Wish {
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
interface Deed {
  /** The thing that is made, if any: its id is the database's to give. */
  readonly expected: () => unknown;
  readonly done: (db: Database) => Promise<unknown>;
}

async function undone(db: Database, work: (tx: Database) => Promise<void>): Promise<void> {
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

const viewer = ({ userId, sessionId, phone }: Somebody): Viewer =>
  new Viewer({ userId, sessionId, phone, locale: 'ru', isOperator: false, standings: [] });

/** A day to come, by its number; no run is so long that one becomes today. */
const dayOf = (number: number): string =>
  new Date(Date.parse(firstDay) + (number + 2) * 86_400_000).toISOString().slice(0, 10);
const firstDay = today({ timeZone: 'Europe/Moscow' });

const reason = 'So it was decided.';
let names = 0;

/** The commands, each beside what the model says of it. */
const acts = {
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
const meanings: Readonly<Record<string, (place: Place, wish: Wish) => Deed | null>> = {
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

const wish: fc.Arbitrary<Wish> = fc.record({
  what: fc.constantFrom(...Object.keys(meanings)),
  by: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(14) }),
  one: fc.nat(23),
  two: fc.nat(23),
  how: fc.nat(11),
  looks: fc.nat(13),
});

function pick<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}

/** A run: the world as the model has it, and the database where the same happens. */
class Place {
  readonly db: Database;
  readonly world: model.World;
  #facts: Facts | null = null;

  constructor(db: Database, world: model.World) {
    this.db = db;
    this.world = world;
  }

  /** The first school; the second is there to be mixed up with it. */
  get school(): School {
    return pick(this.world.schools, 0);
  }

  actor({ by }: Wish): Somebody {
    const administrator = this.world.people.find((person) => model.administers(this.school, person));
    return by === 0 && administrator ? administrator : pick(this.world.people, by);
  }

  governor({ by }: Wish): Somebody {
    return by === 0 ? operatorIn(this.world) : pick(this.world.people, by);
  }

  group = (index: number): Group =>
    pick(
      this.world.schools.flatMap(({ groups }) => groups),
      index,
    );
  child = (index: number): Child =>
    pick(
      this.world.schools.flatMap(({ children }) => children),
      index,
    );
  membership = (index: number): Membership =>
    pick(
      this.world.schools.flatMap(({ memberships }) => memberships),
      index,
    );

  /** What was written down when it was last read. */
  get facts(): Facts {
    if (!this.#facts) throw new Error('nothing has been read yet');
    return this.#facts;
  }

  factOf(kind: 'links' | 'assignments' | 'plans', index: number): string {
    return this.facts[kind].filter(({ organizationId }) => organizationId === this.school.id)[index]?.id ?? '';
  }

  factsOf({ id }: Membership): Facts['memberships'][number] {
    const found = this.facts.memberships.find((fact) => fact.id === id);
    if (!found) throw new Error('a membership is missing');
    return found;
  }

  async grant(wish: Wish, at: number): Promise<void> {
    const deed = meanings[wish.what]?.(this, wish);
    if (!deed) return;
    const when = `${at}. ${wish.what}`;
    await this.perform(deed, when);
    await this.check(when);
    const person = pick(this.world.people, wish.looks);
    if (wish.how % 3 === 0) await this.look(person, when);
    if (wish.how % 3 === 1) await this.lookUp(person, when);
  }

  /** Does a deed; what comes of it must be what the model says. */
  async perform({ expected, done }: Deed, when: string): Promise<void> {
    const [said, found] = [await outcome(async () => expected()), await outcome(() => done(this.db))];
    expect(`${when}: ${found.code}`).toBe(`${when}: ${said.code}`);
    const made = found.value as Json;
    if (said.value instanceof Object) Object.assign(said.value, { id: made.invite?.id ?? made.id, code: made.code });
    await this.learn();
  }

  /** Reads what is written down, and lets the model know the ids that it could not know. */
  async learn(): Promise<void> {
    const [found] = await rows<{ facts: Facts }>(this.db, factsOf(this.world));
    if (!found) throw new Error('there are no facts');
    this.#facts = found.facts;
    for (const school of this.world.schools) {
      const unknown = Map.groupBy(school.memberships, ({ person, role }) => `${person.userId} ${role}`);
      for (const { id, organizationId, userId, role } of found.facts.memberships) {
        const next = organizationId === school.id ? unknown.get(`${userId} ${role}`)?.shift() : undefined;
        if (next) next.id = id;
      }
    }
  }

  async check(when: string): Promise<void> {
    const label = labelling(this.world);
    expectSame(when, written(this.facts, label), known(this.world, label));
    expectSame(when, await checkAudiences(this.db), []);
    const stored = await rows<model.Belonging>(this.db, storedMembers(this.world));
    const said = ({ kind, subjectId, userId, capacity }: model.Belonging) =>
      `${label(userId)} ${kind} ${subjectId ? label(subjectId) : ''} ${capacity}`;
    const right = this.world.schools.flatMap((school) => model.audiencesOf(school));
    expectSame(when, stored.map(said).sort(), right.map(said).sort());
  }

  /** Asks the API as somebody who knows the id of everything. */
  async lookUp(person: Somebody, when: string): Promise<void> {
    const label = labelling(this.world);
    const things = thingsOf(this.world, this.facts);
    const shown = await this.#ask(person, byIds, {
      ids: things.slice(0, 100).map(({ id }) => id),
      more: things.slice(100).map(({ id }) => id),
    });
    const seen = [...shown.nodes, ...shown.more].flatMap((node: Json) => (node ? [node.id] : []));
    const visible = things.filter(({ seenBy }) => seenBy(person)).map(({ id }) => id);
    expectSame(`${when}, ${person.name} looks up`, seen.map(label).sort(), visible.map(label).sort());
  }

  /** Asks the API as somebody who reads every list. */
  async look(person: Somebody, when: string): Promise<void> {
    const label = labelling(this.world);
    const shown = await this.#ask(person, everything, { id: globalId('Organization', this.school.id) });
    const right = allowed(this.world, thingsOf(this.world, this.facts), person, label);
    expectSame(`${when}, ${person.name} looks`, shownTo(shown, label), right);
  }

  async #ask(person: Somebody, document: DocumentNode, variableValues: Record<string, unknown>): Promise<Json> {
    const services = { db: this.db } as Services; // nothing that is asked for needs more
    const contextValue = new ViewerContext(services, asking, await viewerOf(this.db, person.userId));
    const { data, errors } = await execute({ schema, document, variableValues, contextValue });
    if (errors) throw errors[0]?.originalError ?? errors[0];
    return data;
  }
}

const operatorIn = ({ people }: model.World): Somebody => {
  const operator = people.find(({ isOperator }) => isOperator);
  if (!operator) throw new Error('there is no operator');
  return operator;
};

/** What came of it: its value, or the code of what is in the way. */
async function outcome<Value>(work: () => Promise<Value>): Promise<{ code: string; value: Value | null }> {
  try {
    return { code: 'OK', value: await work() };
  } catch (error) {
    if (error instanceof DomainError || error instanceof model.Refused) return { code: error.code, value: null };
    throw error;
  }
}

/** As `expect`, which takes a hundred times as long to find nothing. */
function expectSame(when: string, found: unknown, right: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(right)) expect({ when, found }).toEqual({ when, found: right });
}

type Label = (id: string) => string;

/** Names that people can read, in the place of ids. */
function labelling({ people, schools }: model.World): Label {
  const names = new Map(people.map(({ userId, name }) => [userId, name]));
  for (const [place, school] of schools.entries()) {
    for (const [index, { id }] of school.groups.entries()) names.set(id, `group ${place}.${index}`);
    for (const [index, { id }] of school.children.entries()) names.set(id, `child ${place}.${index}`);
  }
  return (id) => {
    const [type, own] = id.length > 36 ? Buffer.from(id, 'base64').toString().split(':') : [null, id];
    return names.get(own ?? '') ?? (type ? `${type} ${own}` : id);
  };
}

// What the database has written down, beside what the model knows.

interface Fact {
  readonly id: string;
  readonly organizationId: string;
}

interface Facts {
  readonly memberships: (Fact & {
    userId: string;
    role: string;
    state: string;
    left: boolean;
    isHead: boolean;
    grant: string | null;
    grantId: string;
    status: string | null;
    verificationId: string | null;
  })[];
  readonly groups: (Fact & { parentId: string | null; state: string })[];
  readonly children: (Fact & { groupId: string | null; enrolledIn: string | null; userId: string | null })[];
  readonly links: (Fact & { childId: string; userId: string; state: string; visibility: string })[];
  readonly assignments: (Fact & { membershipId: string; groupId: string; position: string; ended: boolean })[];
  readonly movements: (Fact & Moved)[];
  readonly plans: (Fact & Moved & { state: string })[];
  readonly chats: (Fact & { groupId: string | null })[];
  readonly invites: (Fact & { revoked: boolean; useCount: number })[];
}

interface Moved {
  kind: string;
  childId: string | null;
  membershipId: string | null;
  fromGroupId: string | null;
  toGroupId: string | null;
}

const listed = (name: string, table: string, columns: string): string => `'${name}', (
  select coalesce(json_agg(json_build_object('id', t.id, 'organizationId', t.organization_id, ${columns}) order by t.id), '[]')
  from ${table} t where t.organization_id in (select id from here))`;

const movedColumns = `'kind', kind, 'childId', child_id, 'membershipId', membership_id, 'fromGroupId', from_group_id,
  'toGroupId', to_group_id`;

const latestOf = (column: string, table: string, where = 'true') =>
  `(select x.${column} from ${table} x where x.membership_id = t.id and ${where} order by x.id desc limit 1)`;

const lists = sql.raw(`json_build_object(
  ${[
    listed(
      'memberships',
      'memberships',
      `'userId', user_id, 'role', role, 'state', state, 'left', coalesce(ended_by = 'CHILDREN_LEFT', false),
      'isHead', coalesce(position = 'HEAD', false),
      'grant', ${latestOf('reserved', 'administrator_grants', `x.state = 'ACTIVE'`)},
      'grantId', ${latestOf('id', 'administrator_grants', `x.state = 'ACTIVE'`)},
      'status', ${latestOf('state', 'verifications')}, 'verificationId', ${latestOf('id', 'verifications')}`,
    ),
    listed('groups', 'groups', `'parentId', parent_id, 'state', state`),
    listed(
      'children',
      'children',
      `'groupId', group_id, 'userId', user_id,
      'enrolledIn', (select e.group_id from enrollments e where e.child_id = t.id and e.ended_on is null)`,
    ),
    listed(
      'links',
      'guardian_links',
      `'childId', child_id, 'userId', user_id, 'state', state, 'visibility', contact_visibility`,
    ),
    listed(
      'assignments',
      'staff_assignments',
      `'membershipId', membership_id, 'groupId', group_id, 'position', position, 'ended', ended_on is not null`,
    ),
    listed('movements', 'movements', movedColumns),
    listed('plans', 'planned_movements', `${movedColumns}, 'state', state`),
    listed('chats', 'chats', `'groupId', group_id`),
    listed('invites', 'invites', `'revoked', revoked_at is not null, 'useCount', use_count`),
  ].join(',\n')})`);

const idsOf = ({ schools }: model.World) => sql`any(${sql.param(schools.map(({ id }) => id))}::uuid[])`;

const factsOf = (world: model.World) => sql`
  with here as (select id from organizations where id = ${idsOf(world)}) select ${lists} as facts`;

const storedMembers = (world: model.World) => sql`
  select a.kind, a.subject_id as "subjectId", m.user_id as "userId", m.capacity
  from audience_members m join audiences a on a.id = m.audience_id
  where m.until is null and a.organization_id = ${idsOf(world)}`;

/** The same of both, as sentences that can be compared. */
function written(facts: Facts, label: Label) {
  const maybe = (id: string | null) => (id === null ? '-' : label(id));
  const who = new Map(facts.memberships.map(({ id, userId }) => [id, userId]));
  const move = ({ kind, childId, membershipId, fromGroupId, toGroupId }: Moved) =>
    `${kind} ${maybe(childId ?? who.get(membershipId ?? '') ?? null)} ${maybe(fromGroupId)} ${maybe(toGroupId)}`;
  return {
    memberships: facts.memberships
      .map(({ userId, role, state, left, isHead, grant, status }) => {
        const rights = [
          left ? 'LEFT' : '',
          isHead ? 'HEAD' : '',
          grant === null ? 'NONE' : grant ? 'RESERVED' : 'GIVEN',
        ];
        return [label(userId), role, state, ...rights, status ?? 'NONE'].join(' ');
      })
      .sort(),
    groups: facts.groups.map(({ id, parentId, state }) => `${label(id)} ${maybe(parentId)} ${state}`).sort(),
    children: facts.children
      .map((c) => `${label(c.id)} ${maybe(c.groupId)} ${maybe(c.enrolledIn)} ${maybe(c.userId)}`)
      .sort(),
    links: facts.links.map((l) => `${label(l.childId)} ${label(l.userId)} ${l.state} ${l.visibility}`).sort(),
    assignments: facts.assignments
      .map((a) => `${label(who.get(a.membershipId) ?? '')} ${label(a.groupId)} ${a.position} ${a.ended}`)
      .sort(),
    movements: facts.movements.map(move).sort(),
    plans: facts.plans.map((plan) => `${move(plan)} ${plan.state}`).sort(),
    invites: facts.invites.map(({ revoked, useCount }) => `${revoked} ${useCount}`).sort(),
  };
}

function known({ schools }: model.World, label: Label) {
  const maybe = (thing: { id: string } | null) => (thing === null ? '-' : label(thing.id));
  const move = ({ kind, child, membership, from, to }: model.Movement) =>
    `${kind} ${child ? label(child.id) : membership?.person.name} ${maybe(from)} ${maybe(to)}`;
  const all = <Item>(list: (school: School) => readonly Item[]) => schools.flatMap(list);
  return {
    memberships: all((s) => s.memberships)
      .map(({ person, role, state, endedBy, isHead, grant, status }) =>
        [person.name, role, state, endedBy === 'CHILDREN_LEFT' ? 'LEFT' : '', isHead ? 'HEAD' : '', grant, status].join(
          ' ',
        ),
      )
      .sort(),
    groups: all((s) => s.groups)
      .map((group) => `${label(group.id)} ${maybe(group.parent)} ${group.archived ? 'ARCHIVED' : 'ACTIVE'}`)
      .sort(),
    children: all((s) => s.children)
      .map((c) => `${label(c.id)} ${maybe(c.group)} ${maybe(c.group)} ${c.student?.name ?? '-'}`)
      .sort(),
    links: all((s) => s.links)
      .map(
        ({ child, person, active, limited }) =>
          `${label(child.id)} ${person.name} ${active ? 'ACTIVE' : 'REVOKED'} ${limited ? 'LIMITED' : 'FULL'}`,
      )
      .sort(),
    assignments: all((s) => s.assignments)
      .map(
        ({ membership, group, position, ended }) => `${membership.person.name} ${label(group.id)} ${position} ${ended}`,
      )
      .sort(),
    movements: all((s) => s.movements)
      .map(move)
      .sort(),
    plans: all((s) => s.plans)
      .map((plan) => `${move(plan)} ${plan.state}`)
      .sort(),
    invites: all((s) => s.invites)
      .map(({ revoked, usedBy }) => `${revoked} ${usedBy.length}`)
      .sort(),
  };
}

// What the API shows, beside what the model allows.

interface Thing {
  readonly id: string;
  readonly kind: string;
  readonly school: School;
  readonly child: Child | null;
  readonly link: Link | null;
  readonly seenBy: (person: Somebody) => boolean;
}

/** Everything with an id, in all schools. */
function thingsOf({ schools }: model.World, facts: Facts): Thing[] {
  return schools.flatMap((school) => {
    const here = <Row extends Fact>(list: readonly Row[]) => list.filter((row) => row.organizationId === school.id);
    const group = (id: string | null) => school.groups.find((g) => g.id === id) ?? null;
    const membership = (id: string | null) => school.memberships.find((m) => m.id === id) ?? null;
    const moveOf = (m: Moved) => ({
      kind: m.kind as model.Movement['kind'],
      child: school.children.find((c) => c.id === m.childId) ?? null,
      membership: membership(m.membershipId),
      from: group(m.fromGroupId),
      to: group(m.toGroupId),
    });
    const thing = (kind: string, id: string, seenBy: Thing['seenBy'], of: Partial<Thing> = {}): Thing => ({
      id: globalId(kind, id),
      kind,
      school,
      child: null,
      link: null,
      seenBy,
      ...of,
    });
    return [
      ...school.groups.map((g) => thing('Group', g.id, (who) => model.seesGroup(g, who))),
      ...school.children.map((child) => thing('Child', child.id, (who) => model.seesChild(child, who), { child })),
      ...here(facts.links).map(({ id }, index) => {
        const link = pick(school.links, index);
        return thing('GuardianLink', id, (who) => model.seesLink(link, who), { link, child: link.child });
      }),
      ...here(facts.assignments).map(({ id }, index) =>
        thing('StaffAssignment', id, (who) => model.seesAssignment(pick(school.assignments, index), who)),
      ),
      ...school.memberships.map((m) => thing('Membership', m.id, (who) => model.seesMembership(m, who))),
      ...here(facts.movements).map((fact) => {
        const move = moveOf(fact);
        return thing('Movement', fact.id, (who) => model.seesMovement(move, who), { child: move.child });
      }),
      ...here(facts.plans).map((fact) =>
        thing('PlannedMovement', fact.id, (who) => model.seesMovement(moveOf(fact), who)),
      ),
      ...here(facts.chats).map(({ id, groupId }) => {
        const whose = group(groupId);
        return thing('Chat', id, (who) => (whose ? model.readsGroupChat(whose, who) : model.isVerified(school, who)));
      }),
      ...school.invites.map((invite) => thing('Invite', invite.id, (who) => model.seesInvite(invite, who))),
    ];
  });
}

const asking: Asking = {
  token: null,
  address: 'test',
  client: null,
  locale: 'en',
  resumeAfter: null,
  setCookie: () => {},
};

const byIds = parse('query ($ids: [ID!]!, $more: [ID!]!) { nodes(ids: $ids) { id } more: nodes(ids: $more) { id } }');

const everything = parse(`
  query ($id: ID!) {
    viewer { children(first: 100) { totalCount nodes { id ...Family } } }
    organization(id: $id) {
      groups(first: 100) {
        totalCount
        nodes {
          id
          parent { id }
          parentId
          childCount
          staffCount
          subgroups(first: 100) { totalCount nodes { id } }
          children(first: 100) { totalCount nodes { id } }
          staff(first: 100) { totalCount nodes { id } }
        }
      }
      children(first: 100) { totalCount nodes { id ...Family } }
      chats(first: 100) { totalCount nodes { id } }
      channels(first: 100) { totalCount nodes { kind } }
      movements(first: 100) { totalCount nodes { id } }
      plannedMovements(first: 100) { totalCount nodes { id } }
      members(first: 100) { totalCount nodes { id } }
      invites(first: 100) { totalCount nodes { id } }
    }
  }
  fragment Family on Child {
    group { id }
    guardians(first: 100, includeRevoked: true) { totalCount nodes { id contact { phone } } }
    movements(first: 100) { totalCount nodes { id } }
  }`);

/** A list with what it says its size is. */
const sized = (names: readonly string[], size = names.length) => ({ size, names: names.toSorted() });

function shownTo({ viewer, organization }: Json, label: Label) {
  const list = (connection: Json, name = ({ id }: Json): string => label(id)) =>
    connection && sized(connection.nodes.map(name), connection.totalCount);
  const family = ({ id, group, guardians, movements }: Json): string =>
    JSON.stringify([
      label(id),
      group && label(group.id),
      list(guardians, (link) => `${label(link.id)} ${link.contact ? 'reached' : 'named'}`),
      list(movements),
    ]);
  const structure = (g: Json): string =>
    JSON.stringify([
      label(g.id),
      g.parent && label(g.parent.id),
      g.parentId && label(g.parentId),
      [g.childCount, g.staffCount, list(g.subgroups), list(g.children), list(g.staff)],
    ]);
  return {
    own: list(viewer.children, family),
    organization: organization && {
      groups: list(organization.groups, structure),
      children: list(organization.children, family),
      chats: list(organization.chats),
      channels: list(organization.channels, ({ kind }) => kind),
      movements: list(organization.movements),
      plans: list(organization.plannedMovements),
      members: list(organization.members),
      invites: list(organization.invites),
    },
  };
}

function allowed({ schools }: model.World, things: readonly Thing[], person: Somebody, label: Label) {
  const school = pick(schools, 0);
  const list = (kind: string, which: (thing: Thing) => boolean = () => true, of: School | null = school) =>
    sized(
      things
        .filter((thing) => thing.kind === kind && (!of || thing.school === of) && thing.seenBy(person) && which(thing))
        .map(({ id }) => label(id)),
    );
  const family = (child: Child): string =>
    JSON.stringify([
      label(child.id),
      child.group && label(child.group.id),
      sized(
        things
          .filter(({ kind, link, seenBy }) => kind === 'GuardianLink' && link?.child === child && seenBy(person))
          .map(({ id, link }) => `${label(id)} ${link && model.reachesGuardian(link, person) ? 'reached' : 'named'}`),
      ),
      list('Movement', (thing) => thing.child === child, null),
    ]);
  const leads = model.leads(school, person);
  const verified = model.isVerified(school, person);
  const belongs = model.belongs(school, person);
  const staffOf = (group: Group) => school.assignments.filter((a) => a.group === group && !a.ended);
  const structure = (g: Group): string => {
    const inside = model.looksInto(g, person);
    const members = school.children.filter(({ group }) => group === g).map(({ id }) => label(id));
    const parts = school.groups.filter(({ parent, archived }) => parent === g && !archived).map(({ id }) => label(id));
    const parent = g.parent && model.seesGroup(g.parent, person) ? label(g.parent.id) : null;
    const staff = staffOf(g);
    const staffIds = things.filter(({ kind, school: whose }) => kind === 'StaffAssignment' && whose === school);
    return JSON.stringify([
      label(g.id),
      parent,
      parent,
      [
        inside ? members.length : null,
        inside ? new Set(staff.map(({ membership }) => membership)).size : null,
        leads ? sized(parts) : null,
        inside ? sized(members) : null,
        model.seesStaffOf(g, person)
          ? sized(staff.map((a) => label(staffIds[school.assignments.indexOf(a)]?.id ?? '')))
          : null,
      ],
    ]);
  };
  const families =
    model.belongs(school, person) && model.standings(school, person).some(({ role }) => role !== 'EMPLOYEE');
  const groups = school.groups.filter((g) => model.seesGroup(g, person)).map(structure);
  const records = school.children.filter((child) => model.keepsRecord(child, person)).map(family);
  const own = schools.flatMap((any) => model.childrenOf(any, person)).map(family);
  return {
    own: sized(own),
    organization:
      belongs || person.isOperator
        ? {
            groups: leads || verified || families ? sized(groups) : null,
            children: leads || verified ? sized(records) : null,
            chats: list('Chat'),
            channels: sized([
              ...(belongs ? ['COMMUNITY'] : []),
              ...(verified || model.administers(school, person) ? ['STAFF'] : []),
            ]),
            movements: leads || verified ? list('Movement') : null,
            plans: leads || verified ? list('PlannedMovement') : null,
            members:
              leads || verified
                ? sized(
                    school.memberships
                      .filter((m) => m.state !== 'ENDED' && model.seesMembership(m, person))
                      .map(({ id }) => label(globalId('Membership', id))),
                  )
                : null,
            invites: verified || model.administers(school, person) ? list('Invite') : null,
          }
        : null,
  };
}

/** Each lane's beginning. The operators of all are appointed at once: whoever is not named is none. */
async function openLanes(db: Database): Promise<model.World[]> {
  const worlds: model.World[] = [];
  const phones = Array.from({ length: lanes }, (_, lane) => (number: number) => `+79162${lane}0${1000 + number}`);
  await setOperators(
    db,
    phones.map((phone) => phone(0)),
  );
  for (const phone of phones) worlds.push(await openSchools(db, phone));
  return worlds;
}

/** Two schools in which something of everything has happened already. */
async function openSchools(db: Database, phone: (number: number) => string): Promise<model.World> {
  const people: Somebody[] = [];
  const arrives = async (name: string, number = people.length + 1) => {
    const person = await arrive(db, name, phone(number));
    people.push(person);
    return person;
  };
  const [anna, head, maria] = [await arrives('Anna'), await arrives('Head'), await arrives('Maria')];
  const [vera, newcomer, deputy] = [await arrives('Vera'), await arrives('Newcomer'), await arrives('Deputy')];
  const [mother, father, student] = [await arrives('Mother'), await arrives('Father'), await arrives('Student')];
  const [stranger, neighbour, parent] = [
    await arrives('Stranger'),
    await arrives('Neighbour'),
    await arrives('Parent'),
  ];
  const [grandmother, operator] = [await arrives('Grandmother'), await arrives('Operator', 0)];
  const school = await openSchool(db, stranger, operator, anna);
  const another = await openSchool(db, stranger, operator, neighbour);
  const place = new Place(db, { people, schools: [school, another] });
  await place.learn();
  const does = (deed: Deed) => place.perform(deed, 'the beginning');
  const last = <Item>(list: readonly Item[]) => pick(list, list.length - 1);

  const employ = async (person: Somebody, confirmed: boolean) => {
    await does(acts.inviteEmployee(school, anna));
    await does(acts.redeemInvite(last(school.invites), person));
    const m = last(school.memberships);
    await does(acts.submitVerification(m));
    if (confirmed) await does(acts.confirmVerification(m, place.factsOf(m).verificationId ?? '', anna));
    return m;
  };
  const found = async (whose: School, by: Somebody, whole: Group | null = null) => {
    await does(acts.createGroup(whose, by, whole));
    return last(whose.groups);
  };
  const enrol = async (group: Group | null, whose = school, by = anna) => {
    await does(acts.addChild(whose, by));
    const child = last(whose.children);
    if (group) await does(acts.moveChild(child, group, by, 'ENROLLED', null));
    return child;
  };
  const bring = async (child: Child, person: Somebody, by = anna, role: 'GUARDIAN' | 'STUDENT' = 'GUARDIAN') => {
    await does(acts.inviteFamily(child, by, role, pick(child.school.groups, 1)));
    await does(acts.redeemInvite(last(child.school.invites), person));
  };

  await does(acts.appointHead(await employ(head, true), anna));
  const [marias, veras] = [await employ(maria, true), await employ(vera, true)];
  const newcomers = await employ(newcomer, false);
  await does(acts.grantAdministrator(await employ(deputy, true), anna));
  // Who leads two schools could mix them up.
  await does(acts.grantAdministrator(await employ(neighbour, true), anna));

  const [sun, star] = [await found(school, anna), await found(school, anna)];
  const corner = await found(school, anna, sun);
  const closed = await found(school, anna);
  const [waiting, expected] = [await enrol(null), await enrol(null)];
  await does(acts.moveChild(expected, closed, anna, 'ENROLLED', 0));
  await does(acts.inviteFamily(expected, anna, 'GUARDIAN', closed));
  await does(acts.inviteFamily(expected, anna, 'GUARDIAN', corner));
  await does(acts.archiveGroup(closed, anna));
  await does(acts.assignStaff(marias, sun, anna, 'EDUCATOR', null));
  await does(acts.assignStaff(marias, corner, anna, 'SPECIALIST', null));
  await does(acts.assignStaff(veras, star, anna, 'EDUCATOR', null));
  await does(acts.assignStaff(newcomers, sun, anna, 'EDUCATOR', null));

  const [petya, olga] = [await enrol(sun), await enrol(sun)];
  const [ivan, zoya] = [await enrol(star), await enrol(star)];
  await bring(petya, mother);
  await bring(ivan, mother);
  await bring(petya, father);
  await bring(olga, vera);
  await bring(zoya, student, anna, 'STUDENT');
  await bring(waiting, father);
  const gone = await enrol(star);
  await bring(gone, grandmother);
  await does(acts.moveChild(gone, null, anna, 'WITHDRAWN', null));
  const fathers = school.links.findIndex(({ person }) => person === father);
  await does(
    acts.setGuardianContactVisibility(pick(school.links, fathers), place.factOf('links', fathers), anna, true),
  );

  await does(acts.inviteFamily(ivan, vera, 'GUARDIAN', star));
  await does(acts.inviteFamily(olga, maria, 'GUARDIAN', sun));
  await does(acts.inviteFamily(zoya, anna, 'STUDENT', star));
  await does(acts.inviteEmployee(school, deputy));
  await does(acts.moveChild(petya, star, anna, 'TRANSFERRED', 1));
  await does(acts.moveChild(waiting, sun, anna, 'ENROLLED', 0));
  await does(acts.endStaffAssignment(pick(school.assignments, 0), place.factOf('assignments', 0), anna, 2));

  const elsewhere = await found(another, neighbour);
  await bring(await enrol(elsewhere, another, neighbour), parent, neighbour);
  await place.check('the beginning');
  for (const person of people) {
    await place.look(person, 'the beginning');
    await place.lookUp(person, 'the beginning');
  }
  return place.world;
}

/** Somebody who is signed in; how they did that is not what this is about. */
async function arrive(db: Database, name: string, phone: string): Promise<Somebody> {
  const [user] = await rows<{ id: string }>(
    db,
    sql`insert into users (phone) values (${phone}) on conflict (phone) do update set phone = excluded.phone returning id`,
  );
  const [session] = await rows<{ id: string }>(
    db,
    sql`insert into sessions (user_id, token_hash, expires_at) values (${user?.id}, ${randomBytes(32)}, now() + interval '1 day') returning id`,
  );
  return { name, phone, userId: user?.id ?? '', sessionId: session?.id ?? '', isOperator: name === 'Operator' };
}

async function openSchool(db: Database, applicant: Somebody, operator: Somebody, first: Somebody): Promise<School> {
  const application = await submitOrganizationApplication(
    db,
    viewer(applicant),
    applicationOf(`School of ${first.name}`, 'SCHOOL', first.phone),
    async () => {},
  );
  const { organizationId } = await approveOrganizationApplication(db, viewer(operator), application.id);
  const id = organizationId ?? '';
  await updateOrganization(db, viewer(first), id, { studentsAllowed: true });
  const [staff] = await rows<{ id: string }>(db, sql`select id from groups where organization_id = ${id}`);
  const lists = { links: [], assignments: [], invites: [], movements: [], plans: [], children: [] };
  const school: School = { id, suspended: false, memberships: [], groups: [], ...lists };
  school.groups.push({ id: staff?.id ?? '', school, kind: 'STAFF', parent: null, archived: false });
  model.begin(school, first, 'EMPLOYEE').grant = 'RESERVED';
  return school;
}
