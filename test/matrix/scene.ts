import type { TestApp } from '../support/app.ts';
import type { Json, TestClient } from '../support/client.ts';
import { applicationOf, type Person, type School, type World } from '../support/world.ts';
import { type MainRole, mainRoles, type Role } from './law.ts';

/** Both operate the platform: nobody decides their own application, so it takes two. */
export const secondOperatorPhone = '+79160000002';

/** Somebody who acts: a role of the regulation, and what is theirs in the school. */
export interface Actor extends TestClient {
  readonly phone?: string;
  readonly membershipId?: string;
  readonly verificationId?: string;
  /** What puts them in the class: as its teacher, with a child in it, as its student. */
  readonly assignmentId?: string;
  readonly linkId?: string;
  readonly childId?: string;
}

type Cast = Readonly<Record<MainRole, Actor>>;

/** The two classes: one in which the cast is, and one in which none of them is. */
interface Classes {
  readonly classId: string;
  readonly otherClassId: string;
  /** The guardian's child, in the class. */
  readonly childId: string;
}

/** A school that allows students, with two classes, and somebody in each role. */
export class Scene {
  readonly app: TestApp;
  readonly school: School;
  /** Where the staff work, the guardian has a child and the student learns. */
  readonly classId: string;
  /** Where nobody of them does. */
  readonly otherClassId: string;
  readonly childId: string;
  readonly organization: Json;
  readonly people: Cast;
  #exhibits: Promise<Exhibits> | null = null;

  private constructor(app: TestApp, school: School, classes: Classes, organization: Json, people: Cast) {
    this.app = app;
    this.school = school;
    this.classId = classes.classId;
    this.otherClassId = classes.otherClassId;
    this.childId = classes.childId;
    this.organization = organization;
    this.people = people;
  }

  /** Sets it up through the API. The stranger and the operator are the same in all scenes of an app. */
  static async open(app: TestApp, stranger: Person): Promise<Scene> {
    const { world } = app;
    const school = await world.school('School 12', 'SCHOOL');
    const { administrator, id } = school;
    await administrator.does('UpdateOrganization', { input: { organizationId: id, studentsAllowed: true } });
    const [classId, otherClassId] = [
      await world.group(school, { kind: 'CLASS' }),
      await world.group(school, { kind: 'CLASS' }),
    ];
    const childId = await world.child(school, classId);
    const [second, head, verified, unverified, guardian, student] = await Promise.all([
      world.secondAdministrator(school),
      world.head(school),
      world.teacher(school, classId),
      world.member(school, 'EMPLOYEE'),
      world.guardian(school, childId),
      enrolStudent(world, school, classId),
    ]);
    // Assigned like the other: only that their status is not confirmed sets them apart.
    await world.assign(school, unverified.membershipId, classId, 'ASSISTANT');
    // The second administrator is verified too, so nothing of the school’s own is hidden from them.
    const { organization } = await second.run('Organization', { id });
    return new Scene(app, school, { classId, otherClassId, childId }, organization, {
      'signed out': world.anonymous(),
      stranger,
      operator: await world.operator(),
      administrator: second,
      head,
      'verified staff': verified,
      'unverified staff': unverified,
      guardian: Object.assign(guardian, { childId }),
      student,
    });
  }

  get world(): World {
    return this.app.world;
  }

  /** The first administrator: arranges what the others act on. */
  get arranger(): Person {
    return this.school.administrator;
  }

  /** The child that is somebody's own, or themself; the guardian's, for who has none. */
  childOf(who: Actor): string {
    return who.childId ?? this.childId;
  }

  /** The id of the chat of a kind. */
  chat(kind: string): string {
    return this.organization.chats.nodes.find((node: Json) => node.kind === kind).id;
  }

  /** What is there to be read; made when the first asks. */
  get exhibits(): Promise<Exhibits> {
    this.#exhibits ??= exhibit(this);
    return this.#exhibits;
  }

  /** An application that waits for an operator, by somebody new or by `applicant`. */
  async application(applicant?: Actor): Promise<string> {
    const by = applicant ?? (await this.world.person('Applicant'));
    return (await by.does('SubmitOrganizationApplication', { input: someApplication() })).id;
  }

  /** An application that waits for its applicant. */
  async returnedApplication(applicant?: Actor): Promise<string> {
    const applicationId = await this.application(applicant);
    const own = applicant === this.people.operator;
    const operator = own ? await this.#secondOperator() : this.people.operator;
    const back = await operator.does('RequestOrganizationApplicationChanges', { applicationId, reason: 'The address' });
    if (back.state !== 'CHANGES_REQUESTED') throw new Error(JSON.stringify(back));
    return applicationId;
  }

  async #secondOperator(): Promise<Person> {
    return this.world.person('Second operator', secondOperatorPhone);
  }

  /** A request that waits, by somebody new or by `requester`, who asks for what they are not yet. */
  async request(requester?: Actor): Promise<string> {
    const by = requester ?? (await this.world.person('Newcomer'));
    const role = by === this.people.guardian || by === this.people.student ? 'EMPLOYEE' : 'GUARDIAN';
    const asked = await by.does('SubmitJoinRequest', { input: { organizationId: this.school.id, role } });
    return asked.joinRequestId ?? asked.id;
  }

  /** A verification that waits, of somebody new or of `employee`. */
  async verification(employee?: Actor): Promise<string> {
    const of = employee ?? (await this.world.member(this.school, 'EMPLOYEE'));
    return (await of.does('SubmitVerification', { membershipId: of.membershipId, evidence: 'Order 3' })).id;
  }

  /** An invite of a guardian into the class, by the first administrator or by somebody else who may. */
  async invite(by: TestClient = this.arranger): Promise<string> {
    const made = await by.does('CreateInvite', { input: { childId: this.childId, role: 'GUARDIAN' } });
    if (!made.invite) throw new Error(JSON.stringify(made));
    return made.invite.id;
  }

  /** That a child is to graduate a month from now. */
  async plan(childId: string): Promise<string> {
    const effectiveOn = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const decided = await this.arranger.does('GraduateChild', { input: { childId, effectiveOn } });
    if (!decided.plannedMovement) throw new Error(JSON.stringify(decided));
    return decided.plannedMovement.id;
  }

  /** An employee's work in a new group. */
  async assignment(membershipId: string): Promise<string> {
    return this.world.assign(this.school, membershipId, await this.world.group(this.school));
  }

  /** Somebody new who stands for a child, hidden from its other guardians or not. */
  async link(childId: string, contactVisibility = 'FULL'): Promise<string> {
    const { linkId: guardianLinkId } = await this.world.guardian(this.school, childId);
    const set = { guardianLinkId, contactVisibility };
    const link = await this.arranger.does('SetGuardianContactVisibility', set);
    if (link.contactVisibility !== contactVisibility) throw new Error(JSON.stringify(link));
    return guardianLinkId;
  }
}

/** Whether there is something of the role's own in a school: invites, a status of employee. */
export const invites = (role: Role): boolean => ['administrator', 'head', 'verified staff'].includes(role);
export const isEmployee = (role: Role): boolean => invites(role) || role === 'unverified staff';

/** A complete application, for an administrator whom nobody knows yet. */
export const someApplication = () => applicationOf('School 13', 'SCHOOL', '+79185550000');

/** A student of a class, who has come by an invite for their own record. */
async function enrolStudent(world: World, school: School, classId: string): Promise<Actor> {
  const childId = await world.child(school, classId);
  const { code } = await world.invite(school, { role: 'STUDENT', groupId: classId, childId });
  const student = await world.person('Student');
  const { membership } = await student.does('RedeemInvite', { code });
  return Object.assign(student, { membershipId: String(membership.id), childId });
}

/** What follows from a child's place: who stands for it, how it came there, and what is planned. */
interface Family {
  readonly fullLinkId: string;
  readonly limitedLinkId: string;
  readonly movementId: string;
  readonly planId: string;
}

/** Something of every kind, by or about people who have no role in the matrix. */
export interface Exhibits {
  readonly applicationId: string;
  readonly joinRequestId: string;
  readonly verificationId: string;
  readonly sessionId: string;
  readonly auditEntryId: string;
  readonly grantId: string;
  readonly employeeId: string;
  /** The first administrator's invite, and each role's own. */
  readonly inviteId: string;
  readonly own: ReadonlyMap<Role, string>;
  /** By the children of the cast: what a role may know of its own. */
  readonly families: ReadonlyMap<string, Family>;
  /** In the class, of a family that is nobody's here. */
  readonly classmate: Foreign;
  /** In the other class. */
  readonly foreign: Foreign;
  readonly foreignAssignmentId: string;
  /** That the assistant began in the class, and somebody in the other one. */
  readonly assignedId: string;
  readonly foreignAssignedId: string;
}

/** Another's child, with a guardian. */
interface Foreign extends Family {
  readonly childId: string;
  readonly guardianId: string;
}

async function exhibit(scene: Scene): Promise<Exhibits> {
  const { arranger, school, world, people, classId, otherClassId } = scene;
  const employee = await world.member(school, 'EMPLOYEE');
  const foreignTeacher = await world.teacher(school, otherClassId);
  const own = new Map<Role, string>();
  for (const role of mainRoles.filter(invites)) own.set(role, await scene.invite(people[role]));
  const inviteId = await scene.invite();
  const organizationId = school.id;
  const { administrators } = (await arranger.run('Administrators', { organizationId })).organization;
  const { auditLog } = (
    await arranger.run('AuditLog', { organizationId, filter: { action: 'invite.create' }, first: 1 })
  ).organization;
  const { sessions } = (await employee.run('ViewerSessions')).viewer;
  const assignedTo = async (groupId: string): Promise<string> => {
    const wanted = { organizationId, kind: 'ASSIGNED', first: 100 };
    const { nodes } = (await arranger.run('Movements', wanted)).organization.movements;
    return nodes.find(({ toGroup }: Json) => toGroup.id === groupId).id;
  };
  const families = new Map<string, Family>();
  for (const { childId } of [people.guardian, people.student])
    if (childId) families.set(childId, await family(scene, childId));
  return {
    applicationId: await scene.application(),
    joinRequestId: await scene.request(),
    verificationId: await scene.verification(employee),
    sessionId: sessions.nodes[0].id,
    auditEntryId: auditLog.nodes[0].id,
    grantId: administrators.nodes[0].id,
    employeeId: employee.membershipId,
    inviteId,
    own,
    families,
    classmate: await foreigner(scene, classId),
    foreign: await foreigner(scene, otherClassId),
    foreignAssignmentId: foreignTeacher.assignmentId,
    assignedId: await assignedTo(classId),
    foreignAssignedId: await assignedTo(otherClassId),
  };
}

async function foreigner(scene: Scene, groupId: string): Promise<Foreign> {
  const { world, school } = scene;
  const childId = await world.child(school, groupId);
  const { membershipId: guardianId } = await world.guardian(school, childId);
  return { childId, guardianId, ...(await family(scene, childId)) };
}

async function family(scene: Scene, childId: string): Promise<Family> {
  const wanted = { organizationId: scene.school.id, kind: 'ENROLLED', first: 100 };
  const { movements } = (await scene.arranger.run('Movements', wanted)).organization;
  return {
    fullLinkId: await scene.link(childId),
    limitedLinkId: await scene.link(childId, 'LIMITED'),
    movementId: movements.nodes.find(({ child }: Json) => child.id === childId).id,
    planId: await scene.plan(childId),
  };
}
