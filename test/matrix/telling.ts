import type { Json } from '../support/client.ts';
import { type Act, type Acts, type Arrange, eachCase, inState, on } from './acts.ts';
import { Board, type Case, caseOf, comments, publishAt, publishes, writes } from './board.ts';
import { isRefusal, type Role, type Rule, readLaw } from './law.ts';
import type { Actor, Scene } from './scene.ts';

const law = readLaw();

/** The post of a case: made anew for who is to change it, as it stands for all who are refused. */
export const postOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => ({
    postId: await idOfPost(await Board.of(scene), caseOf(text), who, role, !isRefusal(answers[role])),
  });

function idOfPost(board: Board, which: Case, who: Actor, role: Role, fresh: boolean): Promise<string> {
  if (which.own && writes(role, which.where)) {
    const make = () => board.post(which, who);
    return fresh ? make() : board.once(`post ${which.state} ${which.where} by ${role}`, make);
  }
  return fresh ? board.post(which) : board.shown(which.state, which.where);
}

/** As `postOf`, the comment of a case. Who publishes there has none that waits, and tries another’s. */
export const commentOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => {
    const [board, which] = [await Board.of(scene), caseOf(text)];
    const hasOwn = comments(role, which.where) && !(which.state === 'PENDING' && publishes(role, which.where));
    const by = which.own && hasOwn ? who : undefined;
    const make = () => board.comment(which, by);
    const name = `comment ${which.state} ${which.where} ${by ? `by ${role}` : ''}`;
    return { commentId: await (isRefusal(answers[role]) ? board.once(name, make) : make()) };
  };

/** The channel of a case: one that was added where it is to be changed, else the one that is always there. */
const channelOf =
  ({ case: text }: Rule): Arrange =>
  async (scene) => {
    const channelId = (await Board.of(scene)).channel(caseOf(text).where);
    return { channelId, input: { channelId, description: 'What there is to eat' } };
  };
const furtherOf =
  (state: string) =>
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, _who, role) => {
    const board = await Board.of(scene);
    const { where } = caseOf(text);
    const make = () => board.further(where, state);
    return { channelId: await (isRefusal(answers[role]) ? board.once(`channel ${state} ${where}`, make) : make()) };
  };

const capital = (field: string): string => field.charAt(0).toUpperCase() + field.slice(1);

/** A mutation in all the cases that the law has of it. */
export const mutation = (
  field: string,
  arrange: (rule: Rule) => Arrange,
  expected: (result: Json) => boolean,
  more: (variables: Json, scene: Scene) => object | Promise<object> = () => ({}),
): Acts =>
  eachCase(law, `Mutation.${field}`, (rule): Act => {
    const first = arrange(rule);
    const whole: Arrange = async (scene, who, role) => {
      const variables = await first(scene, who, role);
      return { ...variables, ...(await more(variables, scene)) };
    };
    return on(capital(field), whole, expected);
  });

const channels: Acts = {
  ...mutation(
    'createChannel',
    (rule) => async (scene) => ({ input: (await Board.of(scene)).furtherInput(caseOf(rule.case).where) }),
    inState('ACTIVE'),
  ),
  ...mutation('updateChannel', channelOf, ({ description }) => description !== null),
  ...mutation('archiveChannel', furtherOf('ACTIVE'), inState('ARCHIVED')),
  ...mutation('restoreChannel', furtherOf('ARCHIVED'), inState('ACTIVE')),
  ...mutation('muteChannel', channelOf, ({ viewerIsMuted }) => viewerIsMuted),
  ...mutation('unmuteChannel', channelOf, ({ viewerIsMuted }) => !viewerIsMuted),
  ...mutation('markChannelRead', channelOf, ({ viewerUnreadCount }) => viewerUnreadCount === 0),
};

const text = 'Tomorrow at ten';
const emoji = '👍';

const posts: Acts = {
  ...mutation(
    'draftPost',
    (rule) => async (scene) => ({
      input: { channelId: (await Board.of(scene)).channel(caseOf(rule.case).where), text },
    }),
    inState('DRAFT'),
  ),
  ...mutation(
    'updatePost',
    postOf,
    (post) => post.text === text,
    ({ postId }) => ({ input: { postId, text } }),
  ),
  ...mutation('publishPost', postOf, inState('PUBLISHED')),
  ...mutation('schedulePost', postOf, inState('SCHEDULED'), () => ({ publishAt })),
  ...mutation('cancelScheduledPost', postOf, (post) => post.publishAt === null),
  ...mutation('suggestPost', postOf, inState('SUGGESTED')),
  ...mutation('withdrawSuggestion', postOf, inState('DRAFT')),
  ...mutation('approveSuggestion', postOf, inState('APPROVED')),
  ...mutation('rejectSuggestion', postOf, inState('DRAFT'), () => ({ comment: 'Say where' })),
  ...mutation('pinPost', postOf, ({ isPinned }) => isPinned),
  ...mutation(
    'unpinPost',
    postOf,
    ({ isPinned }) => !isPinned,
    async ({ postId }, { arranger }) => {
      await arranger.does('PinPost', { postId });
      return {};
    },
  ),
  ...mutation('archivePost', postOf, inState('ARCHIVED')),
  ...mutation('restorePost', postOf, inState('PUBLISHED')),
  ...mutation('deletePost', postOf, inState('DELETED')),
  ...mutation('acknowledgePost', postOf, ({ viewerAcknowledgedAt }) => viewerAcknowledgedAt !== null),
  ...mutation('remindUnacknowledged', postOf, ({ remindedCount }) => remindedCount > 0),
  ...mutation(
    'addReaction',
    postOf,
    ({ viewerReactions }) => viewerReactions.includes(emoji),
    () => ({ emoji }),
  ),
  ...mutation(
    'removeReaction',
    postOf,
    ({ viewerReactions }) => viewerReactions.length === 0,
    () => ({ emoji }),
  ),
};

const said = 'We shall all come';

const remarks: Acts = {
  ...mutation(
    'addComment',
    (rule) => async (scene) => ({ postId: await (await Board.of(scene)).shown('PUBLISHED', caseOf(rule.case).where) }),
    ({ state }) => state === 'PENDING' || state === 'PUBLISHED',
    () => ({ text: said }),
  ),
  ...mutation(
    'updateComment',
    commentOf,
    (comment) => comment.text === said,
    () => ({ text: said }),
  ),
  ...mutation('deleteComment', commentOf, inState('DELETED')),
  ...mutation('approveComment', commentOf, inState('PUBLISHED')),
  ...mutation('rejectComment', commentOf, inState('REJECTED'), () => ({ reason: 'Not here' })),
};

/** How to run each rule on telling: channels, posts and what is said about them. */
export const telling: Acts = { ...channels, ...posts, ...remarks };
