import { expect, test } from 'vitest';
import { canSeeApplication } from '../src/applications/policy.ts';
import { canSeeAssignment } from '../src/assignments/policy.ts';
import { leastOf } from '../src/audiences/policy.ts';
import { audienceKind } from '../src/audiences/tables.ts';
import { canReadChannel } from '../src/channels/policy.ts';
import { canKeepRecord, canSeeChild } from '../src/children/policy.ts';
import { canSeeComment, canSeeCommenter, canSeeDecision } from '../src/comments/policy.ts';
import { commentState } from '../src/comments/tables.ts';
import { canLookInto, canSeeGroup } from '../src/groups/policy.ts';
import { canReachGuardian, canSeeGuardianLink } from '../src/guardians/policy.ts';
import { canSeeInvite } from '../src/invites/policy.ts';
import { canSeeJoinRequest } from '../src/join-requests/policy.ts';
import { canReadReason, canSeeAdministrators, canSeeMembership } from '../src/memberships/policy.ts';
import { canSeeAuthor } from '../src/messages/policy.ts';
import { canSeeMovement } from '../src/movements/policy.ts';
import { canSeeOrganization } from '../src/organizations/policy.ts';
import { canSeeHistory, canSeePost } from '../src/posts/policy.ts';
import { postState } from '../src/posts/tables.ts';
import { type Standing, Viewer } from '../src/viewer.ts';

const here = 'here';
const somebody = { organizationId: here, userId: 'somebody', createdBy: 'somebody', applicantId: 'somebody' };
const ourGroup = 'our group';

const channels = [
  ...(['COMMUNITY', 'STAFF'] as const).map((kind) => ({ ...somebody, kind, groupId: null, state: 'ACTIVE' }) as const),
  ...[ourGroup, 'another group'].map((groupId) => ({ ...somebody, kind: 'GROUP', groupId, state: 'ACTIVE' }) as const),
];

/** The rules about posts in a channel and the comments below them, in every state. */
function rulesOfPosts(channel: (typeof channels)[number]): ((viewer: Viewer) => boolean)[] {
  return postState.enumValues.flatMap((state) =>
    [null, new Date()].flatMap((publishedAt): ((viewer: Viewer) => boolean)[] => {
      const post = { state, publishedAt, authorId: 'somebody', commenting: 'OPEN', channel } as const;
      const comments = commentState.enumValues.flatMap((commented) =>
        [[], [ourGroup], ['another group', null]].map((limitedIn) => {
          return {
            organizationId: here,
            state: commented,
            authorId: 'somebody',
            shownAt: publishedAt,
            post,
            limitedIn,
          };
        }),
      );
      return [
        (viewer) => canSeePost(viewer, post),
        (viewer) => canSeeHistory(viewer, post),
        ...comments.flatMap((comment) => [
          (viewer: Viewer) => canSeeComment(viewer, comment),
          (viewer: Viewer) => canSeeComment(viewer, comment) && canSeeCommenter(viewer, comment),
          (viewer: Viewer) => canSeeDecision(viewer, comment),
        ]),
      ];
    }),
  );
}

/** Every rule of what may be seen, about things of one organization that belong to somebody else. */
const rules: readonly ((viewer: Viewer) => boolean)[] = [
  (viewer) => canSeeOrganization(viewer, here),
  (viewer) => canSeeApplication(viewer, somebody),
  (viewer) => canSeeInvite(viewer, somebody),
  (viewer) => canSeeJoinRequest(viewer, somebody),
  (viewer) => canReadReason(viewer, somebody),
  (viewer) => canSeeAdministrators(viewer, here),
  ...(['EMPLOYEE', 'GUARDIAN', 'STUDENT'] as const).flatMap((role) =>
    (['ACTIVE', 'SUSPENDED', 'ENDED'] as const).map(
      (state) => (viewer: Viewer) => canSeeMembership(viewer, { ...somebody, role, state }),
    ),
  ),
  ...(['STAFF', 'CLASS'] as const).flatMap((kind) =>
    [ourGroup, 'another group'].map((id) => (viewer: Viewer) => canSeeGroup(viewer, { ...somebody, kind, id })),
  ),
  ...[ourGroup, 'another group'].flatMap((groupId): ((viewer: Viewer) => boolean)[] => {
    const child = { ...somebody, id: 'their child', childId: 'their child', groupId };
    return [
      (viewer) => canLookInto(viewer, { ...somebody, id: groupId }),
      (viewer) => canSeeChild(viewer, child),
      (viewer) => canKeepRecord(viewer, child),
      (viewer) => canSeeAssignment(viewer, child),
      (viewer) => canReachGuardian(viewer, child),
      (viewer) => canSeeMovement(viewer, { ...child, fromGroupId: groupId, toGroupId: null }),
      ...[false, true].map(
        (isHidden) => (viewer: Viewer) => canSeeGuardianLink(viewer, { ...child, state: 'ACTIVE', isHidden }),
      ),
    ];
  }),
  ...[[ourGroup], ['another group', null]].map((limitedIn) => {
    const message = { ...somebody, number: 1, authorId: 'somebody', sentAt: new Date(), limitedIn } as const;
    return (viewer: Viewer) => canSeeAuthor(viewer, { ...message, state: 'SENT', capacity: 'GUARDIAN' });
  }),
  ...channels.flatMap((channel) => [(viewer: Viewer) => canReadChannel(viewer, channel), ...rulesOfPosts(channel)]),
];

/** Everything that somebody may be in an organization, with a place in our group and without. */
const standings: readonly Standing[] = (['EMPLOYEE', 'GUARDIAN', 'STUDENT'] as const).flatMap((role) =>
  (role === 'EMPLOYEE' ? ([null, 'HEAD', 'EDUCATOR'] as const) : [null]).flatMap((position) =>
    [false, true].flatMap((verified) =>
      [false, true].flatMap((administrator) =>
        // Who is not confirmed has no place, however assigned.
        (role === 'EMPLOYEE' && !verified ? [[]] : [[], [ourGroup]]).map((groupIds) => ({
          organizationId: here,
          membershipId: 'm',
          role,
          position,
          verified,
          administrator,
          groupIds,
          childIds: role === 'EMPLOYEE' || groupIds.length === 0 ? [] : ['my child'],
        })),
      ),
    ),
  ),
);

/** Who belongs in the audiences of an organization, as its view says. */
const belongs: Readonly<Record<string, (standing: Standing) => boolean>> = {
  MEMBERS: () => true,
  EMPLOYEES: ({ role }) => role === 'EMPLOYEE',
  STAFF: ({ role, verified, administrator }) => role === 'EMPLOYEE' && (verified || administrator),
  VERIFIED_STAFF: ({ role, verified }) => role === 'EMPLOYEE' && verified,
  ADMINISTRATORS: ({ administrator }) => administrator,
  GROUP: ({ groupIds, administrator, position, verified }) =>
    groupIds.includes(ourGroup) || administrator || (position === 'HEAD' && verified),
  GROUP_STAFF: ({ role, groupIds }) => role === 'EMPLOYEE' && groupIds.includes(ourGroup),
  CHAT: ({ role, verified, administrator }) => role !== 'EMPLOYEE' || verified || administrator,
  GROUP_GUARDIANS: ({ role, groupIds }) => role !== 'STUDENT' && groupIds.includes(ourGroup),
};

const viewer = (own: readonly Standing[], isOperator = false) =>
  new Viewer({ userId: 'me', sessionId: 's', phone: '+79160000000', locale: 'en', isOperator, standings: own });

test.each(audienceKind.enumValues)('what the least of %s may see, everybody in it may', (kind) => {
  const organizationId = kind === 'OPERATORS' ? null : here;
  const least = leastOf({
    id: 'audience',
    kind,
    organizationId,
    subjectId: kind.startsWith('GROUP') ? ourGroup : kind === 'CHAT' ? 'a chat' : null,
  });
  if (!least) throw new Error('nobody is the least');
  const seen = rules.filter((rule) => rule(least));
  expect(seen.length).toBeGreaterThan(0);
  const members =
    kind === 'OPERATORS'
      ? [viewer([], true), ...standings.map((standing) => viewer([standing], true))]
      : standings.filter((standing) => belongs[kind]?.(standing)).map((standing) => viewer([standing]));
  expect(members.length).toBeGreaterThan(0);
  for (const member of members) for (const rule of seen) expect(rule(member)).toBe(true);
});

test('of one person alone it is known who they are, and no more', () => {
  const least = leastOf({ id: 'me', kind: 'PERSON', organizationId: null, subjectId: null });
  expect(least).toMatchObject({ userId: 'me', standings: [], isOperator: false });
  expect(rules.filter((rule) => least && rule(least))).toEqual([]);
});

test('of a kind that nobody has thought of nobody is the least', () => {
  expect(leastOf({ id: 'x', kind: 'UNHEARD_OF', organizationId: here, subjectId: null })).toBeNull();
});
