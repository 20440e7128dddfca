import { describe, expect, test } from 'vitest';
import { canKeepChannels, canPublish, canReadChannel, canSuggest, isPublisher } from '../src/channels/policy.ts';
import {
  type CommentPlace,
  canComment,
  canDeleteComment,
  canEditComment,
  canModerate,
  canSeeComment,
  canSeeCommenter,
  canSeeDecision,
} from '../src/comments/policy.ts';
import {
  canDecideSuggestion,
  canDeletePost,
  canEditPost,
  canKeepPost,
  canPublishPost,
  canSeeHistory,
  canSeePost,
  canTakePart,
  type PostPlace,
} from '../src/posts/policy.ts';
import type { Viewer } from '../src/viewer.ts';
import {
  administrators,
  families,
  here,
  leaders,
  members,
  ofGroup,
  people,
  staff,
  verified,
  type Who,
  whoOf,
} from './support/cast.ts';

type Sentence = [string, (viewer: Viewer) => boolean, readonly Who[]];

const everybody = Object.keys(people) as Who[]; // keys of a constant
const nobody: Who[] = [];
const confirmed: Who[] = [...verified, 'reservedAdministrator'];
/** Who publishes in the channel of the group «Sun», and who reads it. */
const sunPublishers: Who[] = [...leaders, 'teacher'];
const sunReaders: Who[] = [...sunPublishers, ...ofGroup];

const inUse = { organizationId: here, groupId: null, state: 'ACTIVE' } as const;
const community = { ...inUse, kind: 'COMMUNITY' } as const;
const staffs = { ...inUse, kind: 'STAFF' } as const;
const sun = { ...inUse, kind: 'GROUP', groupId: 'sun' } as const;
type Channel = PostPlace['channel'];
const putAway = (channel: Channel): Channel => ({ ...channel, state: 'ARCHIVED' });

const published = { authorId: 'another', state: 'PUBLISHED', publishedAt: new Date(), commenting: 'OPEN' } as const;
type Post = PostPlace & { readonly commenting: 'OPEN' | 'MODERATED' | 'OFF' };
const post = (channel: Channel, changes: Partial<Post> = {}): Post => ({ ...published, channel, ...changes });
const unpublished = (state: Post['state'], channel: Channel = community): Post =>
  post(channel, { state, publishedAt: null });
const own = <Thing extends { authorId: string }>(thing: Thing): Thing => ({ ...thing, authorId: 'me' });

const channels: Sentence[] = [
  ['reads COMMUNITY', (who) => canReadChannel(who, community), members],
  ['reads STAFF', (who) => canReadChannel(who, staffs), confirmed],
  ['reads a group’s channel', (who) => canReadChannel(who, sun), sunReaders],
  ['reads what was put away', (who) => canReadChannel(who, putAway(sun)), sunReaders],
  ['answers for COMMUNITY', (who) => isPublisher(who, community), administrators],
  ['answers for STAFF', (who) => isPublisher(who, staffs), administrators],
  ['answers for a group’s channel', (who) => isPublisher(who, sun), sunPublishers],
  ['answers for what was put away', (who) => isPublisher(who, putAway(sun)), sunPublishers],
  ['publishes in COMMUNITY', (who) => canPublish(who, community), administrators],
  ['publishes in STAFF', (who) => canPublish(who, staffs), administrators],
  ['publishes in a group’s channel', (who) => canPublish(who, sun), sunPublishers],
  ['publishes where it was put away', (who) => canPublish(who, putAway(sun)), nobody],
  ['suggests for COMMUNITY', (who) => canSuggest(who, community), verified],
  ['suggests for STAFF', (who) => canSuggest(who, staffs), verified],
  ['suggests for a group’s channel', (who) => canSuggest(who, sun), nobody],
  ['suggests for what was put away', (who) => canSuggest(who, putAway(community)), nobody],
  ['adds and edits channels', (who) => canKeepChannels(who, here), administrators],
];

const seeing: Sentence[] = [
  ['sees what is published in COMMUNITY', (who) => canSeePost(who, post(community)), members],
  ['sees what is published in STAFF', (who) => canSeePost(who, post(staffs)), confirmed],
  ['sees what is published in a group', (who) => canSeePost(who, post(sun)), sunReaders],
  ['sees what was archived', (who) => canSeePost(who, post(sun, { state: 'ARCHIVED' })), sunReaders],
  ['sees what is left of a post', (who) => canSeePost(who, post(sun, { state: 'DELETED' })), sunReaders],
  ['sees another’s draft', (who) => canSeePost(who, unpublished('DRAFT')), nobody],
  ['sees another’s draft in a group', (who) => canSeePost(who, unpublished('DRAFT', sun)), nobody],
  ['sees their own draft', (who) => canSeePost(who, own(unpublished('DRAFT'))), members],
  ['sees their own draft where they read', (who) => canSeePost(who, own(unpublished('DRAFT', staffs))), confirmed],
  ['sees another’s deleted draft', (who) => canSeePost(who, unpublished('DELETED')), nobody],
  ['sees their own deleted draft', (who) => canSeePost(who, own(unpublished('DELETED'))), members],
  ...(['SUGGESTED', 'APPROVED', 'SCHEDULED'] as const).flatMap((state): Sentence[] => [
    [`sees what is ${state}`, (who) => canSeePost(who, unpublished(state)), administrators],
    [`sees what is ${state} in a group`, (who) => canSeePost(who, unpublished(state, sun)), sunPublishers],
    [`sees what is their own and ${state}`, (who) => canSeePost(who, own(unpublished(state))), members],
  ]),
  ['reads the history of what is published', (who) => canSeeHistory(who, post(community)), administrators],
  ['reads the history of what is published in a group', (who) => canSeeHistory(who, post(sun)), sunPublishers],
  ['reads the history of their own', (who) => canSeeHistory(who, own(post(sun))), sunReaders],
  ['reads the history of another’s draft', (who) => canSeeHistory(who, unpublished('DRAFT', sun)), nobody],
  ['reads the history of a suggestion', (who) => canSeeHistory(who, unpublished('SUGGESTED')), administrators],
];

const deciding: Sentence[] = [
  // That they see it is asked before: who wrote a draft and has left does not reach it.
  ['edits their own draft', (who) => canEditPost(who, own(unpublished('DRAFT'))), everybody],
  ['edits another’s draft', (who) => canEditPost(who, unpublished('DRAFT', sun)), nobody],
  ['edits their own suggestion', (who) => canEditPost(who, own(unpublished('SUGGESTED'))), administrators],
  ['edits what is published', (who) => canEditPost(who, post(community)), administrators],
  ['edits their own once it is published', (who) => canEditPost(who, own(post(community))), administrators],
  ['edits what is published in a group', (who) => canEditPost(who, post(sun)), sunPublishers],
  ['edits where it was put away', (who) => canEditPost(who, post(putAway(sun))), nobody],
  ['edits what was archived', (who) => canEditPost(who, post(sun, { state: 'ARCHIVED' })), nobody],
  ['edits what was deleted', (who) => canEditPost(who, post(sun, { state: 'DELETED' })), nobody],
  ['publishes their own draft', (who) => canPublishPost(who, own(unpublished('DRAFT'))), administrators],
  ['publishes their own draft in a group', (who) => canPublishPost(who, own(unpublished('DRAFT', sun))), sunPublishers],
  ['publishes another’s draft', (who) => canPublishPost(who, unpublished('DRAFT', sun)), nobody],
  ['publishes what was approved', (who) => canPublishPost(who, unpublished('APPROVED')), administrators],
  [
    'publishes their own draft where it was put away',
    (who) => canPublishPost(who, own(unpublished('DRAFT', putAway(sun)))),
    nobody,
  ],
  ['decides on a suggestion', (who) => canDecideSuggestion(who, unpublished('SUGGESTED')), administrators],
  [
    'decides where it was put away',
    (who) => canDecideSuggestion(who, unpublished('SUGGESTED', putAway(community))),
    nobody,
  ],
  ['pins and archives', (who) => canKeepPost(who, post(community)), administrators],
  ['pins and archives in a group', (who) => canKeepPost(who, post(sun)), sunPublishers],
  ['pins and archives where it was put away', (who) => canKeepPost(who, post(putAway(sun))), sunPublishers],
  ['deletes their own draft', (who) => canDeletePost(who, own(unpublished('DRAFT'))), everybody],
  ['deletes their own suggestion', (who) => canDeletePost(who, own(unpublished('SUGGESTED'))), everybody],
  ['deletes another’s suggestion', (who) => canDeletePost(who, unpublished('SUGGESTED')), administrators],
  ['deletes what is published', (who) => canDeletePost(who, post(sun)), sunPublishers],
  ['deletes their own once it is published', (who) => canDeletePost(who, own(post(community))), administrators],
];

const takesPart: Who[] = [...confirmed, ...families];
const comment = (of: Post, changes: Partial<CommentPlace> = {}) =>
  ({
    organizationId: here,
    authorId: 'another',
    state: 'PUBLISHED',
    shownAt: new Date(),
    post: of,
    limitedIn: [],
    ...changes,
  }) as const;
const waiting = (of: Post) => comment(of, { state: 'PENDING' });
/** Taken back by its author before anybody was shown it. */
const withdrawn = (of: Post) => comment(of, { state: 'DELETED', shownAt: null });
const rejected = (of: Post) => comment(of, { state: 'REJECTED' });

const commenting: Sentence[] = [
  ['takes part in COMMUNITY', (who) => canTakePart(who, post(community)), takesPart],
  ['takes part in STAFF', (who) => canTakePart(who, post(staffs)), confirmed],
  ['takes part in a group', (who) => canTakePart(who, post(sun)), sunReaders],
  ['takes part where it was put away', (who) => canTakePart(who, post(putAway(sun))), nobody],
  ['takes part before it is published', (who) => canTakePart(who, unpublished('SCHEDULED')), administrators],
  ['comments', (who) => canComment(who, post(community)), takesPart],
  ['comments where it waits', (who) => canComment(who, post(sun, { commenting: 'MODERATED' })), sunReaders],
  ['comments where nobody does', (who) => canComment(who, post(community, { commenting: 'OFF' })), nobody],
  ['comments on what was archived', (who) => canComment(who, post(community, { state: 'ARCHIVED' })), nobody],
  ['comments on what is not published', (who) => canComment(who, unpublished('SCHEDULED')), nobody],
  ['sees a comment', (who) => canSeeComment(who, comment(post(community))), members],
  ['sees a comment in a group', (who) => canSeeComment(who, comment(post(sun))), sunReaders],
  ['sees that a comment was there', (who) => canSeeComment(who, comment(post(sun), { state: 'DELETED' })), sunReaders],
  [
    'sees that a comment was there before it was shown',
    (who) => canSeeComment(who, withdrawn(post(sun))),
    sunPublishers,
  ],
  ['sees a comment that waits', (who) => canSeeComment(who, waiting(post(community))), administrators],
  ['sees a comment that waits in a group', (who) => canSeeComment(who, waiting(post(sun))), sunPublishers],
  ['sees their own comment that waits', (who) => canSeeComment(who, own(waiting(post(sun)))), sunReaders],
  ['sees a comment that was rejected', (who) => canSeeComment(who, rejected(post(sun))), sunPublishers],
  ['sees their own that was rejected', (who) => canSeeComment(who, own(rejected(post(sun)))), sunReaders],
  [
    'sees a comment on what was deleted',
    (who) => canSeeComment(who, comment(post(community, { state: 'DELETED' }))),
    nobody,
  ],
  ['reads why a comment was rejected', (who) => canSeeDecision(who, rejected(post(sun))), sunPublishers],
  ['reads why their own was rejected', (who) => canSeeDecision(who, own(rejected(post(sun)))), everybody],
  ['knows who commented', (who) => canSeeCommenter(who, comment(post(community))), everybody],
  [
    'knows that a LIMITED guardian commented',
    (who) => canSeeCommenter(who, comment(post(community), { limitedIn: ['sun'] })),
    sunPublishers,
  ],
  [
    'knows that a LIMITED guardian of a child without a place commented',
    (who) => canSeeCommenter(who, comment(post(community), { limitedIn: [null] })),
    leaders,
  ],
  [
    'knows that they commented themself, LIMITED or not',
    (who) => canSeeCommenter(who, own(comment(post(community), { limitedIn: ['sun'] }))),
    everybody,
  ],
  ['edits their own comment', (who) => canEditComment(who, own(comment(post(sun)))), sunReaders],
  ['edits their own comment that waits', (who) => canEditComment(who, own(waiting(post(sun)))), sunReaders],
  ['edits their own that was rejected', (who) => canEditComment(who, own(rejected(post(sun)))), nobody],
  ['edits another’s comment', (who) => canEditComment(who, comment(post(sun))), nobody],
  ['moderates in COMMUNITY', (who) => canModerate(who, waiting(post(community))), administrators],
  ['moderates in STAFF', (who) => canModerate(who, waiting(post(staffs))), administrators],
  [
    'edits their own where nobody comments any more',
    (who) => canEditComment(who, own(comment(post(sun, { commenting: 'OFF' })))),
    nobody,
  ],
  ['takes their own comment back', (who) => canDeleteComment(who, own(rejected(post(sun)))), everybody],
  ['takes another’s comment back', (who) => canDeleteComment(who, comment(post(sun))), nobody],
  ['moderates in a group', (who) => canModerate(who, waiting(post(sun))), sunPublishers],
  ['moderates their own', (who) => canModerate(who, own(waiting(post(sun)))), nobody],
];

/** The law of domain.md §3 on what is told, a sentence a line: who may, and nobody else. */
describe('who', () => {
  test.each([...channels, ...seeing, ...deciding, ...commenting])('%s', (_sentence, may, allowed) => {
    expect(whoOf(may)).toEqual([...allowed].sort());
  });

  test('a teacher publishes in their own group alone', () => {
    const moon = { ...sun, groupId: 'moon' };
    expect(whoOf((who) => canPublish(who, moon))).toEqual([...leaders, 'teacherOfAnotherGroup'].sort());
    expect(staff.filter((who) => canPublish(people[who], sun))).toEqual(['teacher']);
  });
});
