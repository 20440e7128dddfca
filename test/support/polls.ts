import type { Json, TestClient } from './client.ts';
import { draft } from './newsroom.ts';
import type { Person } from './world.ts';

let asked = 0;

/** A question with two answers, unless told otherwise. */
const question = () => ({ question: `Question ${++asked}`, options: ['Monday', 'Tuesday'] });

/** What came of asking in a chat: the poll, or an error. */
export const askIn = (person: Person, chatId: string, input: object = {}): Promise<Json> =>
  person.does('CreatePoll', { input: { chatId, ...question(), clientMessageId: `question-${asked}`, ...input } });

/** What came of asking in a post that is not published. */
export const askAt = (person: Person, postId: string, input: object = {}): Promise<Json> =>
  person.does('CreatePoll', { input: { postId, ...question(), ...input } });

/** A poll that was made. */
export async function pollIn(person: Person, chatId: string, input: object = {}): Promise<Json> {
  const poll = await askIn(person, chatId, input);
  if (poll.__typename !== 'Poll') throw new Error(JSON.stringify(poll));
  return poll;
}

/** A published post with a poll; their ids. */
export async function postedPoll(author: Person, channelId: string, input: object = {}) {
  const postId = await draft(author, channelId);
  const poll = await askAt(author, postId, input);
  if (poll.__typename !== 'Poll') throw new Error(JSON.stringify(poll));
  await author.does('PublishPost', { postId });
  return { postId, pollId: String(poll.id) };
}

/** How somebody sees a poll; null: not at all. */
export const pollFor = async (person: TestClient, id: string): Promise<Json> => (await person.run('Poll', { id })).node;

export const votes = (person: Person, pollId: string, positions: number[], childIds?: string[]): Promise<Json> =>
  person.does('Vote', { pollId, positions, childIds });

export const counts = (poll: Json): (number | null)[] => poll.options.map(({ voteCount }: Json) => voteCount);

/** Who chose each answer, as somebody is told; null: they are not. */
export const votersFor = async (person: Person, id: string): Promise<(string[] | null)[]> =>
  (await person.run('PollVoters', { id, first: 100 })).node.options.map(
    ({ voters }: Json) => voters?.nodes.map(({ user }: Json) => user.id).toSorted() ?? null,
  );
