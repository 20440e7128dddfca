import { z } from 'zod';
import { canSuggest } from '../channels/policy.ts';
import type { Database } from '../database/connect.ts';
import { Forbidden, InvalidState } from '../errors.ts';
import { requiredProse, valid } from '../input.ts';
import { changePost, publishersOnly, recordPost, setPost, takeStep, tellMakers } from '../posts/commands.ts';
import { canDecideSuggestion } from '../posts/policy.ts';
import type { PostRow } from '../posts/tables.ts';
import type { Viewer } from '../viewer.ts';

/** Hands one's own draft to those who publish in the channel (§2.2.5). @throws NotFound, Forbidden, InvalidState */
export const suggestPost = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (before.authorId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (before.channel.kind === 'GROUP') throw new Forbidden('FORBIDDEN_GROUP_SUGGESTION');
    if (!canSuggest(fresh, before.channel)) throw publishersOnly(before.channel);
    if (before.state === 'SUGGESTED') return before;
    if (before.state !== 'DRAFT') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { state: 'SUGGESTED' });
    await takeStep(tx, viewer.userId, post, 'SUGGESTED');
    await tellMakers(tx, post, 'POST_SUGGESTED');
    await recordPost(tx, viewer.userId, post, 'suggest');
    return post;
  });

/** Takes one's own suggestion back, to go on with it as a draft. @throws NotFound, Forbidden, InvalidState */
export const withdrawSuggestion = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post: before }) => {
    if (before.authorId !== viewer.userId) throw new Forbidden('FORBIDDEN_OTHERS');
    if (before.state === 'DRAFT') return before;
    if (before.state !== 'SUGGESTED') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { state: 'DRAFT' });
    await takeStep(tx, viewer.userId, post, 'WITHDRAWN');
    await tellMakers(tx, post, 'POST_WITHDRAWN', before);
    await recordPost(tx, viewer.userId, post, 'withdraw');
    return post;
  });

/** Takes a suggestion up: it can be published from then on. @throws NotFound, Forbidden, InvalidState */
export const approveSuggestion = (db: Database, viewer: Viewer, postId: string): Promise<PostRow> =>
  changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (!canDecideSuggestion(fresh, before)) throw publishersOnly(before.channel);
    if (before.state === 'APPROVED') return before;
    if (before.state !== 'SUGGESTED') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { state: 'APPROVED', approvedBy: viewer.userId });
    await takeStep(tx, viewer.userId, post, 'APPROVED');
    await tellMakers(tx, post, 'POST_APPROVED');
    await recordPost(tx, viewer.userId, post, 'approve');
    return post;
  });

const Rejection = z.object({ comment: requiredProse(1000) });

/** Gives a suggestion back with what is to be better; it is its author's draft again. @throws NotFound, Forbidden, InvalidInput, InvalidState */
export async function rejectSuggestion(db: Database, viewer: Viewer, postId: string, input: unknown): Promise<PostRow> {
  const { comment } = valid(Rejection, input);
  return changePost(db, viewer, postId, async (tx, { post: before, viewer: fresh }) => {
    if (!canDecideSuggestion(fresh, before)) throw publishersOnly(before.channel);
    if (before.state !== 'SUGGESTED' && before.state !== 'APPROVED') throw new InvalidState(before.state);
    const post = await setPost(tx, before, { state: 'DRAFT', approvedBy: null });
    await takeStep(tx, viewer.userId, post, 'REJECTED', { note: comment });
    await tellMakers(tx, post, 'POST_REJECTED', before);
    await recordPost(tx, viewer.userId, post, 'reject', { reason: comment });
    return post;
  });
}
