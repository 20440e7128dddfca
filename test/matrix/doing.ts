import type { Json } from '../support/client.ts';
import { type Act, type Acts, type Arrange, apart, inState, on, spared } from './acts.ts';
import { does, reads } from './answers.ts';
import type { Role } from './law.ts';
import { type Actor, type Exhibits, invites, isEmployee, type Scene, someApplication } from './scene.ts';

const reason = 'As agreed';

/** Of another person, or one's own; who is not signed in has none, and tries another's. */
const ofEither = (make: (scene: Scene, who?: Actor) => Promise<object>): ((own: boolean) => Arrange) => {
  const anothers = spared((scene) => make(scene));
  return (own) => (own ? (scene, who) => make(scene, who.token ? who : undefined) : anothers);
};
const ofApplication = ofEither(async (scene, who) => ({ applicationId: await scene.application(who), reason }));
const ofReturnedApplication = ofEither(async (scene, who) => {
  const applicationId = await scene.returnedApplication(who);
  return { applicationId, input: { applicationId, ...someApplication() } };
});
const ofRequest = ofEither(async (scene, who) => {
  const joinRequestId = await scene.request(who);
  return { joinRequestId, joinRequestIds: [joinRequestId], reason };
});
const memberOf = (role: 'EMPLOYEE' | 'GUARDIAN'): Arrange =>
  spared(async ({ world, school }) => ({ membershipId: (await world.member(school, role)).membershipId, reason }));
const ofMember = { EMPLOYEE: memberOf('EMPLOYEE'), GUARDIAN: memberOf('GUARDIAN') };
const ofStaff = spared(async ({ world, school }) => {
  const { membershipId, verificationId } = await world.staff(school);
  return { membershipId, verificationId, reason };
});
const ofSuspended = spared(async ({ world, school, arranger }) => {
  const { membershipId } = await world.member(school, 'EMPLOYEE');
  await arranger.does('SuspendMembership', { membershipId, reason });
  return { membershipId };
});
const ofOwnMembership: Arrange = async (scene, who) => ({
  membershipId: who.membershipId ?? (await scene.exhibits).employeeId,
  reason,
});
const renamed =
  (arrange: Arrange): Arrange =>
  async (...cell) => ({ ...(await arrange(...cell)), familyName: 'Ivanova', givenName: 'Maria' });
const isRenamed = ({ user }: Json): boolean => user.displayName === 'Ivanova Maria';
const ofVerification = spared(async (scene) => ({ verificationId: await scene.verification(), reason }));
const ofOwnVerification: Arrange = async (scene, who, role) => ({
  // The verified have theirs; who is no employee has none, and tries somebody's.
  verificationId: who.verificationId ?? (await scene.verification(isEmployee(role) ? who : undefined)),
  reason,
});
const ofOrganization: Arrange = async ({ school }) => ({ organizationId: school.id, reason });

const invited =
  (role: 'GUARDIAN' | 'STUDENT', own: boolean): Act =>
  async (scene, who) => {
    const childId = own ? scene.childOf(who) : (await scene.exhibits).foreign.childId;
    return does(who, 'CreateInvite', { input: { role, childId } });
  };

/** A second session of the same person, or of somebody else for who is not signed in. */
const elsewhere = ({ world }: Scene, who: Actor) => world.person(undefined, who.phone);
const currentSession = async (who: Actor): Promise<string> =>
  (await who.run('ViewerSessions')).viewer.sessions.nodes.find((session: Json) => session.isCurrent).id;

/** Which invites go: those of all, or one's own. */
const revokeUnclaimed: Act = async (scene, who, role) => {
  const own = await scene.invite(invites(role) ? who : undefined);
  const foreign = await scene.invite();
  const organizationId = scene.school.id;
  return reads(who, 'RevokeUnclaimedInvites', { organizationId }, async ({ revokeUnclaimedInvites: result }) => {
    if (result.code) return result.code;
    const { organization } = await scene.arranger.run('Invites', { organizationId, state: 'REVOKED', first: 100 });
    const revoked = new Set(organization.invites.nodes.map(({ id }: Json) => id));
    return revoked.has(own) && revoked.has(foreign) ? 'ALL' : revoked.has(own) ? 'OWN' : 'none of one’s own';
  });
};

/** The one request of a bulk: approved, or why it is skipped. */
const approveInBulk =
  (own: boolean): Act =>
  async (scene, who, role, refused) =>
    reads(
      who,
      'ApproveJoinRequests',
      await ofRequest(own)(scene, who, role, refused),
      ({ approveJoinRequests: result }) =>
        result.approved?.length === 1 ? 'OK' : (result.code ?? result.skipped[0].code),
    );

const accounts: Acts = {
  'Mutation.requestSignInCode': async ({ world }, who) => {
    const { phone } = await world.person();
    return does(who, 'RequestSignInCode', { phone });
  },
  'Mutation.signIn': async ({ app, world }, who) => {
    const { phone } = await world.person();
    const { challengeId } = await world.anonymous().does('RequestSignInCode', { phone });
    return does(who, 'SignIn', { challengeId, code: app.codeFor(phone) });
  },
  'Mutation.signOut': async (scene, who) => does(who.token ? await elsewhere(scene, who) : who, 'SignOut'),
  'Mutation.revokeSession of another person': async (scene, who) => {
    const sessionId = await currentSession(await scene.world.person());
    return does(who, 'RevokeSession', { sessionId });
  },
  'Mutation.revokeSession of one’s own': async (scene, who) => {
    const sessionId = await currentSession(await elsewhere(scene, who));
    return does(who, 'RevokeSession', { sessionId }, ({ endedAt }) => endedAt !== null);
  },
  'Mutation.revokeOtherSessions': async (scene, who) => {
    await elsewhere(scene, who);
    return does(who, 'RevokeOtherSessions', {}, (count) => count > 0);
  },
  'Mutation.setQuietHours': on('SetQuietHours', async () => ({
    input: { from: '21:00', until: '07:00', timeZone: 'Europe/Moscow' },
  })),
  'Mutation.turnOffQuietHours': on('TurnOffQuietHours', async () => ({})),
  'Mutation.resetQuietHours': on('ResetQuietHours', async () => ({})),
  'Mutation.updateProfile of the name': on('UpdateProfile', async () => ({ input: { givenName: 'Maria' } })),
  'Mutation.updateProfile of the rest': on('UpdateProfile', async () => ({ input: { email: 'maria@example.org' } })),
};

const applications: Acts = {
  'Mutation.submitOrganizationApplication': on(
    'SubmitOrganizationApplication',
    async () => ({ input: someApplication() }),
    inState('SUBMITTED'),
  ),
  ...bothWays('resubmitOrganizationApplication', ofReturnedApplication, 'SUBMITTED'),
  ...bothWays('withdrawOrganizationApplication', ofApplication, 'WITHDRAWN'),
  ...bothWays('approveOrganizationApplication', ofApplication, 'APPROVED'),
  ...bothWays('rejectOrganizationApplication', ofApplication, 'REJECTED'),
  ...bothWays('requestOrganizationApplicationChanges', ofApplication, 'CHANGES_REQUESTED'),
};

/** A mutation on another person's thing, and on one's own; `place` may put the latter into a scene of its own. */
function bothWays(field: string, arrange: (own: boolean) => Arrange, state: string, place = (act: Act) => act): Acts {
  const operation = field.charAt(0).toUpperCase() + field.slice(1);
  return {
    [`Mutation.${field} of another person`]: on(operation, arrange(false), inState(state)),
    [`Mutation.${field} of one’s own`]: place(on(operation, arrange(true), inState(state))),
  };
}

const organization: Acts = {
  'Mutation.updateOrganization': on('UpdateOrganization', async ({ school }) => ({
    input: { organizationId: school.id, address: 'Moscow, Lesnaya 12' },
  })),
  'Mutation.suspendOrganization': apart(on('SuspendOrganization', ofOrganization, inState('SUSPENDED'))),
  'Mutation.restoreOrganization': apart(
    on(
      'RestoreOrganization',
      async ({ school, people }) => {
        await people.operator.does('SuspendOrganization', { organizationId: school.id, reason });
        return { organizationId: school.id };
      },
      inState('ACTIVE'),
    ),
  ),
};

const people: Acts = {
  'Mutation.suspendMembership of an employee': on('SuspendMembership', ofMember.EMPLOYEE, inState('SUSPENDED')),
  'Mutation.suspendMembership of a guardian': on('SuspendMembership', ofMember.GUARDIAN, inState('SUSPENDED')),
  'Mutation.suspendMembership of one’s own': apart(on('SuspendMembership', ofOwnMembership)),
  'Mutation.restoreMembership of an employee': on('RestoreMembership', ofSuspended, inState('ACTIVE')),
  'Mutation.endMembership of an employee': on('EndMembership', ofMember.EMPLOYEE, inState('ENDED')),
  'Mutation.renameMember of an employee': on('RenameMember', renamed(ofMember.EMPLOYEE), isRenamed),
  'Mutation.renameMember of a guardian': on('RenameMember', renamed(ofMember.GUARDIAN), isRenamed),
  'Mutation.renameMember of one’s own': apart(on('RenameMember', renamed(ofOwnMembership), isRenamed)),
  'Mutation.leaveOrganization': apart(
    on('LeaveOrganization', ofOrganization, ({ memberships }) => memberships.every(inState('ENDED'))),
  ),
  'Mutation.appointHead': apart(on('AppointHead', ofStaff, ({ position }) => position === 'HEAD')),
  'Mutation.grantAdministrator': on('GrantAdministrator', ofStaff, inState('ACTIVE')),
  'Mutation.revokeAdministrator': on(
    'RevokeAdministrator',
    spared(async ({ world, school }) => ({ grantId: (await world.secondAdministrator(school)).grantId })),
    inState('REVOKED'),
  ),
};

const verifications: Acts = {
  'Mutation.submitVerification of one’s own': apart(on('SubmitVerification', ofOwnMembership, inState('PENDING'))),
  'Mutation.submitVerification of another person': on('SubmitVerification', ofMember.EMPLOYEE),
  'Mutation.confirmVerification of another person': on('ConfirmVerification', ofVerification, inState('VERIFIED')),
  'Mutation.confirmVerification of one’s own': apart(on('ConfirmVerification', ofOwnVerification)),
  'Mutation.rejectVerification of another person': on('RejectVerification', ofVerification, inState('REJECTED')),
  'Mutation.rejectVerification of one’s own': apart(on('RejectVerification', ofOwnVerification)),
  'Mutation.revokeVerification of another person': on('RevokeVerification', ofStaff, inState('REVOKED')),
  'Mutation.revokeVerification of one’s own': apart(on('RevokeVerification', ofOwnVerification)),
};

let sheets = 0;
/** Prints invites for everybody who is expected. */
const sheet = (kind: 'CHILDREN' | 'STAFF', group: (scene: Scene) => string | null): Act =>
  on(
    'CreateInviteSheet',
    async (scene) => {
      const idempotencyKey = `sheet-number-${++sheets}`;
      return { input: { organizationId: scene.school.id, kind, groupId: group(scene), idempotencyKey } };
    },
    ({ html }) => html !== null,
  );

const joining: Acts = {
  'Mutation.createInvite of an employee': on('CreateInvite', async ({ school }) => ({
    input: { role: 'EMPLOYEE', groupId: school.staffGroupId },
  })),
  'Mutation.createInvite of a student in one’s own group': invited('STUDENT', true),
  'Mutation.createInvite of a student in another group': invited('STUDENT', false),
  'Mutation.createInvite of a guardian in one’s own group': invited('GUARDIAN', true),
  'Mutation.createInvite of a guardian in another group': invited('GUARDIAN', false),
  'Mutation.redeemInvite': apart(async ({ world, school }, who) => {
    const { code } = await world.invite(school);
    return does(who, 'RedeemInvite', { code }, ({ membership }) => membership.state === 'ACTIVE');
  }),
  'Mutation.revokeInvite of an administrator': on(
    'RevokeInvite',
    async (scene) => ({ inviteId: await scene.invite() }),
    inState('REVOKED'),
  ),
  'Mutation.revokeInvite of one’s own': on(
    'RevokeInvite',
    async (scene, who, role) => ({ inviteId: await scene.invite(invites(role) ? who : undefined) }),
    inState('REVOKED'),
  ),
  'Mutation.revokeUnclaimedInvites': apart(revokeUnclaimed),
  'Mutation.createInviteSheet of guardians in one’s own group': sheet('CHILDREN', ({ classId }) => classId),
  'Mutation.createInviteSheet of guardians in another group': sheet('CHILDREN', ({ otherClassId }) => otherClassId),
  'Mutation.createInviteSheet of all guardians': sheet('CHILDREN', () => null),
  'Mutation.createInviteSheet of employees': sheet('STAFF', () => null),
  'Mutation.submitJoinRequest as an employee': apart(
    on(
      'SubmitJoinRequest',
      async ({ school }) => ({ input: { organizationId: school.id, role: 'EMPLOYEE' } }),
      inState('PENDING'),
    ),
  ),
  ...bothWays('withdrawJoinRequest', ofRequest, 'WITHDRAWN', apart),
  ...bothWays('approveJoinRequest', ofRequest, 'APPROVED', apart),
  'Mutation.approveJoinRequests of another person': approveInBulk(false),
  'Mutation.approveJoinRequests of one’s own': apart(approveInBulk(true)),
  ...bothWays('rejectJoinRequest', ofRequest, 'REJECTED', apart),
};

/**
 * What one acts on: that of the class or of the other class, and for who may change it something made for that alone.
 * Everybody else is refused, so to them it is shown as it stands.
 */
const onOwn =
  (fresh: (scene: Scene) => Promise<string>, own: (scene: Scene, who: Actor) => Promise<string> | string) =>
  (scene: Scene, who: Actor, role: Role): Promise<string> | string =>
    role === 'administrator' ? fresh(scene) : own(scene, who);
const onForeign = (fresh: (scene: Scene) => Promise<string>, foreign: (exhibits: Exhibits, scene: Scene) => string) =>
  onOwn(fresh, async (scene) => foreign(await scene.exhibits, scene));

/** A mutation on what is in one's own group, and on what is in another. */
function inBothGroups(
  field: string,
  [own, foreign]: readonly [ReturnType<typeof onOwn>, ReturnType<typeof onForeign>],
  input: (id: string, scene: Scene, isOwn: boolean) => object | Promise<object>,
  expected: (result: Json) => boolean,
): Acts {
  const operation = field.charAt(0).toUpperCase() + field.slice(1);
  const act =
    (which: typeof own, isOwn: boolean): Act =>
    async (scene, who, role) => {
      const values = await input(await which(scene, who, role), scene, isOwn);
      return does(who, operation, { ...values, input: values }, expected);
    };
  return {
    [`Mutation.${field} in one’s own group`]: act(own, true),
    [`Mutation.${field} in another group`]: act(foreign, false),
  };
}

const newGroup = ({ world, school }: Scene) => world.group(school);
const newChild = ({ world, school, classId }: Scene) => world.child(school, classId);
const newForeignChild = ({ world, school, otherClassId }: Scene) => world.child(school, otherClassId);

const groupsOf = [
  onOwn(newGroup, ({ classId }) => classId),
  onForeign(newGroup, (_exhibits, { otherClassId }) => otherClassId),
] as const;
const childrenOf = [
  onOwn(newChild, (scene, who) => scene.childOf(who)),
  onForeign(newForeignChild, ({ foreign }) => foreign.childId),
] as const;
const newAssignment = async (scene: Scene) => scene.assignment((await scene.exhibits).employeeId);
const assignmentsOf = [
  onOwn(newAssignment, ({ people }) => people['verified staff'].assignmentId ?? ''),
  onForeign(newAssignment, ({ foreignAssignmentId }) => foreignAssignmentId),
] as const;
const newPlan = async (scene: Scene) => scene.plan(await newChild(scene));
const plansOf = [
  onOwn(newPlan, async (scene, who) => (await scene.exhibits).families.get(scene.childOf(who))?.planId ?? ''),
  onForeign(newPlan, ({ foreign }) => foreign.planId),
] as const;
const newLink = async (scene: Scene) => scene.link(await newChild(scene));
const linksOf = [
  onOwn(newLink, async (scene, who) => {
    const { families } = await scene.exhibits;
    return who.linkId ?? families.get(scene.childOf(who))?.fullLinkId ?? '';
  }),
  onForeign(newLink, ({ foreign }) => foreign.fullLinkId),
] as const;

const groups: Acts = {
  'Mutation.createGroup': on(
    'CreateGroup',
    async ({ school }, _who, role) => ({
      input: { organizationId: school.id, kind: 'CLASS', name: `2A, by the ${role}`, academicYear: '2026/27' },
    }),
    inState('ACTIVE'),
  ),
  ...inBothGroups(
    'updateGroup',
    groupsOf,
    (groupId) => ({ groupId, kind: 'OTHER' }),
    ({ kind }) => kind === 'OTHER',
  ),
  ...inBothGroups(
    'moveGroup',
    groupsOf,
    async (groupId, scene) => ({ groupId, parentId: await newGroup(scene) }),
    ({ parentId }) => parentId !== null,
  ),
  ...inBothGroups('archiveGroup', groupsOf, (groupId) => ({ groupId }), inState('ARCHIVED')),
  'Mutation.restoreGroup': on(
    'RestoreGroup',
    spared(async (scene) => {
      const groupId = await newGroup(scene);
      await scene.arranger.does('ArchiveGroup', { groupId });
      return { groupId };
    }),
    inState('ACTIVE'),
  ),
  ...inBothGroups(
    'assignStaff',
    groupsOf,
    async (groupId, scene) => ({ groupId, membershipId: (await scene.exhibits).employeeId, position: 'SPECIALIST' }),
    ({ assignment }) => assignment.endedOn === null,
  ),
  ...inBothGroups(
    'endStaffAssignment',
    assignmentsOf,
    (staffAssignmentId) => ({ staffAssignmentId }),
    ({ assignment }) => assignment.endedOn !== null,
  ),
  'Mutation.rolloverAcademicYear': on(
    'RolloverAcademicYear',
    async ({ school }) => ({ input: { organizationId: school.id, fromYear: '2026/27', dryRun: true } }),
    ({ toYear }) => toYear === '2027/28',
  ),
};

const children: Acts = {
  'Mutation.addChild': on('AddChild', async ({ school }) => ({
    input: { organizationId: school.id, familyName: 'Petrova', givenName: 'Olga' },
  })),
  ...inBothGroups(
    'updateChild',
    childrenOf,
    (childId) => ({ childId, givenName: 'Mikhail' }),
    ({ givenName }) => givenName === 'Mikhail',
  ),
  'Mutation.enrollChild': on(
    'EnrollChild',
    spared(async ({ world, school, classId }) => ({ input: { childId: await world.child(school), groupId: classId } })),
    ({ movement }) => movement !== null,
  ),
  ...inBothGroups(
    'transferChild',
    childrenOf,
    (childId, { classId, otherClassId }, isOwn) => ({ childId, groupId: isOwn ? otherClassId : classId }),
    ({ movement }) => movement !== null,
  ),
  ...inBothGroups(
    'graduateChild',
    childrenOf,
    (childId) => ({ childId }),
    ({ child }) => child.group === null,
  ),
  ...inBothGroups(
    'withdrawChild',
    childrenOf,
    (childId) => ({ childId }),
    ({ child }) => child.group === null,
  ),
  ...inBothGroups('revokeGuardianLink', linksOf, (guardianLinkId) => ({ guardianLinkId, reason }), inState('REVOKED')),
  ...inBothGroups(
    'setGuardianContactVisibility',
    linksOf,
    (guardianLinkId) => ({ guardianLinkId, contactVisibility: 'LIMITED' }),
    ({ contactVisibility }) => contactVisibility === 'LIMITED',
  ),
  ...inBothGroups(
    'cancelPlannedMovement',
    plansOf,
    (plannedMovementId) => ({ plannedMovementId }),
    inState('CANCELLED'),
  ),
  'Mutation.importRoster': on(
    'ImportRoster',
    async ({ school }) => {
      const file = Buffer.from('Номер;Фамилия;Имя;Группа\n1;Котова;Вера;\n').toString('base64');
      const of = { organizationId: school.id, kind: 'CHILDREN', academicYear: '2026/27' };
      return { input: { ...of, file, dryRun: false } };
    },
    ({ applied }) => applied,
  ),
  'Mutation.exportRoster': on(
    'ExportRoster',
    async ({ school }) => ({ input: { organizationId: school.id, kind: 'CHILDREN' } }),
    ({ csv }) => csv.length > 0,
  ),
};

/** How to run each rule on doing. */
export const doing: Acts = {
  ...accounts,
  ...applications,
  ...organization,
  ...people,
  ...verifications,
  ...joining,
  ...groups,
  ...children,
};
