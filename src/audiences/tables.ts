import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  pgEnum,
  pgTable,
  pgView,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { createdAt, id, instant } from '../database/columns.ts';

export const audienceKind = pgEnum('audience_kind', [
  'OPERATORS',
  'MEMBERS',
  'EMPLOYEES',
  'STAFF',
  'VERIFIED_STAFF',
  'ADMINISTRATORS',
  'GROUP',
  'GROUP_STAFF',
  'GROUP_GUARDIANS',
  'CHAT',
]);
export type AudienceKind = (typeof audienceKind.enumValues)[number];

/**
 * A set of people who may see something. `subjectId` names whose it is where an organization has several of its kind: a
 * group or a chat. A person alone is an audience too, without a row: its id is the user's.
 */
export const audiences = pgTable(
  'audiences',
  {
    id: id(),
    kind: audienceKind('kind').notNull(),
    organizationId: uuid('organization_id'),
    subjectId: uuid('subject_id'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('audiences_subject_key').on(t.organizationId, t.kind, t.subjectId).nullsNotDistinct(),
    index('audiences_subject_index').on(t.subjectId),
    check(
      'audiences_subject_check',
      sql`(${t.subjectId} is not null) = (${t.kind}::text like 'GROUP%' or ${t.kind}::text = 'CHAT')`,
    ),
  ],
);

/**
 * Who is, or was, in an audience, in which capacity. `sinceEvent` and `untilEvent` are the log's own rows of the change,
 * so that what a person may see is decided by places in the log and not by clocks.
 */
export const audienceMembers = pgTable(
  'audience_members',
  {
    id: id(),
    audienceId: uuid('audience_id')
      .notNull()
      .references(() => audiences.id),
    userId: uuid('user_id').notNull(),
    capacity: text('capacity').notNull(),
    since: instant('since').notNull().defaultNow(),
    sinceEvent: bigint('since_event', { mode: 'number' }).notNull(),
    until: instant('until'),
    untilEvent: bigint('until_event', { mode: 'number' }),
    /** In the chat whose audience it is: the numbers of the last messages that they came and went behind. */
    sinceNumber: bigint('since_number', { mode: 'number' }).notNull().default(0),
    untilNumber: bigint('until_number', { mode: 'number' }),
  },
  (t) => [
    uniqueIndex('audience_members_open_key').on(t.audienceId, t.userId, t.capacity).where(sql`${t.until} is null`),
    index('audience_members_user_index').on(t.userId, t.until),
  ],
);

/**
 * What puts each person in which group: staff assigned to it whose status is confirmed, guardians by their links to the
 * children enrolled in it, students by their own record. Like the views below it names tables of higher floors as text,
 * for this is the one place where the rules of who may see what begin.
 *
 * drizzle-kit creates views in the order of their exports’ names, so what others stand on comes first in the alphabet.
 */
export const activePlaces = pgView('active_places', {
  userId: uuid('user_id').notNull(),
  organizationId: uuid('organization_id').notNull(),
  membershipId: uuid('membership_id').notNull(),
  role: text('role').notNull(),
  groupId: uuid('group_id').notNull(),
  childId: uuid('child_id'),
}).as(sql`
  select m.user_id, m.organization_id, m.id as membership_id, m.role::text as role, a.group_id, null::uuid as child_id
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  join staff_assignments a on a.membership_id = m.id and a.ended_on is null
  where m.state = 'ACTIVE' and m.role = 'EMPLOYEE'
    and exists (select from verifications v where v.membership_id = m.id and v.state = 'VERIFIED')
  union all
  select m.user_id, m.organization_id, m.id, m.role::text, c.group_id, c.id
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  join guardian_links l on l.user_id = m.user_id and l.organization_id = m.organization_id and l.state = 'ACTIVE'
  join children c on c.id = l.child_id and c.group_id is not null
  where m.state = 'ACTIVE' and m.role = 'GUARDIAN'
  union all
  select m.user_id, m.organization_id, m.id, m.role::text, c.group_id, c.id
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  join children c on c.user_id = m.user_id and c.organization_id = m.organization_id and c.group_id is not null
  where m.state = 'ACTIVE' and m.role = 'STUDENT'
`);

/** What each person is where: active memberships of active organizations. */
export const activeStandings = pgView('active_standings', {
  userId: uuid('user_id').notNull(),
  organizationId: uuid('organization_id').notNull(),
  membershipId: uuid('membership_id').notNull(),
  role: text('role').notNull(),
  position: text('position'),
  verified: boolean('verified').notNull(),
  administrator: boolean('administrator').notNull(),
}).as(sql`
  select m.user_id, m.organization_id, m.id as membership_id, m.role::text as role, m.position::text as position,
    exists (select from verifications v where v.membership_id = m.id and v.state = 'VERIFIED') as verified,
    exists (select from administrator_grants g where g.membership_id = m.id and g.state = 'ACTIVE') as administrator
  from memberships m
  join organizations o on o.id = m.organization_id and o.state = 'ACTIVE'
  where m.state = 'ACTIVE'
`);

/**
 * Who takes part in which DIRECT or CUSTOM chat: of those who were put into it, who is there in a capacity that may write. Of
 * two colleagues that is enough. Families also need somebody of the staff in it whose charge they are, who leads or works in a
 * group of theirs; students their supervisor. A DIRECT chat is only there while each has the other.
 */
export const chatPlaces = pgView('chat_places', {
  userId: uuid('user_id').notNull(),
  organizationId: uuid('organization_id').notNull(),
  chatId: uuid('chat_id').notNull(),
  capacity: text('capacity').notNull(),
}).as(sql`
  select s.user_id, s.organization_id, m.chat_id, s.role as capacity
  from chat_members m
  join chats c on c.id = m.chat_id
  join active_standings s on s.user_id = m.user_id and s.organization_id = c.organization_id
  where m.left_at is null and (s.role <> 'EMPLOYEE' or s.verified or s.administrator)
    and ((s.role = 'EMPLOYEE' and c.kind = 'CUSTOM') or exists (
      select from chat_members o
      join active_standings t on t.user_id = o.user_id and t.organization_id = c.organization_id
      where o.chat_id = m.chat_id and o.left_at is null and o.user_id <> m.user_id
        and (t.role <> 'EMPLOYEE' or t.verified or t.administrator) and (t.role <> 'STUDENT' or c.kind = 'CUSTOM')
        and (s.role <> 'STUDENT' or (o.is_supervisor and t.verified))
        and case when s.role = 'EMPLOYEE' and t.role = 'EMPLOYEE' then true
          when s.role <> 'EMPLOYEE' and t.role <> 'EMPLOYEE' then false
          else s.administrator or t.administrator or (s.position = 'HEAD' and s.verified) or (t.position = 'HEAD' and t.verified)
            or exists (
              select from active_places p join active_places q on q.group_id = p.group_id
              where p.membership_id = s.membership_id and q.membership_id = t.membership_id) end))
`);

/**
 * Who belongs in each derived audience, from the causes alone. The stored members are made equal to it by the command
 * that changes a cause (`settleAudiences`). Kinds that came after the first version are compared as text: a migration
 * cannot use an enum's value in the transaction that adds it.
 */
export const derivedAudienceMembers = pgView('derived_audience_members', {
  audienceId: uuid('audience_id').notNull(),
  organizationId: uuid('organization_id').notNull(),
  userId: uuid('user_id').notNull(),
  capacity: text('capacity').notNull(),
}).as(sql`
  select a.id as audience_id, a.organization_id, s.user_id, s.role as capacity
  from audiences a
  join active_standings s on s.organization_id = a.organization_id
  where a.kind = 'MEMBERS'
    or (a.kind = 'EMPLOYEES' and s.role = 'EMPLOYEE')
    or (a.kind = 'STAFF' and s.role = 'EMPLOYEE' and (s.verified or s.administrator))
    or (a.kind = 'VERIFIED_STAFF' and s.role = 'EMPLOYEE' and s.verified)
    or (a.kind = 'ADMINISTRATORS' and s.administrator)
  union
  select a.id, a.organization_id, s.user_id, s.role
  from active_standings s
  join groups g on g.organization_id = s.organization_id and g.state = 'ACTIVE'
  join audiences a on a.subject_id = g.id and a.kind::text = 'GROUP'
  where s.administrator or (s.position = 'HEAD' and s.verified)
  union
  select a.id, a.organization_id, p.user_id, p.role
  from active_places p
  join audiences a on a.subject_id = p.group_id
  where a.kind::text = 'GROUP'
    or (a.kind::text = 'GROUP_STAFF' and p.role = 'EMPLOYEE')
    or (a.kind::text = 'GROUP_GUARDIANS' and p.role in ('EMPLOYEE', 'GUARDIAN'))
  union
  select a.id, a.organization_id, p.user_id, p.capacity
  from chat_places p
  join audiences a on a.subject_id = p.chat_id and a.kind::text = 'CHAT'
`);

/**
 * Guardians who are hidden from the other families (contact visibility LIMITED), by the groups of the children on whose account
 * they are: the staff there, and who leads, see them. Also when they are a guardian no longer: what was hidden does not come out
 * by that. The last link with a child decides.
 */
export const hiddenPeople = pgView('hidden_people', {
  userId: uuid('user_id').notNull(),
  organizationId: uuid('organization_id').notNull(),
  groupId: uuid('group_id'),
}).as(sql`
  select l.user_id, l.organization_id, c.group_id
  from guardian_links l
  join children c on c.id = l.child_id
  where l.contact_visibility = 'LIMITED' and not exists (
    select from guardian_links n
    where n.child_id = l.child_id and n.user_id = l.user_id and n.id > l.id and n.state <> 'PENDING')
`);
