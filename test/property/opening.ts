import { randomBytes } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { approveOrganizationApplication, submitOrganizationApplication } from '../../src/applications/commands.ts';
import { setOperators } from '../../src/audiences/commands.ts';
import { type Database, rows } from '../../src/database/connect.ts';
import { updateOrganization } from '../../src/organizations/commands.ts';
import { applicationOf } from '../support/world.ts';
import { acts, type Deed, pick, viewer } from './deeds.ts';
import type { Child, Group, School, Somebody } from './model.ts';
import * as model from './model.ts';
import { Place } from './place.ts';
import { type Chat, chat } from './talking.ts';
import { channel, type PostDeed } from './telling.ts';

/** Each lane's beginning. The operators of all are appointed at once: whoever is not named is none. */
export async function openLanes(db: Database, lanes: number): Promise<model.World[]> {
  const worlds: model.World[] = [];
  const phones = Array.from({ length: lanes }, (_, lane) => (number: number) => `+79162${lane}0${1000 + number}`);
  await setOperators(
    db,
    phones.map((phone) => phone(0)),
  );
  for (const phone of phones) worlds.push(await openSchools(db, phone));
  return worlds;
}

/** Two schools in which something of everything has happened already. */
async function openSchools(db: Database, phone: (number: number) => string): Promise<model.World> {
  const people: Somebody[] = [];
  const arrives = async (name: string, number = people.length + 1) => {
    const person = await arrive(db, name, phone(number));
    people.push(person);
    return person;
  };
  const [anna, head, maria] = [await arrives('Anna'), await arrives('Head'), await arrives('Maria')];
  const [vera, newcomer, deputy] = [await arrives('Vera'), await arrives('Newcomer'), await arrives('Deputy')];
  const [mother, father, student] = [await arrives('Mother'), await arrives('Father'), await arrives('Student')];
  const [stranger, neighbour, parent] = [
    await arrives('Stranger'),
    await arrives('Neighbour'),
    await arrives('Parent'),
  ];
  const [grandmother, aunt, former] = [await arrives('Grandmother'), await arrives('Aunt'), await arrives('Former')];
  const operator = await arrives('Operator', 0);
  const school = await openSchool(db, stranger, operator, anna, true);
  const another = await openSchool(db, stranger, operator, neighbour, false);
  const place = new Place(db, { people, schools: [school, another] });
  await place.learn();
  const does = (deed: Deed) => place.perform(deed, 'the beginning');
  const last = <Item>(list: readonly Item[]) => pick(list, list.length - 1);

  const employ = async (person: Somebody, confirmed: boolean) => {
    await does(acts.inviteEmployee(school, anna));
    await does(acts.redeemInvite(last(school.invites), person));
    const m = last(school.memberships);
    await does(acts.submitVerification(m));
    if (confirmed) await does(acts.confirmVerification(m, place.factsOf(m).verificationId ?? '', anna));
    return m;
  };
  const found = async (whose: School, by: Somebody, whole: Group | null = null) => {
    await does(acts.createGroup(whose, by, whole));
    return last(whose.groups);
  };
  const enrol = async (group: Group | null, whose = school, by = anna) => {
    await does(acts.addChild(whose, by));
    const child = last(whose.children);
    if (group) await does(acts.moveChild(child, group, by, 'ENROLLED', null));
    return child;
  };
  const bring = async (child: Child, person: Somebody, by = anna, role: 'GUARDIAN' | 'STUDENT' = 'GUARDIAN') => {
    await does(acts.inviteFamily(child, by, role, pick(child.school.groups, 1)));
    await does(acts.redeemInvite(last(child.school.invites), person));
  };

  await does(acts.appointHead(await employ(head, true), anna));
  const [marias, veras] = [await employ(maria, true), await employ(vera, true)];
  const newcomers = await employ(newcomer, false);
  await does(acts.grantAdministrator(await employ(deputy, true), anna));
  // Who leads two schools could mix them up.
  await does(acts.grantAdministrator(await employ(neighbour, true), anna));

  const [sun, star] = [await found(school, anna), await found(school, anna)];
  const corner = await found(school, anna, sun);
  const closed = await found(school, anna);
  const [waiting, expected] = [await enrol(null), await enrol(null)];
  await does(acts.moveChild(expected, closed, anna, 'ENROLLED', 0));
  await does(acts.inviteFamily(expected, anna, 'GUARDIAN', closed));
  await does(acts.inviteFamily(expected, anna, 'GUARDIAN', corner));
  await does(acts.archiveGroup(closed, anna));
  await does(acts.assignStaff(marias, sun, anna, 'EDUCATOR', null));
  await does(acts.assignStaff(marias, corner, anna, 'SPECIALIST', null));
  await does(acts.assignStaff(veras, star, anna, 'EDUCATOR', null));
  await does(acts.assignStaff(newcomers, sun, anna, 'EDUCATOR', null));

  const [petya, olga] = [await enrol(sun), await enrol(sun)];
  const [ivan, zoya] = [await enrol(star), await enrol(star)];
  await bring(petya, mother);
  await bring(ivan, mother);
  await bring(petya, father);
  await bring(olga, vera);
  await bring(zoya, student, anna, 'STUDENT');
  await bring(waiting, father);
  const gone = await enrol(star);
  await bring(gone, grandmother);
  await does(acts.moveChild(gone, null, anna, 'WITHDRAWN', null));
  const fathers = school.links.findIndex(({ person }) => person === father);
  await does(
    acts.setGuardianContactVisibility(pick(school.links, fathers), place.factOf('links', fathers), anna, true),
  );

  await does(acts.inviteFamily(ivan, vera, 'GUARDIAN', star));
  await does(acts.inviteFamily(olga, maria, 'GUARDIAN', sun));
  await does(acts.inviteFamily(zoya, anna, 'STUDENT', star));
  await does(acts.inviteEmployee(school, deputy));
  await does(acts.moveChild(petya, star, anna, 'TRANSFERRED', 1));
  await does(acts.moveChild(waiting, sun, anna, 'ENROLLED', 0));
  await does(acts.endStaffAssignment(pick(school.assignments, 0), place.factOf('assignments', 0), anna, 2));

  /** A post that has come so far, in the channel of a kind or of a group. */
  const tell = async (
    where: 'COMMUNITY' | 'STAFF' | Group,
    by: Somebody,
    ...steps: readonly [PostDeed, Somebody][]
  ) => {
    const { channels, posts } = typeof where === 'string' ? school : where.school;
    const here = channels.find(({ kind, group }) => where === kind || where === group);
    if (here) await does(acts.draftPost(here, by));
    for (const [deed, who] of steps) await does(acts.changePost(last(posts), who, deed));
  };
  await tell('COMMUNITY', anna, ['publish', anna]);
  await tell('COMMUNITY', deputy);
  await tell('COMMUNITY', head, ['suggest', head]);
  await tell('COMMUNITY', vera, ['suggest', vera], ['approve', anna]);
  await tell('COMMUNITY', maria, ['suggest', maria], ['reject', deputy]);
  await tell('COMMUNITY', head, ['suggest', head], ['approve', anna], ['reject', deputy]);
  await tell('COMMUNITY', anna, ['publish', anna], ['archive', anna]);
  await tell('COMMUNITY', anna, ['publish', anna], ['remove', anna]);
  await tell('STAFF', anna, ['publish', anna]);
  await tell('STAFF', maria, ['suggest', maria]);
  await tell(sun, maria, ['publish', maria]);
  await tell(sun, maria);
  await tell(sun, head, ['publish', head], ['archive', maria]);
  await tell(star, vera, ['publish', vera]);
  await tell(star, vera, ['publish', vera], ['remove', anna]);
  await tell(corner, maria, ['publish', maria]);

  const group = (whose: Group) => school.chats.findIndex((each) => each.group === whose);
  const says = async (chat: Chat, ...authors: readonly Somebody[]) => {
    for (const author of authors) await does(acts.sendMessage(chat, author));
  };
  const begins = async (...chat: Parameters<typeof acts.createChat>) => {
    await does(acts.createChat(...chat));
    return last(chat[0].chats);
  };
  await says(pick(school.chats, 0), head, maria);
  await says(pick(school.chats, group(sun)), maria, mother, father);
  await says(pick(school.chats, group(star)), vera, mother);
  const trip = await begins(school, maria, 'CUSTOM', [vera, mother]);
  await says(trip, maria);
  await does(acts.addChatMembers(trip, maria, [father]));
  await says(trip, mother, father);
  const play = await begins(school, vera, 'CUSTOM', [maria, mother], true);
  await says(play, vera);
  await does(acts.addChatMembers(play, vera, [head]));
  await does(acts.leaveChat(play, maria));
  await says(play, head);
  await says(await begins(school, vera, 'CUSTOM', [student]), student, vera);
  await says(await begins(school, mother, 'DIRECT', [maria]), mother, maria);
  await says(await begins(school, head, 'DIRECT', [father]), head);
  await says(await begins(school, vera, 'DIRECT', [maria]), vera);

  // Who has been somewhere: what was said then may be theirs to read, or no more.
  const [moved, lost] = [await enrol(sun), await enrol(star)];
  await bring(moved, aunt);
  await bring(lost, aunt);
  const formers = await employ(former, true);
  await says(pick(school.chats, 0), former);
  const repairs = await begins(school, former, 'CUSTOM', [maria]);
  await says(repairs, former);
  await says(pick(school.chats, group(sun)), aunt);
  await says(pick(school.chats, group(star)), aunt);
  await does(acts.moveChild(moved, corner, anna, 'TRANSFERRED', null));
  const auntsLink = school.links.findIndex(({ child, person }) => child === lost && person === aunt);
  await does(acts.revokeGuardianLink(pick(school.links, auntsLink), place.factOf('links', auntsLink), anna));
  await does(acts.revokeVerification(formers, place.factsOf(formers).verificationId ?? '', anna));
  await says(pick(school.chats, group(sun)), maria);
  await says(repairs, maria);

  const elsewhere = await found(another, neighbour);
  await tell(elsewhere, neighbour, ['publish', neighbour]);
  await bring(await enrol(elsewhere, another, neighbour), parent, neighbour);
  await says(await begins(another, neighbour, 'DIRECT', [parent]), neighbour, parent);
  await place.check('the beginning');
  for (const person of people) {
    await place.look(person, 'the beginning');
    await place.lookUp(person, 'the beginning');
  }
  return place.world;
}

/** Somebody who is signed in; how they did that is not what this is about. */
async function arrive(db: Database, name: string, phone: string): Promise<Somebody> {
  const [user] = await rows<{ id: string }>(
    db,
    sql`insert into users (phone, family_name, given_name) values (${phone}, 'Somebody', ${phone})
        on conflict (phone) do update set (family_name, given_name) = row(excluded.family_name, excluded.given_name) returning id`,
  );
  const [session] = await rows<{ id: string }>(
    db,
    sql`insert into sessions (user_id, token_hash, expires_at) values (${user?.id}, ${randomBytes(32)}, now() + interval '1 day') returning id`,
  );
  return { name, phone, userId: user?.id ?? '', sessionId: session?.id ?? '', isOperator: name === 'Operator' };
}

async function openSchool(
  db: Database,
  applicant: Somebody,
  operator: Somebody,
  first: Somebody,
  guardiansBegin: boolean,
): Promise<School> {
  const application = await submitOrganizationApplication(
    db,
    viewer(applicant),
    applicationOf(`School of ${first.name}`, 'SCHOOL', first.phone),
    async () => {},
  );
  const { organizationId } = await approveOrganizationApplication(db, viewer(operator), application.id);
  const id = organizationId ?? '';
  await updateOrganization(db, viewer(first), id, { studentsAllowed: true, guardianChatsAllowed: guardiansBegin });
  const [staff] = await rows<{ id: string }>(db, sql`select id from groups where organization_id = ${id}`);
  const lists = { links: [], assignments: [], invites: [], movements: [], plans: [], children: [], requests: [] };
  const telling = { channels: [], posts: [], chats: [], guardiansBegin };
  const school: School = {
    id,
    suspended: false,
    sentAway: new Set(),
    memberships: [],
    groups: [],
    ...lists,
    ...telling,
  };
  school.channels.push(channel(school, 'COMMUNITY'), channel(school, 'STAFF'));
  school.chats.push(chat(school, 'HEAD_STAFF'));
  school.groups.push({ id: staff?.id ?? '', school, kind: 'STAFF', parent: null, archived: false });
  model.begin(school, first, 'EMPLOYEE').grant = 'RESERVED';
  return school;
}
