import type { Json } from '../support/client.ts';
import { type Act, type Acts, apart } from './acts.ts';
import { found, node, reads } from './answers.ts';
import type { Role } from './law.ts';
import type { Actor, Exhibits, Scene } from './scene.ts';

const first = 100;

/** Reads a thing of the exhibition by its id. */
const shown =
  (which: (exhibits: Exhibits, scene: Scene, who: Actor) => string | undefined): Act =>
  async (scene, who) =>
    node(who, which(await scene.exhibits, scene, who) ?? '');

/** What belongs to the child that is one's own. */
const familyOf = ({ families }: Exhibits, scene: Scene, who: Actor) => families.get(scene.childOf(who));

/** Reads one list of the school, with the operation that has it, and says what of it is seen. */
const list =
  (operation: string, field: string, seen: (nodes: Json[], scene: Scene, role: Role) => string | Promise<string>) =>
  async (scene: Scene, who: Actor, role: Role): Promise<string> => {
    await scene.exhibits;
    const { id } = scene.school;
    return reads(who, operation, { id, organizationId: id, first }, ({ organization }) =>
      organization?.[field] ? seen(organization[field].nodes, scene, role) : 'NULL',
    );
  };

const ids = (nodes: Json[]): Set<string> => new Set(nodes.map(({ id }) => id));
const other = (nodes: Json[]): string => JSON.stringify(nodes);

/** ALL when this one is among them: nobody else may see it. */
const among = (id: string, nodes: Json[]): string => (ids(nodes).has(id) ? 'ALL' : other(nodes));

async function membersSeen(nodes: Json[], scene: Scene): Promise<string> {
  const { classmate, foreign, employeeId } = await scene.exhibits;
  const seen = ids(nodes);
  if (!seen.has(employeeId)) return other(nodes);
  const reached = ids(nodes.filter(({ contact }) => contact?.phone));
  if (seen.has(foreign.guardianId) && seen.has(classmate.guardianId))
    return reached.size === seen.size ? 'ALL' : 'without contacts';
  // Phones are of those who are in one's own groups; of colleagues elsewhere one reads the name.
  if (reached.has(employeeId) || reached.has(classmate.guardianId) !== seen.has(classmate.guardianId))
    return 'other contacts';
  const roles = new Set(nodes.map(({ role }) => role));
  return seen.has(classmate.guardianId) && !seen.has(foreign.guardianId) && roles.size === 3
    ? 'OWN'
    : roles.size === 1
      ? 'EMPLOYEES'
      : other(nodes);
}

/** The tree, one's own groups with what is in them, or no more than their names. */
function groupsSeen(nodes: Json[], { school, classId, otherClassId }: Scene): string {
  const seen = ids(nodes);
  const staff = seen.delete(school.staffGroupId);
  if (staff && seen.has(classId) && seen.has(otherClassId)) return 'ALL';
  if (seen.size !== 1 || !seen.has(classId)) return other(nodes);
  const lookedInto = nodes.some(({ childCount, staffCount }) => childCount !== null || staffCount !== null);
  return staff && lookedInto ? 'OWN' : staff || lookedInto ? other(nodes) : 'NAMES';
}

/** Which of things of the class and of the other class are seen, and of no more. */
const ofClasses =
  (own: (exhibits: Exhibits, scene: Scene) => string | undefined, foreign: (exhibits: Exhibits) => string) =>
  async (nodes: Json[], scene: Scene): Promise<string> => {
    const exhibits = await scene.exhibits;
    const seen = ids(nodes);
    if (!seen.has(own(exhibits, scene) ?? '')) return other(nodes);
    return seen.has(foreign(exhibits)) ? 'ALL' : 'OWN';
  };

/** Reads what a child's record says besides the record. */
const ofChild =
  (field: string, seen: (nodes: Json[], exhibits: Exhibits, scene: Scene, who: Actor) => string): Act =>
  async (scene, who) => {
    const exhibits = await scene.exhibits;
    return reads(who, 'Child', { id: scene.childOf(who) }, (data) =>
      data.node ? seen(data.node[field].nodes, exhibits, scene, who) : 'NULL',
    );
  };

/** Who stands for a child: all with how to reach them, or the names of those who are not hidden. */
function guardiansSeen(nodes: Json[], exhibits: Exhibits, scene: Scene, who: Actor): string {
  const { fullLinkId, limitedLinkId } = familyOf(exhibits, scene, who) ?? {};
  const seen = ids(nodes);
  if (!seen.has(fullLinkId ?? '')) return other(nodes);
  const reached = nodes.filter(({ id, contact }) => contact && id !== who.linkId).length;
  if (seen.has(limitedLinkId ?? '')) return reached === nodes.length ? 'ALL' : other(nodes);
  return reached === 0 ? 'NAMES' : other(nodes);
}

/** Reads what is in one group. */
const ofGroup =
  (own: boolean, field: string, seen: (nodes: Json[], scene: Scene) => string | Promise<string>): Act =>
  async (scene, who) => {
    await scene.exhibits;
    return reads(who, 'Group', { id: own ? scene.classId : scene.otherClassId }, (data) =>
      data.node?.[field] ? seen(data.node[field].nodes, scene) : 'NULL',
    );
  };

/** ALL when somebody of the group is among them. */
const withGuardians = (own: boolean) => async (nodes: Json[], scene: Scene) => {
  const { classmate, foreign } = await scene.exhibits;
  const child = nodes.find(({ id }) => id === (own ? classmate : foreign).childId);
  return child?.guardians.nodes.length === 3 && child.guardians.nodes.every(({ contact }: Json) => contact)
    ? 'ALL'
    : other(nodes);
};
const someStaff = (nodes: Json[]) => (nodes.length > 0 ? 'ALL' : other(nodes));

async function invitesSeen(nodes: Json[], scene: Scene, role: Role): Promise<string> {
  const { inviteId, own } = await scene.exhibits;
  const seen = ids(nodes);
  if ([inviteId, ...own.values()].every((id) => seen.has(id))) return 'ALL';
  return seen.size === 1 && seen.has(own.get(role) ?? '') ? 'OWN' : other(nodes);
}

async function actionsSeen(who: Actor): Promise<string> {
  const self = (await who.run('Viewer')).viewer?.user.id;
  return reads(who, 'ViewerAuditLog', { first }, ({ viewer }) => {
    if (!viewer) return 'NULL';
    const { nodes } = viewer.auditLog;
    return nodes.length > 0 && nodes.every((entry: Json) => entry.actor.id === self) ? 'OWN' : other(nodes);
  });
}

/** How to run each rule on reading. */
export const reading: Acts = {
  'Query.viewer': (_scene, who) => reads(who, 'Viewer', {}, ({ viewer }) => found(viewer)),
  'Query.invitePreview of a good code': async ({ world, school }, who) => {
    const { code } = await world.invite(school);
    return reads(who, 'InvitePreview', { code }, ({ invitePreview }) => found(invitePreview));
  },
  'Query.organization': ({ school }, who) =>
    reads(who, 'Organization', { id: school.id }, ({ organization }) => found(organization)),
  'Query.organizations': ({ school }, who) =>
    reads(who, 'Organizations', { first }, ({ organizations }) =>
      organizations ? among(school.id, organizations.nodes) : 'NULL',
    ),
  'Query.organizationApplication of another person': async (scene, who) => {
    const { applicationId: id } = await scene.exhibits;
    return reads(who, 'OrganizationApplication', { id }, (data) => found(data.organizationApplication));
  },
  'Query.organizationApplication of one’s own': async (scene, who) => {
    const id = await scene.application(who.token ? who : undefined);
    return reads(who, 'OrganizationApplication', { id }, (data) => found(data.organizationApplication));
  },
  'Query.organizationApplications': async (scene, who) => {
    const { applicationId } = await scene.exhibits;
    return reads(who, 'OrganizationApplications', { first }, ({ organizationApplications }) =>
      organizationApplications ? among(applicationId, organizationApplications.nodes) : 'NULL',
    );
  },
  'Query.nodes of an organization and an invite': async (scene, who) => {
    const { inviteId } = await scene.exhibits;
    return reads(who, 'Nodes', { ids: [scene.school.id, inviteId] }, ({ nodes: [organization, invite] }) =>
      organization && invite ? 'BOTH' : organization ? 'ORGANIZATION' : found(invite),
    );
  },
  'Viewer.auditLog': (_scene, who) => actionsSeen(who),

  'Viewer.children': (_scene, who) =>
    reads(who, 'ViewerChildren', {}, ({ viewer }) => {
      if (!viewer) return 'NULL';
      const { nodes } = viewer.children;
      return nodes.length === 0 ? 'NONE' : ids(nodes).has(who.childId ?? '') ? 'OWN' : other(nodes);
    }),

  'Organization.groups': list('Groups', 'groups', groupsSeen),
  'Organization.children': list(
    'Children',
    'children',
    ofClasses(
      ({ classmate }) => classmate.childId,
      ({ foreign }) => foreign.childId,
    ),
  ),
  'Organization.movements': list(
    'Movements',
    'movements',
    ofClasses(
      ({ classmate }) => classmate.movementId,
      ({ foreign }) => foreign.movementId,
    ),
  ),
  'Organization.plannedMovements': list(
    'PlannedMovements',
    'plannedMovements',
    ofClasses(
      ({ classmate }) => classmate.planId,
      ({ foreign }) => foreign.planId,
    ),
  ),
  'Organization.academicYearRollovers': apart(async ({ school, arranger }, who) => {
    const input = { organizationId: school.id, fromYear: '2026/27', dryRun: false };
    await arranger.does('RolloverAcademicYear', { input });
    return reads(who, 'AcademicYearRollovers', { organizationId: school.id }, ({ organization }) =>
      organization?.academicYearRollovers ? someStaff(organization.academicYearRollovers.nodes) : 'NULL',
    );
  }),
  'Organization.members': list('Members', 'members', membersSeen),
  'Organization.invites': list('Invites', 'invites', invitesSeen),
  'Organization.joinRequests': list('JoinRequests', 'joinRequests', async (nodes, scene) =>
    among((await scene.exhibits).joinRequestId, nodes),
  ),
  'Organization.verifications': list('Verifications', 'verifications', async (nodes, scene) =>
    among((await scene.exhibits).verificationId, nodes),
  ),
  'Organization.administrators': list('Administrators', 'administrators', async (nodes, scene) =>
    among((await scene.exhibits).grantId, nodes),
  ),
  'Organization.auditLog': list('AuditLog', 'auditLog', async (nodes, scene) =>
    among((await scene.exhibits).auditEntryId, nodes),
  ),

  'Query.node Organization': ({ school }, who) => node(who, school.id),
  'Query.node Group «Staff»': ({ school }, who) => node(who, school.staffGroupId),
  'Query.node Group of one’s own': shown((_exhibits, { classId }) => classId),
  'Query.node Group of others': shown((_exhibits, { otherClassId }) => otherClassId),
  'Query.node Membership of an employee': shown(({ employeeId }) => employeeId),
  'Query.node Membership of a guardian in one’s own group': shown(({ classmate }) => classmate.guardianId),
  'Query.node Membership of a guardian in another group': shown(({ foreign }) => foreign.guardianId),
  'Query.node Membership of one’s own': async (scene, who) =>
    node(who, who.membershipId ?? (await scene.exhibits).employeeId),
  'Query.node AdministratorGrant': async (scene, who) => node(who, (await scene.exhibits).grantId),
  'Query.node Verification': async (scene, who) => node(who, (await scene.exhibits).verificationId),
  'Query.node Invite of an administrator': async (scene, who) => node(who, (await scene.exhibits).inviteId),
  'Query.node Invite of one’s own': async (scene, who, role) => {
    const { inviteId, own } = await scene.exhibits;
    return node(who, own.get(role) ?? inviteId);
  },
  'Query.node JoinRequest': async (scene, who) => node(who, (await scene.exhibits).joinRequestId),
  'Query.node Child of one’s own': shown((_exhibits, scene, who) => scene.childOf(who)),
  'Query.node Child of another family in one’s own group': shown(({ classmate }) => classmate.childId),
  'Query.node Child in another group': shown(({ foreign }) => foreign.childId),
  'Query.node GuardianLink of one’s own': shown(
    (exhibits, scene, who) =>
      who.linkId ?? (who.childId ? familyOf(exhibits, scene, who)?.fullLinkId : scene.people.guardian.linkId),
  ),
  'Query.node GuardianLink FULL to one’s own child': shown((...of) => familyOf(...of)?.fullLinkId),
  'Query.node GuardianLink LIMITED to one’s own child': shown((...of) => familyOf(...of)?.limitedLinkId),
  'Query.node GuardianLink of another family in one’s own group': shown(({ classmate }) => classmate.fullLinkId),
  'Query.node GuardianLink in another group': shown(({ foreign }) => foreign.fullLinkId),
  'Query.node StaffAssignment in one’s own group': shown(
    (_exhibits, { people }) => people['verified staff'].assignmentId,
  ),
  'Query.node StaffAssignment in another group': shown(({ foreignAssignmentId }) => foreignAssignmentId),
  'Query.node Movement of one’s own child': shown((...of) => familyOf(...of)?.movementId),
  'Query.node Movement of a child in another group': shown(({ foreign }) => foreign.movementId),
  'Query.node Movement of an employee into one’s own group': shown(({ assignedId }) => assignedId),
  'Query.node Movement of an employee into another group': shown(({ foreignAssignedId }) => foreignAssignedId),
  'Query.node PlannedMovement of one’s own child': shown((...of) => familyOf(...of)?.planId),
  'Query.node PlannedMovement of a child in another group': shown(({ foreign }) => foreign.planId),

  'Group.children of one’s own group': ofGroup(true, 'children', withGuardians(true)),
  'Group.children of another group': ofGroup(false, 'children', withGuardians(false)),
  'Group.staff of one’s own group': ofGroup(true, 'staff', someStaff),
  'Group.staff of another group': ofGroup(false, 'staff', someStaff),
  'Child.guardians of one’s own child': ofChild('guardians', guardiansSeen),
  'Child.movements of one’s own child': ofChild('movements', (nodes) => (nodes.length > 0 ? 'ALL' : 'NONE')),

  'Query.node AuditEntry of an administrator': async (scene, who) => node(who, (await scene.exhibits).auditEntryId),
  'Query.node OrganizationApplication': async (scene, who) => node(who, (await scene.exhibits).applicationId),
  'Query.node Session of another person': async (scene, who) => node(who, (await scene.exhibits).sessionId),
  'Query.node Session of one’s own': async (scene, who) => {
    const own = who.token ? (await who.run('ViewerSessions')).viewer.sessions.nodes[0].id : null;
    return node(who, own ?? (await scene.exhibits).sessionId);
  },
};
