import type { Json } from '../support/client.ts';
import { type Act, type Acts, apart, eachCase } from './acts.ts';
import { follows, hears } from './answers.ts';
import { Board, caseOf, places, type Where } from './board.ts';
import { readLaw } from './law.ts';
import type { Scene } from './scene.ts';

const law = readLaw();

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

/** Follows one channel, in which something is published meanwhile. */
const channel = (operation: string, which: string): Act => {
  const { where } = caseOf(which);
  return async (scene, who) => {
    const board = await Board.of(scene);
    const channelId = board.channel(where);
    const { world, arranger } = scene;
    return follows(who, operation, { channelId }, 'PostPublished', () =>
      who.token ? world.post(arranger, channelId) : nothing(),
    );
  };
};

/** Follows one channel while something happens that is not for all, and then something that is: whether both are heard. */
const behind =
  (
    operation: string,
    where: Where,
    happens: (board: Board) => Promise<unknown>,
    isThat: (event: Json) => boolean,
  ): Act =>
  async (scene, who) => {
    const board = await Board.of(scene);
    const channelId = board.channel(where);
    const cause = async () => {
      if (who.token) await happens(board);
      return who.token ? scene.world.post(scene.arranger, channelId) : '';
    };
    return hears(who, operation, { channelId }, cause, (delivered) => (delivered.some(isThat) ? 'OK' : 'NONE'));
  };

const ofKind =
  (kind: string) =>
  (event: Json): boolean =>
    event.kind === kind;

/** Something is published in another channel that the same people read. */
const elsewhere = (operation: string): Act => {
  const text = 'There is soup';
  return async (scene, who, role) => {
    const { world, arranger } = scene;
    const publish = async (board: Board) => {
      const channelId = await board.once('channel ACTIVE COMMUNITY', () => board.further('COMMUNITY', 'ACTIVE'));
      return world.post(arranger, channelId, text);
    };
    return behind(operation, 'COMMUNITY', publish, ({ post }) => post?.text === text)(scene, who, role);
  };
};

const waiting = (where: Where): Act =>
  behind(
    'ChannelEvents',
    where,
    (board) => board.comment({ state: 'PENDING', own: false, where }),
    ofKind('COMMENT_SUBMITTED'),
  );

const inEveryChannel = async ({ world, arranger }: Scene, board: Board): Promise<string> => {
  const wheres = Object.keys(places) as Where[]; // keys of a constant
  for (const where of wheres.toReversed().slice(0, -1)) await world.post(arranger, board.channel(where));
  return world.post(arranger, board.channel('COMMUNITY'));
};

/** How to run each rule on following. */
export const following: Acts = {
  'Subscription.viewerEvents': (_scene, who) =>
    follows(who, 'ViewerEvents', {}, 'ProfileUpdated', () =>
      who.token ? who.does('UpdateProfile', { input: { locale: 'ru' } }) : nothing(),
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
  ...eachCase(law, 'Subscription.channelEvents', ({ case: which }) =>
    which.startsWith('in ') ? channel('ChannelEvents', which) : null,
  ),
  'Subscription.channelEvents of what is suggested in COMMUNITY': behind(
    'ChannelEvents',
    'COMMUNITY',
    (board) => board.post({ state: 'SUGGESTED', own: false, where: 'COMMUNITY' }),
    ofKind('POST_SUGGESTED'),
  ),
  'Subscription.channelEvents of another channel for the readers of COMMUNITY': elsewhere('ChannelEvents'),
  'Subscription.postPublished of another channel for the readers of COMMUNITY': elsewhere('PostPublished'),
  'Subscription.channelEvents of comments that wait in COMMUNITY': waiting('COMMUNITY'),
  'Subscription.channelEvents of comments that wait in GROUP of one’s own': waiting('GROUP of one’s own'),
  ...eachCase(law, 'Subscription.postPublished', ({ case: which }) =>
    which.startsWith('in ') ? channel('PostPublished', which) : null,
  ),
  'Subscription.postPublished of the organization': async (scene, who) => {
    const board = await Board.of(scene);
    const cause = async () => (who.token ? inEveryChannel(scene, board) : '');
    return hears(who, 'PostPublished', { organizationId: scene.school.id }, cause, (delivered) =>
      board.seen(new Set(delivered.map(({ post }) => post.channel.id))),
    );
  },
};
