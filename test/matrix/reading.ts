import type { Json } from '../support/client.ts';
import type { Acts } from './acts.ts';
import { found, reads } from './answers.ts';
import type { Role } from './law.ts';
import type { Actor, Scene } from './scene.ts';

const first = 100;

const node = async (who: Actor, id: string): Promise<string> => reads(who, 'Node', { id }, (data) => found(data.node));

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

const kinds = (nodes: Json[]): string =>
  nodes
    .map(({ kind }) => kind)
    .sort()
    .join(' ');
const ids = (nodes: Json[]): Set<string> => new Set(nodes.map(({ id }) => id));
const other = (nodes: Json[]): string => JSON.stringify(nodes);

/** ALL when this one is among them: nobody else may see it. */
const among = (id: string, nodes: Json[]): string => (ids(nodes).has(id) ? 'ALL' : other(nodes));

async function membersSeen(nodes: Json[]): Promise<string> {
  if (nodes.some(({ contact }) => !contact?.phone)) return 'without contacts';
  const seen = new Set(nodes.map(({ role }) => role));
  return seen.size === 3
    ? 'ALL'
    : seen.size === 1 && seen.has('EMPLOYEE') && nodes.length > 4
      ? 'EMPLOYEES'
      : other(nodes);
}

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

  'Organization.groups': list('Organization', 'groups', (nodes) =>
    kinds(nodes) === 'CLASS STAFF' ? 'ALL' : kinds(nodes) || 'NONE',
  ),
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
  'Organization.channels': list('Organization', 'channels', (nodes) =>
    kinds(nodes) === 'COMMUNITY STAFF' ? 'BOTH' : kinds(nodes) || 'NONE',
  ),
  'Organization.chats': list('Organization', 'chats', (nodes) => kinds(nodes) || 'NONE'),

  'Query.node Organization': ({ school }, who) => node(who, school.id),
  'Query.node Group «Staff»': ({ school }, who) => node(who, school.staffGroupId),
  'Query.node Group, a class': ({ classId }, who) => node(who, classId),
  'Query.node Membership of an employee': async (scene, who) => node(who, (await scene.exhibits).employeeId),
  'Query.node Membership of a guardian': async (scene, who) => node(who, (await scene.exhibits).guardianId),
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
  'Query.node Channel COMMUNITY': (scene, who) => node(who, scene.one('channels', 'COMMUNITY')),
  'Query.node Channel STAFF': (scene, who) => node(who, scene.one('channels', 'STAFF')),
  'Query.node Chat HEAD_STAFF': (scene, who) => node(who, scene.one('chats', 'HEAD_STAFF')),
  'Query.node AuditEntry of an administrator': async (scene, who) => node(who, (await scene.exhibits).auditEntryId),
  'Query.node OrganizationApplication': async (scene, who) => node(who, (await scene.exhibits).applicationId),
  'Query.node Session of another person': async (scene, who) => node(who, (await scene.exhibits).sessionId),
  'Query.node Session of one’s own': async (scene, who) => {
    const own = who.token ? (await who.run('ViewerSessions')).viewer.sessions.nodes[0].id : null;
    return node(who, own ?? (await scene.exhibits).sessionId);
  },
};
