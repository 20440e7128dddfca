/** What the regulation says about who tells what to whom (§2.1.14, 2.2.5, the table of §3), in the model's plain terms. */

import type { Group, School, Somebody } from './model.ts';
import { administers, belongs, enter, isVerified, leads, refuse, seesStaffOf, teaches } from './model.ts';

export interface Channel {
  id: string;
  readonly school: School;
  readonly kind: 'COMMUNITY' | 'STAFF' | 'GROUP';
  readonly group: Group | null;
  archived: boolean;
}

export interface Post {
  id: string;
  readonly channel: Channel;
  readonly author: Somebody;
  state: 'DRAFT' | 'SUGGESTED' | 'APPROVED' | 'PUBLISHED' | 'ARCHIVED' | 'DELETED';
  approved: boolean;
  /** Whether it ever was. */
  published: boolean;
}

export const channel = (school: School, kind: Channel['kind'], group: Group | null = null): Channel => ({
  id: '',
  school,
  kind,
  group,
  archived: false,
});

// What somebody may see.

export function reads({ school, kind, group }: Channel, person: Somebody): boolean {
  if (kind === 'COMMUNITY') return belongs(school, person);
  if (kind === 'STAFF') return administers(school, person) || isVerified(school, person);
  return group !== null && seesStaffOf(group, person);
}

/** Whoever publishes in a channel, whether it is in use or not. */
const isPublisher = ({ school, kind, group }: Channel, person: Somebody): boolean =>
  administers(school, person) ||
  (kind === 'GROUP' && group !== null && (leads(school, person) || teaches(group, person)));

const publishes = (where: Channel, person: Somebody): boolean => !where.archived && isPublisher(where, person);

const suggests = ({ school, kind, archived }: Channel, person: Somebody): boolean =>
  !archived && kind !== 'GROUP' && isVerified(school, person);

/** What has been handed over, and has not been published. */
const isOpen = ({ state }: Post): boolean => state === 'SUGGESTED' || state === 'APPROVED';

export const seesPost = (post: Post, person: Somebody): boolean =>
  reads(post.channel, person) &&
  (post.published || post.author === person || (isOpen(post) && isPublisher(post.channel, person)));

/** In a list of posts in one state: what was deleted is in none. */
export const finds = (post: Post, person: Somebody, state: Post['state']): boolean =>
  post.state === state && state !== 'DELETED' && seesPost(post, person);

// What may happen, and what follows from it.

export function draft(where: Channel, by: Somebody): Post {
  const { school } = where;
  enter(school, by);
  if (!reads(where, by)) refuse('NOT_FOUND');
  if (!publishes(where, by) && !suggests(where, by)) refuseIn(where);
  const post: Post = { id: '', channel: where, author: by, state: 'DRAFT', approved: false, published: false };
  school.posts.push(post);
  return post;
}

const refuseIn = ({ archived }: Channel): never => refuse(archived ? 'INVALID_STATE' : 'FORBIDDEN');

/** What can be done with a post that somebody sees. */
export const deeds = {
  suggest(post: Post, by: Somebody): void {
    if (post.author !== by) refuse('FORBIDDEN');
    if (!suggests(post.channel, by)) refuseIn(post.channel);
    become(post, 'SUGGESTED', ['DRAFT']);
  },
  withdraw(post: Post, by: Somebody): void {
    if (post.author !== by) refuse('FORBIDDEN');
    become(post, 'DRAFT', ['SUGGESTED']);
  },
  approve(post: Post, by: Somebody): void {
    if (!publishes(post.channel, by)) refuseIn(post.channel);
    become(post, 'APPROVED', ['SUGGESTED']);
    post.approved = true;
  },
  reject(post: Post, by: Somebody): void {
    if (!publishes(post.channel, by)) refuseIn(post.channel);
    if (!isOpen(post)) refuse('INVALID_STATE');
    Object.assign(post, { state: 'DRAFT', approved: false });
  },
  publish(post: Post, by: Somebody): void {
    if (!publishes(post.channel, by) || (post.state === 'DRAFT' && post.author !== by)) refuseIn(post.channel);
    become(post, 'PUBLISHED', ['DRAFT', 'APPROVED']);
    post.published = true;
  },
  archive(post: Post, by: Somebody): void {
    if (!isPublisher(post.channel, by)) refuse('FORBIDDEN');
    become(post, 'ARCHIVED', ['PUBLISHED']);
  },
  restore(post: Post, by: Somebody): void {
    if (!isPublisher(post.channel, by)) refuse('FORBIDDEN');
    become(post, 'PUBLISHED', ['ARCHIVED']);
  },
  remove(post: Post, by: Somebody): void {
    const own = !post.published && post.author === by;
    if (!own && !isPublisher(post.channel, by)) refuse('FORBIDDEN');
    post.state = 'DELETED';
  },
  /** Its words are nothing that the model knows of. */
  edit(post: Post, by: Somebody): void {
    const isOver = post.state === 'ARCHIVED' || post.state === 'DELETED';
    if (isOver && isPublisher(post.channel, by)) refuse('INVALID_STATE');
    const may = post.state === 'DRAFT' ? post.author === by : publishes(post.channel, by);
    if (!may) refuseIn(post.channel);
  },
} as const;
export type PostDeed = keyof typeof deeds;

export function change(post: Post, by: Somebody, deed: PostDeed): void {
  enter(post.channel.school, by);
  if (!seesPost(post, by)) refuse('NOT_FOUND');
  deeds[deed](post, by);
}

/** Repeating it changes nothing. */
function become(post: Post, state: Post['state'], from: readonly Post['state'][]): void {
  if (post.state === state) return;
  if (!from.includes(post.state)) refuse('INVALID_STATE');
  post.state = state;
}
