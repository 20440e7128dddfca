import { type Act, type Acts, apart } from './acts.ts';
import { follows } from './answers.ts';

const nothing = async (): Promise<void> => {};

/** Follows a group that gets a new name meanwhile. */
const group =
  (own: boolean): Act =>
  ({ classId, otherClassId, arranger }, who, role) => {
    const groupId = own ? classId : otherClassId;
    return follows(who, 'GroupEvents', { groupId }, 'GroupChanged', () =>
      arranger.does('UpdateGroup', { input: { groupId, name: `1${own ? 'A' : 'B'}, for the ${role}` } }),
    );
  };

/** How to run each rule on following. */
export const following: Acts = {
  'Subscription.viewerEvents': (_scene, who) =>
    follows(who, 'ViewerEvents', {}, 'ProfileUpdated', () =>
      who.token ? who.does('UpdateProfile', { input: { patronymic: 'Ivanovich' } }) : nothing(),
    ),
  'Subscription.joinRequestDecided': apart((scene, who) =>
    follows(who, 'JoinRequestDecided', {}, 'JoinRequestDecided', async () => {
      if (!who.token) return;
      const joinRequestId = await scene.request(who);
      await scene.arranger.does('RejectJoinRequest', { joinRequestId, reason: 'Not yet' });
    }),
  ),
  'Subscription.joinRequestSubmitted': (scene, who) =>
    follows(who, 'JoinRequestSubmitted', { organizationId: scene.school.id }, 'JoinRequestSubmitted', () =>
      scene.request(),
    ),
  'Subscription.groupEvents of one’s own group': group(true),
  'Subscription.groupEvents of another group': group(false),
  'Subscription.organizationEvents': ({ school, arranger }, who) =>
    follows(who, 'OrganizationEvents', { organizationId: school.id }, 'OrganizationChanged', () =>
      arranger.does('UpdateOrganization', { input: { organizationId: school.id, website: 'https://example.org' } }),
    ),
};
