import type { Json } from '../support/client.ts';
import { type Act, type Acts, type Arrange, eachCase, inState } from './acts.ts';
import { Air, says } from './air.ts';
import { node, reads } from './answers.ts';
import { done } from './board.ts';
import { isRefusal, type Role, type Rule, readLaw } from './law.ts';
import { events, follows, isIt, ofOrganization, own } from './listening.ts';
import type { Actor } from './scene.ts';
import { type ChatPlace, chatNames, isChatPlace, type Talk } from './talk.ts';
import { mutation } from './telling.ts';

const law = readLaw();
const first = 100;

/** For whom a meeting is, as the law tells them apart, and as what it is in a list. */
const groups = { 'the class': 'CLASS', 'the other class': 'OTHER_CLASS', '«Staff»': 'STAFF' } as const;
type GroupPlace = keyof typeof groups;
type Place = ChatPlace | GroupPlace;
export const isGroup = (place: string): place is GroupPlace => place in groups;
const names: Readonly<Record<Place, string>> = { ...chatNames, ...groups };
const places = Object.keys(names) as Place[]; // keys of a constant

/** Who plans meetings there, so that one can be their own. */
const planners: Partial<Readonly<Record<Place, readonly Role[]>>> = {
  HEAD_STAFF: ['administrator', 'head', 'verified staff', 'other staff'],
  'GROUP_GUARDIANS of one’s own': ['verified staff'],
  'the class': ['administrator', 'head', 'verified staff'],
};

/** `LIVE of one’s own in the class`. */
interface Which {
  readonly state: string;
  readonly own: boolean;
  readonly place: Place;
}

function meetingCase(text: string): Which {
  const [, state = 'SCHEDULED', whose, place = ''] =
    text.match(/^(?:([A-Z]+) )?(?:of (one’s own|others) )?in (.+)$/) ?? [];
  if (!isGroup(place) && !isChatPlace(place)) throw new Error(`law-of-meetings.md: what is “${text}”?`);
  return { state, own: whose === 'one’s own', place };
}

const steps: Readonly<Record<string, readonly string[]>> = {
  SCHEDULED: [],
  LIVE: ['StartMeeting'],
  ENDED: ['StartMeeting', 'EndMeeting'],
};

const at = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const title = 'How they read';
const renamed = 'How they count';

function whereIn(talk: Talk, place: Place): object {
  const { classId, otherClassId, school } = talk.scene;
  if (!isGroup(place)) return { chatId: talk.chat(place) };
  return {
    groupId: place === 'the class' ? classId : place === 'the other class' ? otherClassId : school.staffGroupId,
  };
}

/** The id of a group as the law names it. */
export const groupOf = (talk: Talk, place: string): string =>
  isGroup(place) ? String(Object.values(whereIn(talk, place))[0]) : '';

/** Somebody who plans meetings there, and has no column where that is possible. */
const convener = (talk: Talk, place: Place): Actor =>
  place === '«Staff»' ? talk.scene.arranger : isGroup(place) ? talk.board.colleague : talk.author('staff', place);

async function plan(talk: Talk, place: Place, by: Actor, startsAt = at(1), name = title): Promise<string> {
  const how = { format: 'HYBRID', location: 'Room 2', remindBefore: null };
  return (await done(by, 'ScheduleMeeting', { input: { ...whereIn(talk, place), ...how, title: name, startsAt } })).id;
}

/** The one of a place that is on everybody's list before all others. */
const listed = (talk: Talk, place: Place): Promise<string> =>
  talk.board.once(`meeting on the list ${place}`, () =>
    plan(talk, place, convener(talk, place), at(300), `On the list of ${names[place]}.`),
  );

/** The meeting of a case: one's own where one can plan it; made anew, or as it stands for all. */
async function found(talk: Talk, { state, own: isOwn, place }: Which, who: Actor, role: Role, fresh: boolean) {
  const by = isOwn && planners[place]?.includes(role) ? who : convener(talk, place);
  const make = async () => {
    const meetingId = await plan(talk, place, by);
    for (const step of steps[state] ?? []) await done(by, step, { meetingId });
    return meetingId;
  };
  return fresh ? make() : talk.board.once(`meeting ${state} ${place} ${by === who ? role : ''}`, make);
}

/** The meeting of a case as it stands for all. */
export const meetingOfCase = (talk: Talk, text: string, who: Actor, role: Role): Promise<string> =>
  found(talk, meetingCase(text), who, role, false);

const nodes = (rule: Rule): Act | null => {
  const [, place] = rule.case.match(/^Meeting (.+)$/) ?? [];
  if (!place) return null;
  const which = meetingCase(place);
  return async (scene, who) => node(who, await listed((await Air.of(scene)).talk, which.place));
};

/** Of those that are on everybody's list before all others: which are seen. */
async function seenOf(talk: Talk, isSeen: (id: string, name: string) => boolean): Promise<string> {
  const there = await Promise.all(places.map(async (place) => [names[place], await listed(talk, place)] as const));
  return (
    there
      .filter(([name, id]) => isSeen(id, name))
      .map(([name]) => name)
      .join(' ') || 'NONE'
  );
}

const lists =
  (operation: string, place: 'viewer' | 'organization'): Act =>
  async (scene, who) => {
    const { talk } = await Air.of(scene);
    await seenOf(talk, () => true);
    return reads(who, operation, { organizationId: scene.school.id, state: 'SCHEDULED', first }, (data) => {
      if (!data[place]) return 'NULL';
      const ids = new Set(data[place].meetings.nodes.map(({ id }: Json) => id));
      return seenOf(talk, (id) => ids.has(id));
    });
  };

const calendar: Act = async (scene, who) => {
  const { talk } = await Air.of(scene);
  await seenOf(talk, () => true);
  return reads(who, 'MeetingCalendar', { organizationId: scene.school.id }, ({ viewer }) => {
    const text: string | null = viewer?.iCalendar ?? null;
    return text === null ? 'NULL' : seenOf(talk, (_id, name) => text.includes(`On the list of ${name}.`));
  });
};

const ofPlace =
  (operation: string) =>
  ({ case: text }: Rule): Act => {
    const { place } = meetingCase(text);
    return async (scene, who) => {
      const { talk } = await Air.of(scene);
      const meetingId = await listed(talk, place);
      const [id] = Object.values(whereIn(talk, place));
      return reads(who, operation, { id, state: 'SCHEDULED', first }, (data) => {
        const [there] = Object.values<Json>(data);
        return there ? (there.meetings.nodes.some((one: Json) => one.id === meetingId) ? 'OK' : 'NONE') : 'NULL';
      });
    };
  };

/** Who takes part, among whom are a family and the LIMITED guardian. */
const people = ({ case: text }: Rule): Act => {
  const which = meetingCase(text);
  return async (scene, who, role) => {
    const { talk } = await Air.of(scene);
    const by = which.own && planners[which.place]?.includes(role) ? who : convener(talk, which.place);
    const both = [talk.board.parent, talk.people['LIMITED guardian']];
    const meetingId = await talk.board.once(`met ${text} ${by === who ? role : ''}`, async () => {
      const id = await found(talk, { ...which, state: 'LIVE' }, who, role, true);
      for (const person of both) await done(person, 'JoinMeeting', { meetingId: id });
      if (which.state === 'ENDED') await done(by, 'EndMeeting', { meetingId: id });
      return id;
    });
    const fields = '... on Meeting { participations(first: 100) { totalCount nodes { user { id } } } }';
    const ids = await talk.idsOf(both);
    return says(who, meetingId, fields, ({ participations }) => peopleIn(participations, ids));
  };
};

/** ALL, or UNHIDDEN without the LIMITED guardian, or NONE. */
export function peopleIn({ nodes: there, totalCount }: Json, [family = '', hidden = '']: readonly string[]): string {
  const seen = new Set(there.map(({ user }: Json) => user.id));
  if (totalCount === 0 && seen.size === 0) return 'NONE';
  if (!seen.has(family) || totalCount !== seen.size) return JSON.stringify(there);
  return seen.has(hidden) ? 'ALL' : 'UNHIDDEN';
}

const scheduled =
  ({ case: text }: Rule): Arrange =>
  async (scene) => {
    const { talk } = await Air.of(scene);
    return { input: { ...whereIn(talk, meetingCase(text).place), title, format: 'ONLINE', startsAt: at(2) } };
  };

const meetingOf =
  ({ case: text, answers }: Rule): Arrange =>
  async (scene, who, role) => {
    const { talk } = await Air.of(scene);
    const meetingId = await found(talk, meetingCase(text), who, role, !isRefusal(answers[role]));
    const userIds = [await talk.idOf(talk.board.colleague)];
    return { meetingId, input: { meetingId, title: renamed }, userIds, present: true };
  };

/** The one that all come to. */
const joined =
  ({ case: text }: Rule): Arrange =>
  async (scene, who, role) => ({
    meetingId: await found((await Air.of(scene)).talk, meetingCase(text), who, role, false),
  });

const deeds: Acts = {
  ...mutation('scheduleMeeting', scheduled, inState('SCHEDULED')),
  ...mutation('updateMeeting', meetingOf, (meeting) => meeting.title === renamed),
  ...mutation('cancelMeeting', meetingOf, inState('CANCELLED')),
  ...mutation('startMeeting', meetingOf, inState('LIVE')),
  ...mutation('endMeeting', meetingOf, inState('ENDED')),
  ...mutation('recordMeetingAttendance', meetingOf, ({ presentCount }) => presentCount === 1),
  ...mutation('joinMeeting', joined, ({ ticket }) => ticket !== null),
  ...mutation('leaveMeeting', joined, inState('LIVE')),
};

const placeOf = ({ case: text }: Rule): Place => meetingCase(text.replace('of meetings ', '')).place;
const planned = (rule: Rule, { talk }: Air): Promise<string> =>
  plan(talk, placeOf(rule), convener(talk, placeOf(rule)));

const inAll = (rule: Rule): Act =>
  follows(rule, {
    ...ofOrganization,
    topic: () => placeOf(rule),
    happens: async ({ air, scene }) => ({
      told: await planned(rule, air),
      last: await scene.world.post(scene.arranger, air.board.channel('COMMUNITY')),
    }),
    isLast: isIt,
  });

const inPlace =
  (field: string, argument: string) =>
  (rule: Rule): Act =>
    follows(rule, {
      operation: `subscription ($id: ID!, $after: Cursor) { ${field}(${argument}: $id, after: $after) { ${events} } }`,
      variables: (id) => ({ id }),
      topic: ({ talk }) => String(Object.values(whereIn(talk, placeOf(rule)))[0]),
      async happens({ air }) {
        const last = await planned(rule, air);
        return { told: last, last };
      },
      isLast: isIt,
    });

const inOwn = (rule: Rule): Act =>
  own(
    (air) => planned(rule, air),
    async () => placeOf(rule),
  )(rule);

const ofMeetings =
  (act: (rule: Rule) => Act) =>
  (rule: Rule): Act | null =>
    rule.case.startsWith('of meetings ') ? act(rule) : null;

/** How to run each rule on meetings. */
export const gathering: Acts = {
  ...eachCase(law, 'Query.node', nodes),
  'Viewer.meetings': lists('Meetings', 'viewer'),
  'Organization.meetings': lists('OrganizationMeetings', 'organization'),
  'Viewer.iCalendar': calendar,
  ...eachCase(law, 'Chat.meetings', ofPlace('ChatMeetings')),
  ...eachCase(law, 'Group.meetings', ofPlace('GroupMeetings')),
  ...eachCase(law, 'Meeting.participations', people),
  ...deeds,
  ...eachCase(law, 'Subscription.organizationEvents', ofMeetings(inAll)),
  ...eachCase(law, 'Subscription.viewerEvents', ofMeetings(inOwn)),
  ...eachCase(law, 'Subscription.chatEvents', ofMeetings(inPlace('chatEvents', 'chatId'))),
  ...eachCase(law, 'Subscription.groupEvents', ofMeetings(inPlace('groupEvents', 'groupId'))),
};
