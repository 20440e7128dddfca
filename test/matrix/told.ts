import type { Json } from '../support/client.ts';
import { type Act, type Acts, eachCase } from './acts.ts';
import { found, node, reads } from './answers.ts';
import { Board, caseOf, type Where, writes } from './board.ts';
import { lookedAt, type Role, type Rule, readLaw } from './law.ts';
import type { Actor, Scene } from './scene.ts';
import { commentOf, postOf } from './telling.ts';

const law = readLaw();
const first = 100;
const other = (nodes: Json[]): string => JSON.stringify(nodes);
const idsOf = (nodes: Json[]): Set<string> => new Set(nodes.map(({ id }) => id));

const channel =
  (where: Where): Act =>
  async (scene, who) =>
    node(who, (await Board.of(scene)).channel(where));

/** A post or a comment, by its id. */
function nodes(rule: Rule): Act | null {
  const [type = '', ...rest] = rule.case.split(' ');
  const of = lookedAt({ ...rule, case: rest.join(' ') });
  if (type === 'Post') {
    const arrange = postOf(of);
    return async (...at) => node(at[1], ((await arrange(...at)) as Json).postId);
  }
  if (type !== 'Comment') return null;
  const arrange = commentOf(of);
  return async (...at) => node(at[1], ((await arrange(...at)) as Json).commentId);
}

/** Something is published in every channel. */
async function published(scene: Scene): Promise<Board> {
  const board = await Board.of(scene);
  const wheres = ['COMMUNITY', 'STAFF', 'GROUP of one’s own', 'GROUP of others'] as const;
  await Promise.all(wheres.map((where) => board.shown('PUBLISHED', where)));
  return board;
}

/** In which places what is seen was told; it is published there, all of it. */
const toldIn = (board: Board, posts: Json[]): string =>
  posts.every(({ state }) => state === 'PUBLISHED')
    ? board.seen(new Set(posts.map(({ channel: { id } }) => id)))
    : other(posts);

const feed =
  (filter: (scene: Scene, who: Actor) => object): Act =>
  async (scene, who) => {
    const board = await published(scene);
    return reads(who, 'Feed', { ...filter(scene, who), first: 50 }, ({ viewer }) =>
      viewer ? toldIn(board, viewer.feed.nodes) : 'NULL',
    );
  };

/** Of posts that wait for something: those of all, one’s own, or none. */
async function waitingSeen(posts: Json[], state: string, scene: Scene, role: Role): Promise<string> {
  const board = await Board.of(scene);
  const seen = idsOf(posts);
  if (seen.size === 0) return 'NONE';
  if (posts.some((post) => post.state !== state)) return other(posts);
  if (seen.has(await board.shown(state, 'COMMUNITY'))) return 'ALL';
  const own = posts.find(({ id }) => id === ownPosts.get(board)?.get(`${state} ${role}`));
  return posts.every(({ author }) => author.id === own?.author.id) ? 'OWN' : other(posts);
}
const ownPosts = new WeakMap<Board, Map<string, string>>();

/** Lets somebody have a post of their own in a state, if they may, beside that of another. */
async function waiting(state: string, scene: Scene, who: Actor, role: Role): Promise<Board> {
  const board = await Board.of(scene);
  await board.shown(state, 'COMMUNITY');
  const own = ownPosts.get(board) ?? new Map<string, string>();
  ownPosts.set(board, own);
  const isOwn = state !== 'SCHEDULED' && writes(role, 'COMMUNITY');
  const make = () => board.post({ state, own: true, where: 'COMMUNITY' }, who);
  if (isOwn) own.set(`${state} ${role}`, await board.once(`post ${state} COMMUNITY by ${role}`, make));
  return board;
}

const ofViewer =
  (state: string): Act =>
  async (scene, who, role) => {
    await waiting(state, scene, who, role);
    return reads(who, 'ViewerPosts', { state, first }, ({ viewer }) =>
      viewer ? waitingSeen(viewer.posts.nodes, state, scene, role) : 'NULL',
    );
  };

const ofOrganization =
  (state: string, seen: (posts: Json[], scene: Scene, role: Role) => string | Promise<string>): Act =>
  async (scene, who, role) => {
    await published(scene);
    await waiting(state, scene, who, role);
    return reads(who, 'OrganizationPosts', { organizationId: scene.school.id, state, first }, ({ organization }) =>
      organization ? seen(organization.posts.nodes, scene, role) : 'NULL',
    );
  };

async function scheduledSeen(posts: Json[], scene: Scene): Promise<string> {
  const board = await Board.of(scene);
  return board.seen(idsOf(posts), await scheduled(board));
}
const scheduled = (board: Board): Promise<[Where, string][]> =>
  Promise.all(
    (['COMMUNITY', 'GROUP of one’s own', 'GROUP of others'] as const).map(async (where): Promise<[Where, string]> => {
      return [where, await board.shown('SCHEDULED', where)];
    }),
  );

const ofChannel = ({ case: text }: Rule): Act => {
  const { state, where } = caseOf(text);
  return async (scene, who, role) => {
    const board = where === 'COMMUNITY' ? await waiting(state, scene, who, role) : await Board.of(scene);
    const there = await board.shown(state, where);
    return reads(who, 'ChannelPosts', { channelId: board.channel(where), state, first }, ({ node: place }) => {
      if (!place) return 'NULL';
      const { nodes: posts } = place.posts;
      return idsOf(posts).has(there) ? 'ALL' : waitingSeen(posts, state, scene, role);
    });
  };
};

const pending = ({ case: text }: Rule): Act => {
  const { where } = caseOf(text);
  return async (scene, who) => {
    const board = await Board.of(scene);
    const commentId = await board.once(`comment PENDING ${where} `, () =>
      board.comment({ state: 'PENDING', own: null, where }),
    );
    return reads(who, 'PendingComments', { channelId: board.channel(where), first }, ({ node: place }) => {
      const waits = place?.pendingComments?.nodes;
      return waits ? (idsOf(waits).has(commentId) ? 'ALL' : other(waits)) : 'NULL';
    });
  };
};

/** A field of a post that is there for some. */
const ofPost =
  (operation: string, field: string) =>
  (rule: Rule): Act => {
    const arrange = postOf(lookedAt(rule));
    return async (scene, who, role) => {
      const { postId: id } = (await arrange(scene, who, role)) as Json;
      return reads(who, operation, { id }, ({ node: post }) => found(post?.[field] ?? null));
    };
  };

/** The comments below a post, in one state: of all, one’s own, or none. */
const commentsOf = (rule: Rule): Act => {
  const { state, where } = caseOf(rule.case);
  const [one, another] = ['of one’s own ', 'of others '].map((whose) =>
    commentOf(lookedAt({ ...rule, case: `${state} ${whose}in ${where}` })),
  );
  return async (scene, who, role) => {
    const own = ((await one?.(scene, who, role)) as Json).commentId;
    const others = ((await another?.(scene, who, role)) as Json).commentId;
    const postId = await (await Board.of(scene)).shown('PUBLISHED', where);
    return reads(who, 'Comments', { postId, state, first }, ({ node: post }) => {
      if (!post) return 'NULL';
      const seen = idsOf(post.comments.nodes);
      return seen.has(others)
        ? 'ALL'
        : seen.size === 0
          ? 'NONE'
          : seen.size === 1 && seen.has(own)
            ? 'OWN'
            : other(post);
    });
  };
};

/** Who has written a comment, where it is a guardian: whoever sees it may know only that somebody has. */
const commenter = ({ case: text }: Rule): Act => {
  const [, visibility, where] = text.match(/^of a (FULL|LIMITED) guardian (in .+)$/) ?? [];
  const which = { ...caseOf(where ?? ''), state: 'PUBLISHED' };
  return async (scene, who) => {
    const board = await Board.of(scene);
    const { hidden, parent } = board;
    const commentId = await board.once(`comment ${text}`, () =>
      board.comment(which, visibility === 'LIMITED' ? hidden : parent),
    );
    const postId = await board.shown('PUBLISHED', which.where);
    return reads(who, 'Comments', { postId, first }, ({ node: post }) => {
      const comment = post?.comments.nodes.find(({ id }: Json) => id === commentId);
      return found(comment?.author ?? null);
    });
  };
};

/** The channels of a group that somebody sees. */
const ofGroup =
  (own: boolean): Act =>
  async (scene, who) => {
    const board = await Board.of(scene);
    const { classId, otherClassId } = scene;
    const query = 'query ($id: ID!) { node(id: $id) { ... on Group { channels { nodes { id } } } } }';
    const { data, errors } = await who.send(query, { id: own ? classId : otherClassId });
    if (errors) return errors[0]?.extensions.code;
    const there = board.channel(own ? 'GROUP of one’s own' : 'GROUP of others');
    return data.node ? (idsOf(data.node.channels.nodes).has(there) ? 'ALL' : other(data.node)) : 'NULL';
  };

/** How to run each rule on reading what is told. */
export const told: Acts = {
  'Viewer.channels': async (scene, who) => {
    const board = await Board.of(scene);
    return reads(who, 'ViewerChannels', { first }, ({ viewer }) =>
      viewer ? board.seen(idsOf(viewer.channels.nodes)) : 'NULL',
    );
  },
  'Viewer.feed': feed(() => ({})),
  'Viewer.feed of one’s own child': feed((scene, who) => ({ childId: scene.childOf(who) })),
  ...eachCase(law, 'Viewer.posts', ({ case: state }) => ofViewer(state)),
  'Organization.channels': async (scene, who) => {
    const board = await Board.of(scene);
    return reads(who, 'Channels', { organizationId: scene.school.id, first }, ({ organization }) =>
      organization ? board.seen(idsOf(organization.channels.nodes)) : 'NULL',
    );
  },
  'Organization.posts PUBLISHED': ofOrganization('PUBLISHED', async (posts, scene) =>
    toldIn(await Board.of(scene), posts),
  ),
  'Organization.posts SUGGESTED': ofOrganization('SUGGESTED', (posts, scene, role) =>
    waitingSeen(posts, 'SUGGESTED', scene, role),
  ),
  'Organization.posts DRAFT': ofOrganization('DRAFT', (posts, scene, role) => waitingSeen(posts, 'DRAFT', scene, role)),
  'Organization.posts SCHEDULED': async (...at) => {
    await scheduled(await Board.of(at[0]));
    return ofOrganization('SCHEDULED', scheduledSeen)(...at);
  },
  'Query.node Channel COMMUNITY': channel('COMMUNITY'),
  'Query.node Channel STAFF': channel('STAFF'),
  'Query.node Channel GROUP of one’s own': channel('GROUP of one’s own'),
  'Query.node Channel GROUP of others': channel('GROUP of others'),
  ...eachCase(law, 'Query.node', nodes),
  'Group.channels of one’s own group': ofGroup(true),
  'Group.channels of another group': ofGroup(false),
  ...eachCase(law, 'Channel.posts', ofChannel),
  ...eachCase(law, 'Channel.pendingComments', pending),
  ...eachCase(law, 'Post.history', ofPost('PostHistory', 'history')),
  ...eachCase(law, 'Post.recipientCount', ofPost('Post', 'recipientCount')),
  ...eachCase(law, 'Post.reach', ofPost('PostReach', 'reach')),
  ...eachCase(law, 'Post.comments', commentsOf),
  ...eachCase(law, 'Comment.author', commenter),
};
