import { idOf } from '../../src/graphql/ids.ts';
import type { Json, Stream } from '../support/client.ts';
import { inHours } from '../support/meetings.ts';
import { follow } from '../support/newsroom.ts';
import { pollIn } from '../support/polls.ts';
import { newKey, ownChat } from '../support/talk.ts';
import type { Person, School, World } from '../support/world.ts';

/** Who acts: the two parents who look, the teacher, and the guardian who is hidden from both, another one in each world. */
export type Who = 'mother' | 'other' | 'teacher' | 'hidden';

/**
 * A school with two families, each of two children, of a parent who is shown and of one who is LIMITED for the elder child only: to
 * the mother the one is her children's father, the other the guardian of a third child. All that tells two such schools apart is who
 * of these two acts.
 */
export interface Place {
  readonly school: School;
  readonly people: Readonly<Record<Who, Person>>;
  readonly hiddenId: string;
  readonly groupId: string;
  readonly chatId: string;
  readonly channelId: string;
  readonly children: readonly string[];
  /** What must be told apart, by its id in the database. */
  readonly known: Readonly<Record<string, string>>;
  readonly told: Stream;
}

export async function openPlace(world: World, acts: 'father' | 'stranger'): Promise<Place> {
  const school = await world.school();
  const groupId = await world.group(school, { name: 'Group' });
  const children: string[] = [];
  for (let count = 0; count < 4; count++) children.push(await world.child(school, groupId, 'Child'));
  const teacher = await world.teacher(school, groupId);
  const family = async (elder = '', younger = '') => {
    const [shown, hidden] = [await world.guardian(school, elder), await world.guardian(school, elder)];
    const { linkId: guardianLinkId } = hidden;
    for (const parent of [shown, hidden]) await world.guardian(school, younger, parent);
    await hidden.does('SetGuardianContactVisibility', { guardianLinkId, contactVisibility: 'LIMITED' });
    return { shown, hidden };
  };
  const [ours, theirs] = [await family(children[0], children[1]), await family(children[2], children[3])];
  const hidden = acts === 'father' ? ours.hidden : theirs.hidden;
  const [fatherId, strangerId] = [await world.userId(ours.hidden), await world.userId(theirs.hidden)];
  return {
    school,
    people: { mother: ours.shown, other: theirs.shown, teacher, hidden },
    hiddenId: acts === 'father' ? fatherId : strangerId,
    groupId,
    chatId: await world.chat(teacher, school, groupId),
    channelId: await world.channel(teacher, school, 'GROUP', groupId),
    children,
    known: { [idOf('User', fatherId)]: 'the father', [idOf('User', strangerId)]: 'a stranger' },
    told: await follow(ours.shown, 'ViewerEvents'),
  };
}

/** What people do something with, made anew every so many runs, so that nobody looks at more and more. */
export interface Things {
  readonly messages: string[];
  readonly comments: string[];
  readonly polls: string[];
  readonly postId: string;
  readonly customId: string;
  readonly meetingId: string;
}

export async function makeThings(world: World, { school, people, chatId, channelId }: Place): Promise<Things> {
  const { teacher, mother, other } = people;
  const said = await world.message(teacher, chatId, 'words', { acknowledgementRequired: true });
  const polls: string[] = [];
  for (const kind of [{}, { results: 'AFTER_VOTE' }, { anonymous: true }, { electorate: 'CHILD' }])
    polls.push((await pollIn(teacher, chatId, { question: 'Words?', clientMessageId: newKey(), ...kind })).id);
  const asking = { acknowledgementRequired: true, commenting: 'OPEN' };
  const postId = await world.post(teacher, channelId, 'words', asking);
  const customId = await ownChat(world, school, [teacher, mother, other]);
  const planned = { title: 'Words', format: 'HYBRID', location: 'Room 1', startsAt: inHours(1), chatId };
  const meeting = await teacher.does('ScheduleMeeting', { input: planned });
  await teacher.does('StartMeeting', { meetingId: meeting.id });
  return { messages: [said.id], comments: [], polls, postId, customId, meetingId: meeting.id };
}

/** Something that somebody does, with the things that there are then. */
export interface Deed {
  readonly kind: keyof typeof deeds;
  readonly who: Exclude<Who, 'teacher'>;
  readonly which: number;
  readonly choice: number;
}

const at = (list: readonly string[], index: number): string => list[index % list.length] ?? '';
const emojis = ['👍', '🎉'];

/** What each comes to; what is answered to who looks is answered in both worlds. */
export const deeds = {
  say: async ({ people, chatId }: Place, { messages }: Things, { who, which, choice }: Deed) => {
    const replyToId = choice ? at(messages, which) : null;
    const input = { chatId, text: `words ${which}`, clientMessageId: newKey(), replyToId };
    return kept(messages, await people[who].does('SendMessage', { input }));
  },
  mention: async ({ people, chatId, hiddenId }: Place, { messages }: Things) => {
    const input = { chatId, text: 'words', clientMessageId: newKey(), mentionedIds: [hiddenId] };
    return kept(messages, await people.teacher.does('SendMessage', { input }));
  },
  forward: ({ people }: Place, { messages, customId }: Things, { which }: Deed) =>
    people.teacher.does('ForwardMessage', {
      input: { chatId: customId, messageId: at(messages, which), clientMessageId: newKey() },
    }),
  edit: ({ people }: Place, { messages }: Things, { who, which }: Deed) =>
    people[who].does('EditMessage', { input: { messageId: at(messages, which), text: 'other words' } }),
  take: ({ people }: Place, { messages }: Things, { who, which }: Deed) =>
    people[who].does('DeleteMessage', { messageId: at(messages, 1 + which) }),
  pin: ({ people }: Place, { messages }: Things, { which }: Deed) =>
    people.teacher.does('PinMessage', { messageId: at(messages, which) }),
  react: ({ people }: Place, { messages }: Things, { who, which, choice }: Deed) =>
    people[who].does('AddMessageReaction', { messageId: at(messages, which), emoji: at(emojis, choice) }),
  unreact: ({ people }: Place, { messages }: Things, { who, which, choice }: Deed) =>
    people[who].does('RemoveMessageReaction', { messageId: at(messages, which), emoji: at(emojis, choice) }),
  read: ({ people, chatId }: Place, _things: Things, { who }: Deed) =>
    people[who].does('MarkChatRead', { chatId, upTo: null }),
  acknowledge: ({ people }: Place, { messages }: Things, { who }: Deed) =>
    people[who].does('AcknowledgeMessage', { messageId: at(messages, 0) }),
  ask: async ({ people, chatId }: Place, { polls }: Things, { who, choice }: Deed) => {
    const input = {
      chatId,
      question: 'Words?',
      options: ['A', 'B'],
      anonymous: choice === 1,
      clientMessageId: newKey(),
    };
    return kept(polls, await people[who].does('CreatePoll', { input }));
  },
  vote: ({ people }: Place, { polls }: Things, { who, which, choice }: Deed) =>
    alike(people, who, (person) => person.does('Vote', { pollId: at(polls, which), positions: [1 + choice] })),
  retract: ({ people }: Place, { polls }: Things, { who, which }: Deed) =>
    alike(people, who, (person) => person.does('RetractVote', { pollId: at(polls, which) })),
  close: ({ people }: Place, { polls }: Things, { which }: Deed) =>
    people.teacher.does('ClosePoll', { pollId: at(polls, which) }),
  takeNote: ({ people }: Place, { postId }: Things, { who }: Deed) => people[who].does('AcknowledgePost', { postId }),
  like: ({ people }: Place, { postId }: Things, { who, choice }: Deed) =>
    people[who].does('AddReaction', { postId, emoji: at(emojis, choice) }),
  comment: async ({ people }: Place, { postId, comments }: Things, { who }: Deed) =>
    kept(comments, await people[who].does('AddComment', { postId, text: 'words' })),
  uncomment: ({ people }: Place, { comments }: Things, { who, which }: Deed) =>
    people[who].does('DeleteComment', { commentId: at(comments, which) }),
  bring: ({ people, hiddenId }: Place, { customId: chatId }: Things) =>
    people.teacher.does('AddChatMembers', { chatId, userIds: [hiddenId] }),
  send: ({ people, hiddenId }: Place, { customId: chatId }: Things) =>
    people.teacher.does('RemoveChatMember', { chatId, userId: hiddenId }),
  leave: ({ people }: Place, { customId: chatId }: Things) => people.hidden.does('LeaveChat', { chatId }),
  sayThere: ({ people }: Place, { customId: chatId }: Things, { who }: Deed) =>
    people[who].does('SendMessage', { input: { chatId, text: 'words', clientMessageId: newKey() } }),
  readThere: ({ people }: Place, { customId: chatId }: Things, { who }: Deed) =>
    people[who].does('MarkChatRead', { chatId, upTo: null }),
  come: ({ people }: Place, { meetingId }: Things, { who }: Deed) => people[who].does('JoinMeeting', { meetingId }),
  go: ({ people }: Place, { meetingId }: Things, { who }: Deed) => people[who].does('LeaveMeeting', { meetingId }),
  note: ({ people, hiddenId }: Place, { meetingId }: Things, { choice }: Deed) =>
    people.teacher.does('RecordMeetingAttendance', { meetingId, userIds: [hiddenId], present: choice === 1 }),
};

function kept(list: string[], made: Json): Json {
  if (made.id) list.push(made.id);
  return made;
}

/** The two parents who are shown do alike where a child has one vote: else the families, and not who acts, would differ. */
async function alike(people: Place['people'], who: Who, act: (person: Person) => Promise<Json>): Promise<Json> {
  const answers = [await act(people[who])];
  if (who === 'mother') answers.push(await act(people.other));
  if (who === 'other') answers.push(await act(people.mother));
  return answers;
}
