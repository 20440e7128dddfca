import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { ChannelType, CommentingEnum } from '../channels/graphql.ts';
import { canPublish, canSuggest } from '../channels/policy.ts';
import type { Database } from '../database/connect.ts';
import { html, plainText } from '../documents/rendered.ts';
import { InvalidState } from '../errors.ts';
import { FileType } from '../files/graphql.ts';
import { fileOwner } from '../files/queries.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { prices } from '../graphql/cost.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import type { Viewer } from '../viewer.ts';
import { deletePost, draftPost, updatePost } from './commands.ts';
import { canDeletePost, canEditPost, canKeepPost, canPublishPost, canSeeHistory, canSeePost } from './policy.ts';
import { type Post, postById, stepsOf } from './queries.ts';
import type { PostRow, PostStep } from './tables.ts';

export const PostStateEnum = builder.enumType('PostState', {
  description: 'Where a post stands.',
  values: {
    DRAFT: { description: 'Being written; its author’s alone. Also what was given back by `rejectSuggestion`.' },
    SUGGESTED: { description: 'Waits for those who publish in the channel.' },
    APPROVED: { description: 'Taken up by them; to be published.' },
    SCHEDULED: { description: 'To be published at `publishAt`.' },
    PUBLISHED: { description: 'Told to the channel’s readers.' },
    ARCHIVED: { description: 'Out of the feeds; its readers still find it.' },
    DELETED: { description: 'Gone: what is left is that it was there. `text` is empty.' },
  } as const,
});

const PostStepKindEnum = builder.enumType('PostStepKind', {
  description: 'What became of a post.',
  values: {
    DRAFTED: { description: 'Begun.' },
    EDITED: { description: 'Changed; `text` is what it says since, null where the words stayed.' },
    SUGGESTED: { description: 'Handed to those who publish.' },
    WITHDRAWN: { description: 'The suggestion was taken back by its author.' },
    REJECTED: { description: 'Given back; `note` says what is to be better.' },
    APPROVED: { description: 'Taken up.' },
    SCHEDULED: { description: 'To be published at the time in `note` (ISO 8601, UTC).' },
    UNSCHEDULED: { description: 'Not to be published at that time any more.' },
    REFUSED: {
      description:
        'Its time came, but whoever had scheduled it may publish there no longer: it waits for those who may.',
    },
    PUBLISHED: { description: 'Published.' },
    ARCHIVED: { description: 'Taken out of the feeds.' },
    RESTORED: { description: 'Put back into the feeds.' },
    DELETED: { description: 'Deleted.' },
  } as const,
});

const PostStepType = builder.objectRef<PostStep>('PostStep').implement({
  description: 'One step in the history of a post.',
  fields: (t) => ({
    kind: t.field({ type: PostStepKindEnum, description: 'What happened.', resolve: ({ kind }) => kind }),
    actor: t.field({
      type: UserType,
      nullable: true,
      description: 'Who did it. Null: Homeroom itself.',
      resolve: ({ actorId, organizationId }, _args, ctx) =>
        actorId ? ctx.loadExisting(personOf, { userId: actorId, organizationId }) : null,
    }),
    text: t.exposeString('text', { nullable: true, description: 'What the post says since; null: as before.' }),
    note: t.exposeString('note', { nullable: true, description: 'What was said about it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
  }),
});

/** Lists that are short where they are not empty; a page of posts counts them so often. */
export const few = { field: 1, multiplier: 4 };

/** What a tombstone says. */
const unlessDeleted = <Value>({ state }: Post, value: Value, empty: Value): Value =>
  state === 'DELETED' ? empty : value;

export const PostType = builder.objectRef<Post>('Post');
builder.node(PostType, {
  description:
    'What is told in a channel: one object from its first draft to its end. Seen by the channel’s readers once it is published, ' +
    'before that by its author and, when it is more than a draft, by those who publish there.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(postById, canSeePost),
  fields: (t) => ({
    channel: t.field({ type: ChannelType, description: 'Where it is told.', resolve: ({ channel }) => channel }),
    author: t.field({
      type: UserType,
      nullable: true,
      description: 'Who wrote it. Null: deleted.',
      resolve: (post) => unlessDeleted(post, post.author, null),
    }),
    state: t.field({ type: PostStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    text: t.string({
      description: 'As it was written, in a subset of Markdown: up to 10,000 characters.',
      resolve: (post) => unlessDeleted(post, post.text, ''),
    }),
    html: t.string({
      description:
        'As HTML that is safe to show: paragraphs, emphasis, headings (h3 to h5), lists, quotes, code, links. No pictures.',
      complexity: prices.markdown,
      resolve: async (post) => unlessDeleted(post, await html(post.text), ''),
    }),
    plainText: t.string({
      description: 'The words alone, for previews and notifications.',
      complexity: prices.markdown,
      resolve: async (post) => unlessDeleted(post, await plainText(post.text), ''),
    }),
    attachments: t.field({
      type: [FileType],
      complexity: few,
      description: 'The files that go with it, at most 20.',
      resolve: (post) => unlessDeleted(post, [...post.files], []),
    }),
    commenting: t.field({
      type: CommentingEnum,
      description: 'Whether readers may comment on it.',
      resolve: ({ commenting }) => commenting,
    }),
    acknowledgementRequired: t.exposeBoolean('acknowledgementRequired', {
      description: 'Whether those for whom it is are asked to take note of it (`acknowledgePost`).',
    }),
    isPinned: t.boolean({ description: 'Whether it stands above the others.', resolve: ({ pinnedAt }) => !!pinnedAt }),
    publishAt: t.expose('publishAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is to be published; null unless SCHEDULED.',
    }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was published; null: it was not.',
    }),
    editedAt: t.expose('editedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its words or files were last changed after publication; null: never.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was begun.' }),
    recipientCount: t.int({
      nullable: true,
      description:
        'For how many people it was when it was published. Null: it was not, or not for this viewer (only its author and those ' +
        'who publish there).',
      resolve: (post, _args, ctx) => (ctx.sees(canSeeHistory, post) ? post.recipientCount : null),
    }),
    history: t.connection({
      perViewer: true,
      type: PostStepType,
      nullable: true,
      description:
        'What became of it, latest first, with its earlier words until it is deleted. Null: not for this viewer (only its author and those who ' +
        'publish there).',
      resolve: (post, args, ctx) =>
        canSeeHistory(ctx.viewer, post) ? listed(ctx, args, stepsOf, { parentId: post.id, filter: null }) : null,
    }),
    viewerCanEdit: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may change what it says.',
      resolve: (post, _args, ctx) => canEditPost(ctx.viewer, post),
    }),
    viewerCanSuggest: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may suggest it now: one’s own draft (§2.2.5).',
      resolve: (post, _args, { viewer }) =>
        post.state === 'DRAFT' && post.authorId === viewer.userId && canSuggest(viewer, post.channel),
    }),
    viewerCanPublish: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may publish it now, or at a time.',
      resolve: (post, _args, ctx) =>
        ['DRAFT', 'APPROVED', 'SCHEDULED'].includes(post.state) && canPublishPost(ctx.viewer, post),
    }),
    viewerCanDecide: t.boolean({
      perViewer: true,
      description:
        'Whether the viewer may approve it, or give it back: what is SUGGESTED, and give back what is APPROVED.',
      resolve: (post, _args, ctx) =>
        (post.state === 'SUGGESTED' || post.state === 'APPROVED') && canPublish(ctx.viewer, post.channel),
    }),
    viewerCanKeep: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may pin it, archive it, moderate its comments and see its reach.',
      resolve: (post, _args, ctx) => canKeepPost(ctx.viewer, post),
    }),
    viewerCanDelete: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may delete it.',
      resolve: (post, _args, ctx) => post.state !== 'DELETED' && canDeletePost(ctx.viewer, post),
    }),
  }),
});

fileOwner('POST', { by: postById, sees: (ctx, post) => post.state !== 'DELETED' && ctx.sees(canSeePost, post) });

/** A post as queries read it, with what stands around it. */
export const shownPost = async (ctx: Context, changed: Promise<Pick<PostRow, 'id'>>): Promise<Post> =>
  ctx.loadExisting(postById, (await changed).id);

const which = { required: true, description: 'Which post.' } as const;
const said = {
  text: 'What it says, in Markdown: 1 to 10,000 characters.',
  fileIds: 'Files that the viewer has uploaded and that are attached to nothing else, in their order: at most 20.',
  acknowledgementRequired: 'Whether its readers are asked to take note of it.',
  commenting: 'Whether readers may comment on it.',
};

const filesOf = (fileIds: readonly string[] | null | undefined) => fileIds?.map((id) => idOf('File', id));

builder.mutationField('draftPost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Begins a post; nobody else sees it yet. Then `publishPost` or `schedulePost` by those who publish in the channel ' +
      '(§2.1.14), `suggestPost` by the head and confirmed staff (§2.2.5).',
    errors: { types: [InvalidState] },
    input: {
      channelId: t.input.id({ required: true, description: 'Where it is to be told.' }),
      text: t.input.string({ required: true, description: said.text }),
      fileIds: t.input.idList({ description: said.fileIds }),
      acknowledgementRequired: t.input.boolean({ description: `${said.acknowledgementRequired} No unless given.` }),
      commenting: t.input.field({
        type: CommentingEnum,
        description: `${said.commenting} As the channel unless given.`,
      }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first post.',
      }),
    },
    resolve: (_root, { input: { channelId, fileIds, ...wish } }, ctx) =>
      shownPost(
        ctx,
        draftPost(ctx.db, ctx.viewer, { ...wish, channelId: idOf('Channel', channelId), fileIds: filesOf(fileIds) }),
      ),
  }),
);

builder.mutationField('updatePost', (t) =>
  t.fieldWithInput({
    type: PostType,
    description:
      'Changes a post; what is left out stays. A draft: its author; later: those who publish there. Once published, its readers ' +
      'hear of it and see that it was edited.',
    errors: { types: [InvalidState] },
    input: {
      postId: t.input.id(which),
      text: t.input.string({ description: said.text }),
      fileIds: t.input.idList({
        description: `All of its files from now on. ${said.fileIds} What is left out is deleted.`,
      }),
      acknowledgementRequired: t.input.boolean({ description: `${said.acknowledgementRequired} Not once published.` }),
      commenting: t.input.field({ type: CommentingEnum, description: said.commenting }),
    },
    resolve: (_root, { input: { postId, fileIds, ...changes } }, ctx) =>
      shownPost(ctx, updatePost(ctx.db, ctx.viewer, idOf('Post', postId), { ...changes, fileIds: filesOf(fileIds) })),
  }),
);

/** A mutation that takes a post and nothing else. */
export function postMutation(
  name: string,
  description: string,
  command: (db: Database, viewer: Viewer, postId: string) => Promise<PostRow>,
): void {
  builder.mutationField(name, (t) =>
    t.fieldWithInput({
      type: PostType,
      description,
      errors: { types: [InvalidState] },
      input: { postId: t.input.id(which) },
      resolve: (_root, { input }, ctx) => shownPost(ctx, command(ctx.db, ctx.viewer, idOf('Post', input.postId))),
    }),
  );
}

postMutation(
  'deletePost',
  'Deletes a post with its files for good; of a published one its readers keep a tombstone. What was not published: also its ' +
    'author; else those who publish there. Repeating it changes nothing.',
  deletePost,
);

export const PostPublished = liveEvent('PostPublished', {
  concerns: 'ORGANIZATION',
  kinds: { POST_PUBLISHED: 'A post was published.' },
  description: 'A post was published. For the channel’s readers.',
  subject: { name: 'post', type: PostType, by: postById, canSee: canSeePost },
});

liveEvent('PostChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    POST_EDITED: 'A published post was edited.',
    POST_PINNED: 'It was pinned.',
    POST_UNPINNED: 'It is pinned no longer.',
    POST_ARCHIVED: 'It was taken out of the feeds.',
    POST_RESTORED: 'It was put back into the feeds.',
    POST_DELETED: 'It was deleted.',
    POST_DRAFTED: 'The viewer has begun it, here or on another device.',
    POST_SUGGESTED: 'It was suggested. For those who publish there, and its author; as those that follow.',
    POST_WITHDRAWN: 'The suggestion was taken back.',
    POST_APPROVED: 'The suggestion was approved.',
    POST_REJECTED: 'The suggestion was given back: see its history.',
    POST_SCHEDULED: 'It is to be published at a time.',
    POST_REFUSED: 'Its time came, but it could not be published any more: see its history.',
    POST_CHANGED: 'It was changed before its publication, or is not scheduled any more.',
    POST_ACKNOWLEDGED: 'Somebody has acknowledged it. For those who publish there, and that person.',
    POST_REMINDED: 'The viewer is reminded to acknowledge it. For the viewer alone.',
    POST_REACTED: 'The viewer has reacted, or no longer. For the viewer’s own devices.',
  },
  description: 'A post was changed, or something was done with it.',
  subject: { name: 'post', type: PostType, by: postById, canSee: canSeePost },
});
