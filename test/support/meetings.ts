import type { Json } from './client.ts';
import type { Person } from './world.ts';

let wishes = 0;

export const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

/** What somebody is answered who plans a meeting: ONLINE, in two hours, for an hour. */
export const schedule = (
  who: Person,
  place: { chatId: string } | { groupId: string },
  input: object = {},
): Promise<Json> =>
  who.does('ScheduleMeeting', {
    input: { title: `Meeting ${++wishes}`, format: 'ONLINE', startsAt: inHours(2), ...place, ...input },
  });

/** A planned meeting; its id. */
export async function planned(
  who: Person,
  place: { chatId: string } | { groupId: string },
  input: object = {},
): Promise<string> {
  const meeting = await schedule(who, place, input);
  if (meeting.__typename !== 'Meeting') throw new Error(JSON.stringify(meeting));
  return meeting.id;
}

/** A meeting that goes on; its id. */
export async function begun(
  who: Person,
  place: { chatId: string } | { groupId: string },
  input: object = {},
): Promise<string> {
  const meetingId = await planned(who, place, input);
  const meeting = await who.does('StartMeeting', { meetingId });
  if (meeting.state !== 'LIVE') throw new Error(JSON.stringify(meeting));
  return meetingId;
}

/** How somebody sees a meeting; null: not at all. */
export const meetingFor = async (person: Person, id: string): Promise<Json> =>
  (await person.run('Meeting', { id })).node;

/** Who takes part in it, as somebody sees it. */
export const peopleOf = async (person: Person, id: string): Promise<Json> =>
  (await person.run('MeetingPeople', { id })).node?.participations ?? null;

/** Somebody who was let in: with `ticket`, and `identity`. */
export async function joined(who: Person, meetingId: string): Promise<Json> {
  const payload = await who.does('JoinMeeting', { meetingId });
  if (payload.__typename !== 'JoinMeetingPayload') throw new Error(JSON.stringify(payload));
  return { ...payload, identity: payload.participation.identity };
}
