import type { Json } from '../support/client.ts';
import { type Act, type Acts, type Arrange, eachCase, inState, on } from './acts.ts';
import { node, reads } from './answers.ts';
import { Board, type Case, caseOf, done, writes } from './board.ts';
import { isOfChats, isRefusal, lookedAt, type Role, type Rule, readLaw } from './law.ts';
import type { Actor, Scene } from './scene.ts';
import { chatCase, saying, Talk } from './talk.ts';

const law = readLaw();
const asked = { question: 'When?', options: ['Monday', 'Tuesday'] };
const first = 100;
const changes = ({ answers }: Rule, role: Role): boolean => !isRefusal(answers[role]);

/** A post with a poll: made anew for who is to change it, as it stands for all others. */
async function polledPost(scene: Scene, which: Case, who: Actor, role: Role, fresh: boolean): Promise<object> {
  const board = await Board.of(scene);
  const isOwn = which.own === true && writes(role, which.where);
  const isColleagues = which.where.startsWith('GROUP') || which.state === 'SUGGESTED';
  const author = isOwn ? who : isColleagues ? board.colleague : scene.arranger;
  const make = async (): Promise<string> => {
    const postId = await board.post({ ...which, state: 'DRAFT' }, author);
    const { id: pollId } = await done(author, 'CreatePoll', { input: { postId, ...asked } });
    if (which.state === 'SUGGESTED') await done(author, 'SuggestPost', { postId });
    if (which.state === 'PUBLISHED') await done(author, 'PublishPost', { postId });
    return `${postId} ${pollId}`;
  };
  const key = `post with a poll ${which.state} ${which.where} ${isOwn ? role : ''}`;
  const [postId, pollId] = (await (fresh ? make() : board.once(key, make))).split(' ');
  return { postId, pollId };
}

/** The poll of a case, in a chat or in a post. */
const pollOf =
  (rule: Rule): Arrange =>
  async (scene, who, role) => {
    const fresh = changes(rule, role);
    if (!isOfChats(rule)) return polledPost(scene, caseOf(rule.case), who, role, fresh);
    return { pollId: await (await Talk.of(scene)).poll(chatCase(rule.case), who, role, fresh) };
  };

const mutation = (field: string, arrange: (rule: Rule) => Arrange, expected: (result: Json) => boolean): Acts =>
  eachCase(law, `Mutation.${field}`, (rule) =>
    on(field.charAt(0).toUpperCase() + field.slice(1), arrange(rule), expected),
  );

const createPoll =
  (rule: Rule): Arrange =>
  async (scene, who, role) => {
    if (isOfChats(rule)) {
      const { state, where } = chatCase(rule.case);
      const { chatId, clientMessageId } = saying((await Talk.of(scene)).chat(where));
      return { input: { chatId, clientMessageId, ...asked, electorate: state === 'CHILD' ? 'CHILD' : 'PERSON' } };
    }
    const board = await Board.of(scene);
    const which = caseOf(rule.case);
    const isOwn = which.own === true && writes(role, which.where);
    const make = () => board.post(which, isOwn ? who : undefined);
    const key = `post to ask in ${which.state} ${which.where} ${isOwn ? role : ''}`;
    return { input: { postId: await (changes(rule, role) ? make() : board.once(key, make)), ...asked } };
  };

const voting =
  (rule: Rule): Arrange =>
  async (...at) => ({ ...(await pollOf(rule)(...at)), positions: [1] });

/** In a poll that one has voted in, if one may. */
const retracting =
  (rule: Rule): Arrange =>
  async (scene, who, role) => {
    const poll = await voting(rule)(scene, who, role);
    if (changes(rule, role)) await done(who, 'Vote', poll);
    return poll;
  };

/** What is voted in by everybody at once has other votes, too. */
const hasVoted =
  (isOwn: boolean) =>
  ({ viewerElectors }: Json): boolean =>
    viewerElectors.length > 0 && viewerElectors.every(({ hasVoted: voted }: Json) => voted === isOwn);

function nodes(rule: Rule): Act | null {
  if (!rule.case.startsWith('Poll ')) return null;
  const arrange = pollOf(lookedAt({ ...rule, case: rule.case.replace('Poll ', '') }));
  return async (...at) => node(at[1], ((await arrange(...at)) as Json).pollId);
}

/** Who has voted, among whom are a family and the LIMITED guardian. */
const voters =
  (rule: Rule): Act =>
  async (scene, who, role) => {
    const talk = await Talk.of(scene);
    const { pollId } = (await pollOf(lookedAt(rule))(scene, who, role)) as Json;
    const people = [talk.board.parent, talk.people['LIMITED guardian']];
    await talk.board.once(`voted in ${rule.case}`, async () => {
      for (const voter of people) await done(voter, 'Vote', { pollId, positions: [1] });
      return 'voted';
    });
    const [family = '', hidden = ''] = await talk.idsOf(people);
    return reads(who, 'PollVoters', { id: pollId, first }, ({ node: poll }) => {
      const list = poll?.options[0].voters;
      if (!list) return 'NULL';
      const seen = new Set(list.nodes.map(({ user }: Json) => user.id));
      if (!seen.has(family) || list.totalCount !== seen.size) return JSON.stringify(list);
      return seen.has(hidden) ? 'ALL' : 'UNHIDDEN';
    });
  };

/** How to run each rule on polls. */
export const polling: Acts = {
  ...eachCase(law, 'Query.node', nodes),
  ...eachCase(law, 'PollOption.voters', voters),
  ...mutation('createPoll', createPoll, ({ state }) => state === 'OPEN'),
  ...mutation('removePoll', pollOf, ({ poll }) => poll === null),
  ...mutation('vote', voting, hasVoted(true)),
  ...mutation('retractVote', retracting, hasVoted(false)),
  ...mutation('closePoll', pollOf, inState('CLOSED')),
};
