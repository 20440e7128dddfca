import { sql } from 'drizzle-orm';
import type * as model from './model.ts';
import type { School, Somebody } from './model.ts';

export const operatorIn = ({ people }: model.World): Somebody => {
  const operator = people.find(({ isOperator }) => isOperator);
  if (!operator) throw new Error('there is no operator');
  return operator;
};

export type Label = (id: string) => string;

/** Names that people can read, in the place of ids. */
export function labelling({ people, schools }: model.World): Label {
  const names = new Map(people.map(({ userId, name }) => [userId, name]));
  for (const [place, school] of schools.entries()) {
    for (const [index, { id }] of school.groups.entries()) names.set(id, `group ${place}.${index}`);
    for (const [index, { id }] of school.channels.entries()) names.set(id, `channel ${place}.${index}`);
    for (const [index, { id }] of school.posts.entries()) names.set(id, `post ${place}.${index}`);
    for (const [index, each] of school.chats.entries()) {
      names.set(each.id, `chat ${place}.${index}`);
      for (const [at, { id }] of each.messages.entries()) names.set(id, `message ${place}.${index}.${at + 1}`);
    }
    for (const [index, { id }] of school.children.entries()) names.set(id, `child ${place}.${index}`);
  }
  return (id) => {
    const [type, own] = id.length > 36 ? Buffer.from(id, 'base64').toString().split(':') : [null, id];
    return names.get(own ?? '') ?? (type ? `${type} ${own}` : id);
  };
}

// What the database has written down, beside what the model knows.

export interface Fact {
  readonly id: string;
  readonly organizationId: string;
}

export interface Facts {
  readonly memberships: (Fact & {
    userId: string;
    role: string;
    state: string;
    left: boolean;
    isHead: boolean;
    grant: string | null;
    grantId: string;
    status: string | null;
    verificationId: string | null;
  })[];
  readonly groups: (Fact & { parentId: string | null; state: string })[];
  readonly children: (Fact & { groupId: string | null; enrolledIn: string | null; userId: string | null })[];
  readonly links: (Fact & { childId: string; userId: string; state: string; visibility: string })[];
  readonly assignments: (Fact & { membershipId: string; groupId: string; position: string; ended: boolean })[];
  readonly movements: (Fact & Moved)[];
  readonly plans: (Fact & Moved & { state: string })[];
  readonly chats: (Fact & {
    kind: string;
    groupId: string | null;
    state: string;
    guests: { userId: string; supervises: boolean }[];
    messages: { id: string; number: number; authorId: string; capacity: string; state: string }[];
  })[];
  readonly channels: (Fact & { kind: string; groupId: string | null; state: string })[];
  readonly posts: (Fact & {
    channelId: string;
    authorId: string;
    state: string;
    approved: boolean;
    published: boolean;
  })[];
  readonly invites: (Fact & { revoked: boolean; useCount: number })[];
}

export interface Moved {
  kind: string;
  childId: string | null;
  membershipId: string | null;
  fromGroupId: string | null;
  toGroupId: string | null;
}

const listed = (name: string, table: string, columns: string): string => `'${name}', (
  select coalesce(json_agg(json_build_object('id', t.id, 'organizationId', t.organization_id, ${columns}) order by t.id), '[]')
  from ${table} t where t.organization_id in (select id from here))`;

const movedColumns = `'kind', kind, 'childId', child_id, 'membershipId', membership_id, 'fromGroupId', from_group_id,
  'toGroupId', to_group_id`;

const latestOf = (column: string, table: string, where = 'true') =>
  `(select x.${column} from ${table} x where x.membership_id = t.id and ${where} order by x.id desc limit 1)`;

export const lists = sql.raw(`json_build_object(
  ${[
    listed(
      'memberships',
      'memberships',
      `'userId', user_id, 'role', role, 'state', state, 'left', coalesce(ended_by = 'CHILDREN_LEFT', false),
      'isHead', coalesce(position = 'HEAD', false),
      'grant', ${latestOf('reserved', 'administrator_grants', `x.state = 'ACTIVE'`)},
      'grantId', ${latestOf('id', 'administrator_grants', `x.state = 'ACTIVE'`)},
      'status', ${latestOf('state', 'verifications')}, 'verificationId', ${latestOf('id', 'verifications')}`,
    ),
    listed('groups', 'groups', `'parentId', parent_id, 'state', state`),
    listed(
      'children',
      'children',
      `'groupId', group_id, 'userId', user_id,
      'enrolledIn', (select e.group_id from enrollments e where e.child_id = t.id and e.ended_on is null)`,
    ),
    listed(
      'links',
      'guardian_links',
      `'childId', child_id, 'userId', user_id, 'state', state, 'visibility', contact_visibility`,
    ),
    listed(
      'assignments',
      'staff_assignments',
      `'membershipId', membership_id, 'groupId', group_id, 'position', position, 'ended', ended_on is not null`,
    ),
    listed('movements', 'movements', movedColumns),
    listed('plans', 'planned_movements', `${movedColumns}, 'state', state`),
    listed(
      'chats',
      'chats',
      `'kind', kind, 'groupId', group_id, 'state', state, 'guests', (
        select coalesce(json_agg(json_build_object('userId', g.user_id, 'supervises', g.is_supervisor)), '[]')
        from chat_members g where g.chat_id = t.id and g.left_at is null),
      'messages', (
        select coalesce(json_agg(json_build_object('id', m.id, 'number', m.number, 'authorId', m.author_id,
          'capacity', m.capacity, 'state', m.state) order by m.number), '[]') from messages m where m.chat_id = t.id)`,
    ),
    listed('channels', 'channels', `'kind', kind, 'groupId', group_id, 'state', state`),
    listed(
      'posts',
      'posts',
      `'channelId', channel_id, 'authorId', author_id, 'state', state, 'approved', approved_by is not null,
      'published', published_at is not null`,
    ),
    listed('invites', 'invites', `'revoked', revoked_at is not null, 'useCount', use_count`),
  ].join(',\n')})`);

const idsOf = ({ schools }: model.World) => sql`any(${sql.param(schools.map(({ id }) => id))}::uuid[])`;

export const factsOf = (world: model.World) => sql`
  with here as (select id from organizations where id = ${idsOf(world)}) select ${lists} as facts`;

export const storedMembers = (world: model.World) => sql`
  select a.kind, a.subject_id as "subjectId", m.user_id as "userId", m.capacity
  from audience_members m join audiences a on a.id = m.audience_id
  where m.until is null and a.organization_id = ${idsOf(world)}`;

/** The same of both, as sentences that can be compared. */
export function written(facts: Facts, label: Label) {
  const maybe = (id: string | null) => (id === null ? '-' : label(id));
  const who = new Map(facts.memberships.map(({ id, userId }) => [id, userId]));
  const move = ({ kind, childId, membershipId, fromGroupId, toGroupId }: Moved) =>
    `${kind} ${maybe(childId ?? who.get(membershipId ?? '') ?? null)} ${maybe(fromGroupId)} ${maybe(toGroupId)}`;
  return {
    memberships: facts.memberships
      .map(({ userId, role, state, left, isHead, grant, status }) => {
        const rights = [
          left ? 'LEFT' : '',
          isHead ? 'HEAD' : '',
          grant === null ? 'NONE' : grant ? 'RESERVED' : 'GIVEN',
        ];
        return [label(userId), role, state, ...rights, status ?? 'NONE'].join(' ');
      })
      .sort(),
    groups: facts.groups.map(({ id, parentId, state }) => `${label(id)} ${maybe(parentId)} ${state}`).sort(),
    children: facts.children
      .map((c) => `${label(c.id)} ${maybe(c.groupId)} ${maybe(c.enrolledIn)} ${maybe(c.userId)}`)
      .sort(),
    links: facts.links.map((l) => `${label(l.childId)} ${label(l.userId)} ${l.state} ${l.visibility}`).sort(),
    assignments: facts.assignments
      .map((a) => `${label(who.get(a.membershipId) ?? '')} ${label(a.groupId)} ${a.position} ${a.ended}`)
      .sort(),
    movements: facts.movements.map(move).sort(),
    plans: facts.plans.map((plan) => `${move(plan)} ${plan.state}`).sort(),
    channels: facts.channels.map(({ kind, groupId, state }) => `${kind} ${maybe(groupId)} ${state}`).sort(),
    posts: facts.posts
      .map((p) => `${label(p.channelId)} ${label(p.authorId)} ${p.state} ${p.approved} ${p.published}`)
      .sort(),
    chats: facts.chats
      .map(({ id, kind, groupId, state, guests, messages }) => {
        const present = guests.map(({ userId, supervises }) => `${label(userId)}${supervises ? '!' : ''}`);
        const said = messages.map(
          (m) => `${m.number} ${label(m.authorId)} ${m.capacity} ${m.state === 'DELETED' ? 'DELETED' : 'SENT'}`,
        );
        return JSON.stringify([label(id), kind, maybe(groupId), state, present.sort(), said]);
      })
      .sort(),
    invites: facts.invites.map(({ revoked, useCount }) => `${revoked} ${useCount}`).sort(),
  };
}

export function known({ schools }: model.World, label: Label) {
  const maybe = (thing: { id: string } | null) => (thing === null ? '-' : label(thing.id));
  const move = ({ kind, child, membership, from, to }: model.Movement) =>
    `${kind} ${child ? label(child.id) : membership?.person.name} ${maybe(from)} ${maybe(to)}`;
  const all = <Item>(list: (school: School) => readonly Item[]) => schools.flatMap(list);
  return {
    memberships: all((s) => s.memberships)
      .map(({ person, role, state, endedBy, isHead, grant, status }) =>
        [person.name, role, state, endedBy === 'CHILDREN_LEFT' ? 'LEFT' : '', isHead ? 'HEAD' : '', grant, status].join(
          ' ',
        ),
      )
      .sort(),
    groups: all((s) => s.groups)
      .map((group) => `${label(group.id)} ${maybe(group.parent)} ${group.archived ? 'ARCHIVED' : 'ACTIVE'}`)
      .sort(),
    children: all((s) => s.children)
      .map((c) => `${label(c.id)} ${maybe(c.group)} ${maybe(c.group)} ${c.student?.name ?? '-'}`)
      .sort(),
    links: all((s) => s.links)
      .map(
        ({ child, person, active, limited }) =>
          `${label(child.id)} ${person.name} ${active ? 'ACTIVE' : 'REVOKED'} ${limited ? 'LIMITED' : 'FULL'}`,
      )
      .sort(),
    assignments: all((s) => s.assignments)
      .map(
        ({ membership, group, position, ended }) => `${membership.person.name} ${label(group.id)} ${position} ${ended}`,
      )
      .sort(),
    movements: all((s) => s.movements)
      .map(move)
      .sort(),
    plans: all((s) => s.plans)
      .map((plan) => `${move(plan)} ${plan.state}`)
      .sort(),
    channels: all((s) => s.channels)
      .map(({ kind, group, archived }) => `${kind} ${maybe(group)} ${archived ? 'ARCHIVED' : 'ACTIVE'}`)
      .sort(),
    posts: all((s) => s.posts)
      .map((p) => `${label(p.channel.id)} ${p.author.name} ${p.state} ${p.approved} ${p.published}`)
      .sort(),
    chats: all((s) => s.chats)
      .map(({ id, kind, group, state, guests, messages }) => {
        const present = guests.map(({ person, supervises }) => `${person.name}${supervises ? '!' : ''}`);
        const said = messages.map(
          ({ author, capacity, deleted }, at) => `${at + 1} ${author.name} ${capacity} ${deleted ? 'DELETED' : 'SENT'}`,
        );
        return JSON.stringify([label(id), kind, maybe(group), state, present.sort(), said]);
      })
      .sort(),
    invites: all((s) => s.invites)
      .map(({ revoked, usedBy }) => `${revoked} ${usedBy.length}`)
      .sort(),
  };
}
