import { describe, expect, test } from 'vitest';
import { canDecideApplication, canListApplications, canSeeApplication } from '../src/applications/policy.ts';
import { canReadChannel } from '../src/channels/policy.ts';
import { canReadChat } from '../src/chats/policy.ts';
import { canListGroups, canSeeGroup } from '../src/groups/policy.ts';
import { canInvite, canListInvites, canSeeInvite } from '../src/invites/policy.ts';
import { canDecideJoinRequest, canListJoinRequests, canSeeJoinRequest } from '../src/join-requests/policy.ts';
import {
  canAppointAdministrators,
  canAppointHead,
  canChangeMembership,
  canDecideVerification,
  canListMembers,
  canListVerifications,
  canReadReason,
  canSeeAdministrators,
  canSeeMembership,
} from '../src/memberships/policy.ts';
import { canGovernOrganizations, canSeeOrganization, canUpdateOrganization } from '../src/organizations/policy.ts';
import { canReadAuditLog } from '../src/oversight/policy.ts';
import { type Standing, Viewer } from '../src/viewer.ts';

const here = 'here';

function viewer(standing: Partial<Standing> | null, isOperator = false): Viewer {
  const whole = {
    organizationId: here,
    membershipId: 'm',
    role: 'EMPLOYEE',
    position: null,
    verified: false,
    administrator: false,
    groupIds: [],
    childIds: [],
  } as const;
  const standings = standing ? [{ ...whole, ...standing }] : [];
  return new Viewer({ userId: 'me', sessionId: 's', phone: '+79160000000', locale: 'en', isOperator, standings });
}

const people = {
  operator: viewer(null, true),
  administrator: viewer({ administrator: true, verified: true }),
  reservedAdministrator: viewer({ administrator: true }),
  head: viewer({ position: 'HEAD', verified: true }),
  unconfirmedHead: viewer({ position: 'HEAD' }),
  verifiedStaff: viewer({ verified: true }),
  unverifiedStaff: viewer({}),
  guardian: viewer({ role: 'GUARDIAN' }),
  student: viewer({ role: 'STUDENT' }),
  strangerWhoAdministersElsewhere: viewer({
    organizationId: 'elsewhere',
    administrator: true,
    verified: true,
    position: 'HEAD',
  }),
  nobody: viewer(null),
};
type Who = keyof typeof people;

const leaders: Who[] = ['administrator', 'reservedAdministrator', 'head'];
const administrators: Who[] = ['administrator', 'reservedAdministrator'];
const verified: Who[] = ['administrator', 'head', 'verifiedStaff'];
const members: Who[] = [...leaders, 'unconfirmedHead', 'verifiedStaff', 'unverifiedStaff', 'guardian', 'student'];

const others = { organizationId: here, userId: 'another' };
const own = { organizationId: here, userId: 'me' };
const staffGroup = { organizationId: here, kind: 'STAFF' } as const;
const ageGroup = { organizationId: here, kind: 'AGE_GROUP' } as const;

/** The law of domain.md §3, a sentence a line: who may, and nobody else. */
const law: [string, (viewer: Viewer) => boolean, readonly Who[]][] = [
  ['sees an organization', (who) => canSeeOrganization(who, here), [...members, 'operator']],
  ['edits an organization', (who) => canUpdateOrganization(who, here), administrators],
  ['suspends an organization', canGovernOrganizations, ['operator']],
  ['lists the members', (who) => canListMembers(who, here), [...leaders, 'verifiedStaff']],
  [
    'sees a colleague',
    (who) => canSeeMembership(who, { ...others, role: 'EMPLOYEE', state: 'ACTIVE' }),
    [...leaders, 'verifiedStaff'],
  ],
  [
    'sees a colleague who has left',
    (who) => canSeeMembership(who, { ...others, role: 'EMPLOYEE', state: 'ENDED' }),
    leaders,
  ],
  ['sees a guardian', (who) => canSeeMembership(who, { ...others, role: 'GUARDIAN', state: 'ACTIVE' }), leaders],
  [
    'sees their own membership',
    (who) => canSeeMembership(who, { ...own, role: 'GUARDIAN', state: 'ACTIVE' }),
    Object.keys(people) as Who[],
  ],
  ['reads why another was suspended', (who) => canReadReason(who, others), leaders],
  ['reads why they were suspended', (who) => canReadReason(who, own), Object.keys(people) as Who[]],
  ['ends another’s membership', (who) => canChangeMembership(who, others), administrators],
  ['ends their own membership', (who) => canChangeMembership(who, own), []],
  ['appoints the head', (who) => canAppointHead(who, { organizationId: here }), administrators],
  ['appoints administrators', (who) => canAppointAdministrators(who, here), leaders],
  ['knows who administers', (who) => canSeeAdministrators(who, here), members],
  ['reads verifications', (who) => canListVerifications(who, here), administrators],
  ['decides on another’s status', (who) => canDecideVerification(who, others), administrators],
  ['decides on their own status', (who) => canDecideVerification(who, own), []],
  ['reads join requests', (who) => canListJoinRequests(who, here), administrators],
  ['sees another’s join request', (who) => canSeeJoinRequest(who, others), administrators],
  ['decides another’s join request', (who) => canDecideJoinRequest(who, others), administrators],
  ['decides their own join request', (who) => canDecideJoinRequest(who, own), []],
  ['invites an employee', (who) => canInvite(who, staffGroup, 'EMPLOYEE'), administrators],
  ['invites a student', (who) => canInvite(who, ageGroup, 'STUDENT'), administrators],
  ['invites a guardian', (who) => canInvite(who, ageGroup, 'GUARDIAN'), leaders],
  ['lists invites', (who) => canListInvites(who, here), [...administrators, 'head', 'verifiedStaff']],
  ['sees another’s invite', (who) => canSeeInvite(who, { organizationId: here, createdBy: 'another' }), administrators],
  [
    'sees their own invite',
    (who) => canSeeInvite(who, { organizationId: here, createdBy: 'me' }),
    [...leaders, 'verifiedStaff'],
  ],
  ['lists groups', (who) => canListGroups(who, here), [...leaders, 'verifiedStaff']],
  ['sees the group «Staff»', (who) => canSeeGroup(who, staffGroup), [...leaders, 'verifiedStaff']],
  ['sees any other group', (who) => canSeeGroup(who, ageGroup), leaders],
  ['reads COMMUNITY', (who) => canReadChannel(who, { organizationId: here, kind: 'COMMUNITY' }), members],
  [
    'reads STAFF',
    (who) => canReadChannel(who, { organizationId: here, kind: 'STAFF' }),
    [...verified, 'reservedAdministrator'],
  ],
  ['takes part in HEAD_STAFF', (who) => canReadChat(who, { organizationId: here, kind: 'HEAD_STAFF' }), verified],
  ['reads the audit log', (who) => canReadAuditLog(who, here), leaders],
  ['lists applications', canListApplications, ['operator']],
  ['sees another’s application', (who) => canSeeApplication(who, { applicantId: 'another' }), ['operator']],
  ['decides another’s application', (who) => canDecideApplication(who, { applicantId: 'another' }), ['operator']],
  ['decides their own application', (who) => canDecideApplication(who, { applicantId: 'me' }), []],
];

describe('who', () => {
  test.each(law)('%s', (_sentence, may, allowed) => {
    const those = Object.entries(people).filter(([, person]) => may(person));
    expect(those.map(([who]) => who).sort()).toEqual([...allowed].sort());
  });
});
