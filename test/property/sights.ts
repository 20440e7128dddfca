import { parse } from 'graphql';
import type { Asking } from '../../src/graphql/context.ts';
import { globalId } from '../../src/graphql/ids.ts';
import type { Json } from '../support/client.ts';
import { pick } from './deeds.ts';
import type { Fact, Facts, Label, Moved } from './facts.ts';
import type { Child, Group, Link, School, Somebody } from './model.ts';
import * as model from './model.ts';
import * as talking from './talking.ts';
import * as telling from './telling.ts';

// What the API shows, beside what the model allows.

interface Thing {
  readonly id: string;
  readonly kind: string;
  readonly school: School;
  readonly child: Child | null;
  readonly link: Link | null;
  readonly seenBy: (person: Somebody) => boolean;
}

/** Everything with an id, in all schools. */
export function thingsOf({ schools }: model.World, facts: Facts): Thing[] {
  return schools.flatMap((school) => {
    const here = <Row extends Fact>(list: readonly Row[]) => list.filter((row) => row.organizationId === school.id);
    const group = (id: string | null) => school.groups.find((g) => g.id === id) ?? null;
    const membership = (id: string | null) => school.memberships.find((m) => m.id === id) ?? null;
    const moveOf = (m: Moved) => ({
      kind: m.kind as model.Movement['kind'],
      child: school.children.find((c) => c.id === m.childId) ?? null,
      membership: membership(m.membershipId),
      from: group(m.fromGroupId),
      to: group(m.toGroupId),
    });
    const thing = (kind: string, id: string, seenBy: Thing['seenBy'], of: Partial<Thing> = {}): Thing => ({
      id: globalId(kind, id),
      kind,
      school,
      child: null,
      link: null,
      seenBy,
      ...of,
    });
    return [
      ...school.groups.map((g) => thing('Group', g.id, (who) => model.seesGroup(g, who))),
      ...school.children.map((child) => thing('Child', child.id, (who) => model.seesChild(child, who), { child })),
      ...here(facts.links).map(({ id }, index) => {
        const link = pick(school.links, index);
        return thing('GuardianLink', id, (who) => model.seesLink(link, who), { link, child: link.child });
      }),
      ...here(facts.assignments).map(({ id }, index) =>
        thing('StaffAssignment', id, (who) => model.seesAssignment(pick(school.assignments, index), who)),
      ),
      ...school.memberships.map((m) => thing('Membership', m.id, (who) => model.seesMembership(m, who))),
      ...here(facts.movements).map((fact) => {
        const move = moveOf(fact);
        return thing('Movement', fact.id, (who) => model.seesMovement(move, who), { child: move.child });
      }),
      ...here(facts.plans).map((fact) =>
        thing('PlannedMovement', fact.id, (who) => model.seesMovement(moveOf(fact), who)),
      ),
      ...school.chats.map((chat) => thing('Chat', chat.id, (who) => talking.readsChat(chat, who))),
      ...school.chats.flatMap(({ messages }) =>
        messages.map((message) => thing('Message', message.id, (who) => talking.readsMessage(message, who))),
      ),
      ...school.channels.map((channel) => thing('Channel', channel.id, (who) => telling.reads(channel, who))),
      ...school.posts.map((post) => thing('Post', post.id, (who) => telling.seesPost(post, who))),
      ...school.invites.map((invite) => thing('Invite', invite.id, (who) => model.seesInvite(invite, who))),
    ];
  });
}

export const asking: Asking = {
  token: null,
  address: 'test',
  client: null,
  locale: 'en',
  resumeAfter: null,
  setCookie: () => {},
  device: () => null,
};

export const byIds = parse(
  `query ($ids: [ID!]!, $more: [ID!]!, $last: [ID!]!) {
    nodes(ids: $ids) { id } more: nodes(ids: $more) { id } last: nodes(ids: $last) { id }
  }`,
);

export const everything = parse(`
  query ($id: ID!) {
    viewer {
      children(first: 100) { totalCount nodes { id ...Family } }
      feed(first: 100) { totalCount nodes { id } }
      chats(first: 100) { totalCount nodes { ...Talk } }
      past: chats(past: true, first: 100) { totalCount nodes { ...Talk } }
    }
    organization(id: $id) {
      groups(first: 100) {
        totalCount
        nodes {
          id
          parent { id }
          parentId
          childCount
          staffCount
          subgroups(first: 100) { totalCount nodes { id } }
          children(first: 100) { totalCount nodes { id } }
          staff(first: 100) { totalCount nodes { id } }
        }
      }
      children(first: 100) { totalCount nodes { id ...Family } }
      chats(first: 100) { totalCount nodes { id } }
      channels(first: 100) { totalCount nodes { id } }
      drafts: posts(state: DRAFT, first: 100) { totalCount nodes { id } }
      suggested: posts(state: SUGGESTED, first: 100) { totalCount nodes { id } }
      approved: posts(state: APPROVED, first: 100) { totalCount nodes { id } }
      movements(first: 100) { totalCount nodes { id } }
      plannedMovements(first: 100) { totalCount nodes { id } }
      members(first: 100) { totalCount nodes { id } }
      invites(first: 100) { totalCount nodes { id } }
    }
  }
  fragment Talk on Chat {
    id
    viewerCapacities
    viewerCanManage
    viewerCanWrite { reason }
    lastMessage { id }
    members(first: 100) { totalCount nodes { capacity isSupervisor user { id } } }
    messages(first: 100) { totalCount nodes { id state author { id } } }
  }
  fragment Family on Child {
    group { id }
    guardians(first: 100, includeRevoked: true) { totalCount nodes { id contact { phone } } }
    movements(first: 100) { totalCount nodes { id } }
  }`);

/** A list with what it says its size is. */
const sized = (names: readonly string[], size = names.length) => ({ size, names: names.toSorted() });

export function shownTo({ viewer, organization }: Json, label: Label) {
  const list = (connection: Json, name = ({ id }: Json): string => label(id)) =>
    connection && sized(connection.nodes.map(name), connection.totalCount);
  const family = ({ id, group, guardians, movements }: Json): string =>
    JSON.stringify([
      label(id),
      group && label(group.id),
      list(guardians, (link) => `${label(link.id)} ${link.contact ? 'reached' : 'named'}`),
      list(movements),
    ]);
  const talk = (chat: Json): string =>
    JSON.stringify([
      label(chat.id),
      chat.viewerCapacities.toSorted(),
      [chat.viewerCanManage, chat.viewerCanWrite.reason],
      chat.lastMessage && label(chat.lastMessage.id),
      list(chat.members, (m) => `${label(m.user.id)} ${m.capacity}${m.isSupervisor ? '!' : ''}`),
      list(chat.messages, (m) => `${label(m.id)} ${m.state} ${m.author ? label(m.author.id) : 'somebody'}`),
    ]);
  const structure = (g: Json): string =>
    JSON.stringify([
      label(g.id),
      g.parent && label(g.parent.id),
      g.parentId && label(g.parentId),
      [g.childCount, g.staffCount, list(g.subgroups), list(g.children), list(g.staff)],
    ]);
  return {
    own: list(viewer.children, family),
    feed: list(viewer.feed),
    chats: list(viewer.chats, talk),
    past: list(viewer.past, talk),
    organization: organization && {
      groups: list(organization.groups, structure),
      children: list(organization.children, family),
      chats: list(organization.chats),
      channels: list(organization.channels),
      drafts: list(organization.drafts),
      suggested: list(organization.suggested),
      approved: list(organization.approved),
      movements: list(organization.movements),
      plans: list(organization.plannedMovements),
      members: list(organization.members),
      invites: list(organization.invites),
    },
  };
}

export function allowed({ schools }: model.World, things: readonly Thing[], person: Somebody, label: Label) {
  const school = pick(schools, 0);
  const list = (kind: string, which: (thing: Thing) => boolean = () => true, of: School | null = school) =>
    sized(
      things
        .filter((thing) => thing.kind === kind && (!of || thing.school === of) && thing.seenBy(person) && which(thing))
        .map(({ id }) => label(id)),
    );
  const family = (child: Child): string =>
    JSON.stringify([
      label(child.id),
      child.group && label(child.group.id),
      sized(
        things
          .filter(({ kind, link, seenBy }) => kind === 'GuardianLink' && link?.child === child && seenBy(person))
          .map(({ id, link }) => `${label(id)} ${link && model.reachesGuardian(link, person) ? 'reached' : 'named'}`),
      ),
      list('Movement', (thing) => thing.child === child, null),
    ]);
  const posts = (of: readonly School[], state: telling.Post['state']) =>
    sized(
      of
        .flatMap((any) => any.posts)
        .filter((post) => telling.finds(post, person, state))
        .map(({ id }) => label(id)),
    );
  const talk = (chat: talking.Chat): string => {
    const { messages, guests, state } = chat;
    const read = messages.filter((message) => talking.readsMessage(message, person));
    const latest = read.at(-1);
    const supervises = (who: Somebody) => guests.some((guest) => guest.person === who && guest.supervises);
    const capacities = talking.capacitiesIn(chat, person).toSorted();
    return JSON.stringify([
      label(chat.id),
      capacities,
      [talking.manages(chat, person), capacities.length === 0 ? 'LEFT' : state === 'ACTIVE' ? null : state],
      latest ? label(latest.id) : null,
      sized(
        talking
          .members(chat, person)
          .map(({ person: who, role }) => `${who.name} ${role}${role === 'EMPLOYEE' && supervises(who) ? '!' : ''}`),
      ),
      sized(
        read.map(
          (m) =>
            `${label(m.id)} ${m.deleted ? 'DELETED' : 'SENT'} ${talking.knowsAuthor(m, person) ? m.author.name : 'somebody'}`,
        ),
      ),
    ]);
  };
  const readable = schools.flatMap(({ chats }) => chats).filter((chat) => talking.readsChat(chat, person));
  const [current, past] = [true, false].map((now) =>
    readable.filter((chat) => talking.takesPart(chat, person) === now).map(talk),
  );
  const leads = model.leads(school, person);
  const verified = model.isVerified(school, person);
  const belongs = model.belongs(school, person);
  const staffOf = (group: Group) => school.assignments.filter((a) => a.group === group && !a.ended);
  const structure = (g: Group): string => {
    const inside = model.looksInto(g, person);
    const members = school.children.filter(({ group }) => group === g).map(({ id }) => label(id));
    const parts = school.groups.filter(({ parent, archived }) => parent === g && !archived).map(({ id }) => label(id));
    const parent = g.parent && model.seesGroup(g.parent, person) ? label(g.parent.id) : null;
    const staff = staffOf(g);
    const staffIds = things.filter(({ kind, school: whose }) => kind === 'StaffAssignment' && whose === school);
    return JSON.stringify([
      label(g.id),
      parent,
      parent,
      [
        inside ? members.length : null,
        inside ? new Set(staff.map(({ membership }) => membership)).size : null,
        leads ? sized(parts) : null,
        inside ? sized(members) : null,
        model.seesStaffOf(g, person)
          ? sized(staff.map((a) => label(staffIds[school.assignments.indexOf(a)]?.id ?? '')))
          : null,
      ],
    ]);
  };
  const families =
    model.belongs(school, person) && model.standings(school, person).some(({ role }) => role !== 'EMPLOYEE');
  const groups = school.groups.filter((g) => model.seesGroup(g, person)).map(structure);
  const records = school.children.filter((child) => model.keepsRecord(child, person)).map(family);
  const own = schools.flatMap((any) => model.childrenOf(any, person)).map(family);
  return {
    own: sized(own),
    feed: posts(schools, 'PUBLISHED'),
    chats: sized(current ?? []),
    past: sized(past ?? []),
    organization:
      belongs || person.isOperator
        ? {
            groups: leads || verified || families ? sized(groups) : null,
            children: leads || verified ? sized(records) : null,
            chats: sized(school.chats.filter((chat) => talking.takesPart(chat, person)).map(({ id }) => label(id))),
            channels: list('Channel'),
            drafts: posts([school], 'DRAFT'),
            suggested: posts([school], 'SUGGESTED'),
            approved: posts([school], 'APPROVED'),
            movements: leads || verified ? list('Movement') : null,
            plans: leads || verified ? list('PlannedMovement') : null,
            members:
              leads || verified
                ? sized(
                    school.memberships
                      .filter((m) => m.state !== 'ENDED' && model.seesMembership(m, person))
                      .map(({ id }) => label(globalId('Membership', id))),
                  )
                : null,
            invites: verified || model.administers(school, person) ? list('Invite') : null,
          }
        : null,
  };
}
