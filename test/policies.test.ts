import { describe, expect, test } from 'vitest';
import { canDecideApplication, canListApplications, canSeeApplication } from '../src/applications/policy.ts';
import { canAssignStaff, canSeeAssignment } from '../src/assignments/policy.ts';
import { canArrangeChildren, canKeepRecord, canListChildren, canSeeChild } from '../src/children/policy.ts';
import { canArrangeGroups, canListGroups, canLookInto, canSeeGroup } from '../src/groups/policy.ts';
import {
  canReachGuardian,
  canRevokeGuardianLink,
  canSeeGuardianLink,
  canSetContactVisibility,
} from '../src/guardians/policy.ts';
import { canInvite, canInviteSomewhere, canListInvites, canRevokeInvite, canSeeInvite } from '../src/invites/policy.ts';
import { canDecideJoinRequest, canListJoinRequests, canSeeJoinRequest } from '../src/join-requests/policy.ts';
import {
  canAppointAdministrators,
  canAppointHead,
  canChangeMembership,
  canDecideVerification,
  canListMembers,
  canListVerifications,
  canReachMember,
  canReadReason,
  canSeeAdministrators,
  canSeeMembership,
} from '../src/memberships/policy.ts';
import { canReadMovements, canSeeMovement } from '../src/movements/policy.ts';
import { canGovernOrganizations, canSeeOrganization, canUpdateOrganization } from '../src/organizations/policy.ts';
import { canReadAuditLog, canReadDetails } from '../src/oversight/policy.ts';
import type { Viewer } from '../src/viewer.ts';
import {
  administrators,
  families,
  family,
  guardians,
  here,
  leaders,
  members,
  ofGroup,
  people,
  staff,
  type Who,
  whoOf,
} from './support/cast.ts';

const others = { organizationId: here, userId: 'another' };
const own = { organizationId: here, userId: 'me' };
const staffGroup = { organizationId: here, id: 'staff', kind: 'STAFF' } as const;
const ageGroup = { organizationId: here, id: 'sun', kind: 'AGE_GROUP' } as const;
const assignment = { userId: 'somebody', organizationId: here, groupId: 'sun' };
const child = { organizationId: here, id: 'masha', groupId: 'sun' };
const childWithoutPlace = { ...child, groupId: null };
const link = {
  organizationId: here,
  childId: 'masha',
  groupId: 'sun',
  userId: 'another',
  state: 'ACTIVE',
  isHidden: false,
} as const;
const hiddenLink = { ...link, isHidden: true };
const ownLink = { ...hiddenLink, userId: 'me' };
const enrolled = { organizationId: here, childId: 'masha', userId: null, fromGroupId: null, toGroupId: 'sun' };
const graduated = { ...enrolled, fromGroupId: 'sun', toGroupId: null };
const assigned = { organizationId: here, childId: null, userId: 'another', fromGroupId: null, toGroupId: 'sun' };
const invite = { organizationId: here, createdBy: 'another' };
const ownInvite = { ...invite, createdBy: 'me' };

/** The law of domain.md §3, a sentence a line: who may, and nobody else. */
const law: [string, (viewer: Viewer) => boolean, readonly Who[]][] = [
  ['sees an organization', (who) => canSeeOrganization(who, here), [...members, 'operator']],
  ['edits an organization', (who) => canUpdateOrganization(who, here), administrators],
  ['suspends an organization', canGovernOrganizations, ['operator']],
  ['lists the members', (who) => canListMembers(who, here), [...leaders, ...staff]],
  [
    'sees a colleague',
    (who) => canSeeMembership(who, { ...others, role: 'EMPLOYEE', state: 'ACTIVE' }),
    [...leaders, ...staff],
  ],
  ['reaches a colleague', (who) => canReachMember(who, { ...others, groupIds: [] }), leaders],
  [
    'reaches who works in their own group',
    (who) => canReachMember(who, { ...others, groupIds: ['sun'] }),
    [...leaders, 'teacher'],
  ],
  [
    'reads what was changed, and why, in what they did themselves',
    (who) => canReadDetails(who, { organizationId: here }),
    leaders,
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
  ['invites a guardian', (who) => canInvite(who, ageGroup, 'GUARDIAN'), [...leaders, 'teacher']],
  ['invites employees somewhere', (who) => canInviteSomewhere(who, here, 'EMPLOYEE'), administrators],
  ['invites students somewhere', (who) => canInviteSomewhere(who, here, 'STUDENT'), administrators],
  [
    'invites guardians somewhere',
    (who) => canInviteSomewhere(who, here, 'GUARDIAN'),
    [...leaders, 'teacher', 'teacherOfAnotherGroup'],
  ],
  ['lists invites', (who) => canListInvites(who, here), [...leaders, ...staff]],
  ['sees another’s invite', (who) => canSeeInvite(who, invite), administrators],
  ['sees their own invite', (who) => canSeeInvite(who, ownInvite), [...leaders, ...staff]],
  ['annuls another’s invite', (who) => canRevokeInvite(who, invite), administrators],
  ['annuls their own invite', (who) => canRevokeInvite(who, ownInvite), [...leaders, ...staff]],
  ['lists groups', (who) => canListGroups(who, here), [...leaders, ...staff, ...families]],
  ['sees the group «Staff»', (who) => canSeeGroup(who, staffGroup), [...leaders, ...staff]],
  ['sees any other group', (who) => canSeeGroup(who, ageGroup), [...leaders, 'teacher', ...ofGroup]],
  ['looks into a group', (who) => canLookInto(who, ageGroup), [...leaders, 'teacher']],
  ['looks into the group «Staff»', (who) => canLookInto(who, staffGroup), leaders],
  ['builds the structure of groups', (who) => canArrangeGroups(who, here), administrators],
  ['sees who works in a group', (who) => canSeeAssignment(who, assignment), [...leaders, 'teacher', ...ofGroup]],
  ['assigns staff', (who) => canAssignStaff(who, here), administrators],
  ['lists children', (who) => canListChildren(who, here), [...leaders, ...staff]],
  ['reads a child’s record', (who) => canSeeChild(who, child), [...leaders, 'teacher', ...family]],
  ['reads what the institution keeps of a child', (who) => canKeepRecord(who, child), [...leaders, 'teacher']],
  ['keeps a record of a child without a place', (who) => canKeepRecord(who, childWithoutPlace), leaders],
  ['keeps children’s records and moves them', (who) => canArrangeChildren(who, here), administrators],
  ['sees a child’s guardian', (who) => canSeeGuardianLink(who, link), [...leaders, 'teacher', ...family]],
  ['sees a guardian who is hidden', (who) => canSeeGuardianLink(who, hiddenLink), [...leaders, 'teacher']],
  [
    'sees who was a guardian or is to be one',
    (who) =>
      canSeeGuardianLink(who, { ...link, state: 'REVOKED' }) || canSeeGuardianLink(who, { ...link, state: 'PENDING' }),
    [...leaders, 'teacher'],
  ],
  ['sees that they are a guardian themself', (who) => canSeeGuardianLink(who, ownLink), members],
  ['reaches a guardian', (who) => canReachGuardian(who, link), [...leaders, 'teacher']],
  ['hides another guardian', (who) => canSetContactVisibility(who, link), administrators],
  ['hides themself from other guardians', (who) => canSetContactVisibility(who, ownLink), members],
  ['ends that somebody stands for a child', (who) => canRevokeGuardianLink(who, link), administrators],
  ['reads the journal', (who) => canReadMovements(who, here), [...leaders, ...staff]],
  ['sees a child come', (who) => canSeeMovement(who, enrolled), [...leaders, 'teacher', ...guardians]],
  ['sees a child go', (who) => canSeeMovement(who, graduated), [...leaders, 'teacher', ...guardians]],
  ['sees where an employee moves', (who) => canSeeMovement(who, assigned), [...leaders, 'teacher']],
  [
    'sees where they themselves move',
    (who) => canSeeMovement(who, { ...assigned, userId: 'me' }),
    [...leaders, ...staff],
  ],
  ['reads the audit log', (who) => canReadAuditLog(who, here), leaders],
  ['lists applications', canListApplications, ['operator']],
  ['sees another’s application', (who) => canSeeApplication(who, { applicantId: 'another' }), ['operator']],
  ['decides another’s application', (who) => canDecideApplication(who, { applicantId: 'another' }), ['operator']],
  ['decides their own application', (who) => canDecideApplication(who, { applicantId: 'me' }), []],
];

describe('who', () => {
  test.each(law)('%s', (_sentence, may, allowed) => {
    expect(whoOf(may)).toEqual([...allowed].sort());
  });
});
