import type { TestApp } from '../support/app.ts';
import type { Json, TestClient } from '../support/client.ts';
import { inDatabase } from '../support/sql.ts';
import { applicationOf, type Person, type School, type World } from '../support/world.ts';
import { type Role, roles } from './law.ts';

/** Both operate the platform: nobody decides their own application, so it takes two. */
export const secondOperatorPhone = '+79160000002';

/** Somebody who acts: a role of the regulation, and what is theirs in the school. */
export interface Actor extends TestClient {
  readonly phone?: string;
  readonly membershipId?: string;
  readonly verificationId?: string;
}

/** A school that allows students, with a class, and somebody in each role. */
export class Scene {
  readonly app: TestApp;
  readonly school: School;
  readonly classId: string;
  readonly organization: Json;
  readonly people: Readonly<Record<Role, Actor>>;
  #exhibits: Promise<Exhibits> | null = null;

  private constructor(app: TestApp, school: School, organization: Json, people: Readonly<Record<Role, Actor>>) {
    this.app = app;
    this.school = school;
    this.organization = organization;
    this.people = people;
    this.classId = this.one('groups', 'CLASS');
  }

  /** Sets it up through the API. The stranger and the operator are the same in all scenes of an app. */
  static async open(app: TestApp, stranger: Person): Promise<Scene> {
    const { world } = app;
    const school = await world.school('School 12', 'SCHOOL');
    const { administrator, id } = school;
    await administrator.does('UpdateOrganization', { input: { organizationId: id, studentsAllowed: true } });
    await foundClass(app, school);
    const [second, head, verified, unverified, guardian, student] = await Promise.all([
      world.secondAdministrator(school),
      world.head(school),
      world.staff(school),
      world.member(school, 'EMPLOYEE'),
      world.member(school, 'GUARDIAN'),
      world.member(school, 'STUDENT'),
    ]);
    // The second administrator is verified too, so nothing of the school is hidden from them.
    const { organization } = await second.run('Organization', { id });
    return new Scene(app, school, organization, {
      'signed out': world.anonymous(),
      stranger,
      operator: await world.operator(),
      administrator: second,
      head,
      'verified staff': verified,
      'unverified staff': unverified,
      guardian,
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

  /** The id of the group, channel or chat of a kind. */
  one(list: 'groups' | 'channels' | 'chats', kind: string): string {
    return this.organization[list].nodes.find((node: Json) => node.kind === kind).id;
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

  /** An invite by the first administrator, or by somebody who may do so, or might once. */
  async invite(by?: Actor): Promise<string> {
    if (by !== this.people['verified staff']) return this.#invite(by ?? this.arranger);
    // Until staff have groups of their own, only who was an administrator before has made an invite.
    const grant = await this.arranger.does('GrantAdministrator', { membershipId: by.membershipId });
    const invite = await this.#invite(by);
    await this.arranger.does('RevokeAdministrator', { grantId: grant.id });
    return invite;
  }

  async #invite(by: TestClient): Promise<string> {
    const made = await by.does('CreateInvite', { input: { groupId: this.classId, role: 'GUARDIAN' } });
    if (!made.invite) throw new Error(JSON.stringify(made));
    return made.invite.id;
  }
}

/** Whether there is something of the role's own in a school: invites, a status of employee. */
export const invites = (role: Role): boolean => ['administrator', 'head', 'verified staff'].includes(role);
export const isEmployee = (role: Role): boolean => invites(role) || role === 'unverified staff';

/** A complete application, for an administrator whom nobody knows yet. */
export const someApplication = () => applicationOf('School 13', 'SCHOOL', '+79185550000');

/** A class beside the group «Staff»: no client can make one yet. */
async function foundClass(app: TestApp, { staffGroupId }: School): Promise<void> {
  const id = Buffer.from(staffGroupId, 'base64').toString().split(':')[1] ?? '';
  await inDatabase(
    app,
    (sql) => sql`insert into groups (organization_id, kind, name, academic_year, audience_id)
      select organization_id, 'CLASS', '1A', '2026/27', audience_id from groups where id = ${id}`,
  );
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
  readonly guardianId: string;
  /** The first administrator's invite, and each role's own. */
  readonly inviteId: string;
  readonly own: ReadonlyMap<Role, string>;
}

async function exhibit(scene: Scene): Promise<Exhibits> {
  const { arranger, school, world, people } = scene;
  const employee = await world.member(school, 'EMPLOYEE');
  const guardian = await world.member(school, 'GUARDIAN');
  const own = new Map<Role, string>();
  for (const role of roles.filter(invites)) own.set(role, await scene.invite(people[role]));
  const inviteId = await scene.invite();
  const organizationId = school.id;
  const { administrators } = (await arranger.run('Administrators', { organizationId })).organization;
  const { auditLog } = (
    await arranger.run('AuditLog', { organizationId, filter: { action: 'invite.create' }, first: 1 })
  ).organization;
  const { sessions } = (await employee.run('ViewerSessions')).viewer;
  return {
    applicationId: await scene.application(),
    joinRequestId: await scene.request(),
    verificationId: await scene.verification(employee),
    sessionId: sessions.nodes[0].id,
    auditEntryId: auditLog.nodes[0].id,
    grantId: administrators.nodes[0].id,
    employeeId: employee.membershipId,
    guardianId: guardian.membershipId,
    inviteId,
    own,
  };
}
