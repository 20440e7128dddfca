import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { fewestStatements } from './support/statements.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const user = 'displayName distinction { role position }';

/** What a school shows of its members, by their memberships. */
async function membersOf(school: School, who: TestClient = school.administrator): Promise<Map<string, Json>> {
  const query = `query ($id: ID!) { organization(id: $id) { members(first: 100) { nodes { id user { ${user} } } } } }`;
  const { data } = await who.send(query, { id: school.id });
  return new Map(data.organization.members.nodes.map(({ id, ...member }: Json) => [id, member.user]));
}

const shown = async (school: School, { membershipId }: { membershipId: string }): Promise<Json> =>
  (await membersOf(school)).get(membershipId);

/** The author of a message, or of a comment, as somebody reads it. */
async function authorOf(who: TestClient, id: string): Promise<Json> {
  const query = `query ($id: ID!) {
    node(id: $id) { ... on Message { author { ${user} } } ... on Comment { author { ${user} } } } }`;
  return (await who.send(query, { id })).data.node.author;
}

type Name = readonly [familyName: string, givenName: string, patronymic?: string];

async function named([familyName, givenName, patronymic]: Name, phone?: string): Promise<Person> {
  const person = await app.world.person(null, phone);
  await person.does('UpdateProfile', { input: { familyName, givenName, patronymic } });
  return person;
}

const rename = (
  who: TestClient,
  { membershipId }: { membershipId: string },
  [familyName, givenName, patronymic]: Name,
) => who.does('RenameMember', { membershipId, familyName, givenName, patronymic });

const renamings = async ({ administrator, id: organizationId }: School): Promise<Json[]> => {
  const { organization } = await administrator.run('AuditLog', { organizationId, first: 100 });
  return organization.auditLog.nodes.filter(({ action }: Json) => action === 'membership.rename');
};

async function importStaff(school: School, ...lines: readonly string[]): Promise<void> {
  const titles = 'Табельный номер;Фамилия;Имя;Отчество;Телефон;Должность;Группы';
  const file = Buffer.from([titles, ...lines].join('\r\n')).toString('base64');
  const input = { organizationId: school.id, kind: 'STAFF', academicYear: '2026/27', file, dryRun: false };
  expect(await school.administrator.does('ImportRoster', { input })).toMatchObject({ __typename: 'RosterImport' });
}

let phones = 0;
const newPhone = () => `+7924${String(1_000_000 + ++phones)}`;

describe('one’s own name', () => {
  test('is one’s own to change until the first membership, and no longer, also not after the last', async () => {
    const school = await app.world.school();
    const person = await app.world.person('Ivanova');
    const profile = (input: object) => person.does('UpdateProfile', { input });
    expect(await profile({ familyName: 'Petrova', patronymic: 'Olegovna' })).toMatchObject({
      displayName: 'Petrova Test Olegovna',
    });
    const employee = await app.world.member(school, 'EMPLOYEE', person);
    const fixed = { __typename: 'NameFixed', code: 'NAME_FIXED', message: expect.stringContaining('administrator') };
    expect(await profile({ familyName: 'Sidorova' })).toMatchObject(fixed);
    expect(await profile({ patronymic: null, email: 'petrova@example.org' })).toMatchObject(fixed);
    expect((await person.run('Viewer')).viewer.contact.email).toBeNull();
    const same = { familyName: 'Petrova', givenName: 'Test', patronymic: 'Olegovna' };
    expect(await profile({ ...same, email: 'petrova@example.org', locale: 'ru' })).toMatchObject({
      __typename: 'User',
    });
    expect((await person.run('Viewer')).viewer.contact.email).toBe('petrova@example.org');
    expect((await profile({ givenName: 'Anna' })).message).toBe('Имя участника меняет администратор организации.');
    await person.does('LeaveOrganization', { organizationId: school.id });
    expect(await profile({ givenName: 'Anna' })).toMatchObject({ code: 'NAME_FIXED' });
    expect(await membersOf(school)).not.toContain(employee.membershipId);
    expect((await person.run('Viewer')).viewer.user.displayName).toBe('Petrova Test Olegovna');
  });

  test('who comes by an invite has a name, which is theirs there from then on', async () => {
    const school = await app.world.school();
    const nameless = await app.world.person(null);
    const { code } = await app.world.invite(school);
    expect(await nameless.does('RedeemInvite', { code })).toMatchObject({ code: 'NAME_REQUIRED' });
    const { membership } = await nameless.does('RedeemInvite', { code, familyName: 'Orlova', givenName: 'Olga' });
    expect(await shown(school, { membershipId: membership.id })).toMatchObject({ displayName: 'Orlova Olga' });
    expect(await nameless.does('UpdateProfile', { input: { givenName: 'Anna' } })).toMatchObject({
      code: 'NAME_FIXED',
    });
  });
});

describe('an administrator', () => {
  test('renames a member: old words bear the new name, the member and the administrators hear, the audit keeps both', async () => {
    const school = await app.world.school();
    const employee = await app.world.staff(school);
    const reader = await app.world.staff(school);
    const { id } = await app.world.message(employee, await app.world.chat(employee, school), 'Good morning');
    const { cursor } = (await employee.run('Viewer')).viewer;
    const renamed = await rename(school.administrator, employee, ['Orlova', 'Olga', 'Ivanovna']);
    expect(renamed).toMatchObject({ id: employee.membershipId, user: { displayName: 'Orlova Olga Ivanovna' } });
    expect(await authorOf(reader, id)).toEqual({ displayName: 'Orlova Olga Ivanovna', distinction: null });

    const event = { kind: 'MEMBER_RENAMED', membership: { user: { displayName: 'Orlova Olga Ivanovna' } } };
    await using own = employee.listen(
      `subscription ($after: Cursor) { viewerEvents(after: $after) {
        __typename ... on MembershipChanged { kind membership { user { displayName } } } } }`,
      { after: cursor },
    );
    expect(await own.nextOf('MembershipChanged')).toMatchObject(event);
    await using theirs = school.administrator.subscribe('OrganizationEvents', {
      organizationId: school.id,
      after: cursor,
    });
    expect(await theirs.nextOf('MembershipChanged')).toMatchObject(event);

    await rename(school.administrator, employee, ['Orlova', 'Olga', 'Ivanovna']);
    expect(await renamings(school)).toMatchObject([
      {
        actor: { displayName: 'Sidorova Anna Ivanovna' },
        targetId: employee.membershipId,
        before: { familyName: 'EMPLOYEE', givenName: 'Test', patronymic: null },
        after: { familyName: 'Orlova', givenName: 'Olga', patronymic: 'Ivanovna' },
      },
    ]);
    expect((await employee.run('Viewer')).viewer.user.displayName).toBe('EMPLOYEE Test');
  });

  test('renames themself, and whom the organization has known in another role or before', async () => {
    const school = await app.world.school();
    const { administrator, id: organizationId } = school;
    const { members } = (await administrator.run('Members', { organizationId })).organization;
    const own = { membershipId: members.nodes[0].id };
    expect(members.nodes[0]).toMatchObject({ viewerCanRename: true, viewerCanChange: false });
    expect((await rename(administrator, own, ['Petrova', 'Anna'])).user.displayName).toBe('Petrova Anna');
    const guardian = await app.world.member(school, 'GUARDIAN');
    await guardian.does('LeaveOrganization', { organizationId });
    expect((await rename(administrator, guardian, ['Orlov', 'Oleg'])).user.displayName).toBe('Orlov Oleg');
    const again = await app.world.member(school, 'EMPLOYEE', guardian);
    expect(await shown(school, again)).toMatchObject({ displayName: 'Orlov Oleg' });
    expect(await rename(administrator, guardian, ['Orlov', ' '])).toMatchObject({ field: 'givenName' });
  });

  test('alone renames, and only in their own organization', async () => {
    const [school, other] = [await app.world.school(), await app.world.school('School 12', 'SCHOOL')];
    const person = await app.world.staff(school);
    const colleague = await app.world.staff(school);
    const head = await app.world.head(school);
    const guardian = await app.world.member(school, 'GUARDIAN');
    const elsewhere = await app.world.member(other, 'GUARDIAN', person);
    const answers = async (who: Person) => (await rename(who, colleague, ['Orlova', 'Olga'])).code;
    expect(await answers(head)).toBe('FORBIDDEN');
    expect(await answers(person)).toBe('FORBIDDEN');
    expect(await answers(colleague)).toBe('FORBIDDEN');
    expect(await answers(guardian)).toBe('NOT_FOUND');
    expect(await answers(other.administrator)).toBe('NOT_FOUND');
    await rename(other.administrator, elsewhere, ['Orlova', 'Olga']);
    const [here, there] = [(await membersOf(school)).values(), (await membersOf(other)).values()];
    expect([...here].map(({ displayName }) => displayName)).not.toContain('Orlova Olga');
    expect([...there].map(({ displayName }) => displayName)).toContain('Orlova Olga');
    expect(await renamings(school)).toEqual([]);
  });
});

describe('what the institution wrote', () => {
  test('in its register of employees is their name there, before they come and after', async () => {
    const school = await app.world.school();
    const [phone, laterPhone] = [newPhone(), newPhone()];
    const row = (number: number, name: string, of: string) => `${number};${name};Ольга;;${of};EDUCATOR;`;
    await importStaff(school, row(1, 'Орлова', phone));
    const employee = await app.world.member(school, 'EMPLOYEE', await named(['Sidorova', 'Anna'], phone));
    const later = await app.world.member(school, 'EMPLOYEE', await named(['Kim', 'Vera'], laterPhone));
    const names = async () => [(await shown(school, employee)).displayName, (await shown(school, later)).displayName];
    expect(await names()).toEqual(['Орлова Ольга', 'Kim Vera']);
    const file = [row(1, 'Соколова', phone), row(2, 'Ким', laterPhone)];
    await importStaff(school, ...file);
    expect(await names()).toEqual(['Соколова Ольга', 'Ким Ольга']);
    expect(await renamings(school)).toHaveLength(2);
    await rename(school.administrator, later, ['Ли', 'Ольга']);
    await importStaff(school, ...file);
    expect(await names()).toEqual(['Соколова Ольга', 'Ли Ольга']);
  });

  test('in its application is the administrator’s name there, whatever their account says', async () => {
    const operator = await app.world.operator();
    const applicant = await app.world.person('Applicant');
    const phone = newPhone();
    const administrator = await named(['Nobody', 'Knows'], phone);
    const application = await applicant.does('SubmitOrganizationApplication', {
      input: {
        organization: { kind: 'SCHOOL', name: 'School 5', address: 'Moscow, Lesnaya 5' },
        order: { number: '5', date: '2026-09-01' },
        administrator: { familyName: 'Sidorova', givenName: 'Anna', phone, email: 'anna@example.org' },
      },
    });
    const { organization } = await operator.does('ApproveOrganizationApplication', { applicationId: application.id });
    const members = await membersOf({ id: organization.id, staffGroupId: '', administrator });
    expect([...members.values()]).toEqual([{ displayName: 'Sidorova Anna', distinction: null }]);
  });

  test('in its roster of children is a guardian’s name there, however they call themselves when they come', async () => {
    const school = await app.world.school();
    const { administrator, id: organizationId } = school;
    const groupId = await app.world.group(school, { name: 'Sun' });
    const phone = newPhone();
    const titles = 'Номер;Фамилия;Имя;Отчество;Дата рождения;Группа;Родитель 1;Телефон 1';
    const file = [titles, `1;Орлов;Миша;;;Sun;Орлова Ольга Ивановна;${phone}`].join('\r\n');
    await administrator.does('ImportRoster', {
      input: {
        organizationId,
        kind: 'CHILDREN',
        academicYear: '2026/27',
        file: Buffer.from(file).toString('base64'),
        dryRun: false,
      },
    });
    const mother = await named(['Сидорова', 'Анна', 'Ивановна'], phone);
    const { organization } = await administrator.run('Children', { organizationId, first: 1 });
    const guardian = await app.world.guardian(school, organization.children.nodes[0].id, mother);
    expect(await shown(school, guardian)).toEqual({ displayName: 'Орлова Ольга Ивановна', distinction: null });
    const teacher = await app.world.teacher(school, groupId);
    const chatId = await app.world.chat(guardian, school, groupId);
    const { id } = await app.world.message(guardian, chatId, 'Good morning');
    expect((await authorOf(teacher, id)).displayName).toBe('Орлова Ольга Ивановна');
  });
});

describe('equal names', () => {
  test.each<[string, Name, Name]>([
    ['the same', ['Орлова', 'Ольга', 'Ивановна'], ['Орлова', 'Ольга', 'Ивановна']],
    ['with «е» for «ё», and in other letters', ['Королёва', 'Алёна'], ['КОРОЛЕВА', 'Алена']],
    ['with Latin letters for Cyrillic ones', ['Сорокина', 'Анна'], ['Copoкинa', 'Aннa']],
    ['divided otherwise', ['Орлова', 'Ольга', 'Ивановна'], ['Орлова Ольга', 'Ивановна']],
    ['with an accent', ['Орлова', 'Ольга'], ['Орло\u0301ва', 'Ольга']],
  ])('%s: both are told apart by role and position, in lists, messages and events', async (_case, first, second) => {
    const school = await app.world.school();
    const { administrator } = school;
    const phone = newPhone();
    await importStaff(school, `1;${first[0]};${first[1]};${first[2] ?? ''};${phone};EDUCATOR;`);
    const educator = await app.world.member(school, 'EMPLOYEE', await named(first, phone));
    expect((await shown(school, educator)).distinction).toBeNull();
    const groupId = await app.world.group(school);
    const childId = await app.world.child(school, groupId);
    const guardian = await app.world.guardian(school, childId, await named(second));
    const marks = async () =>
      Promise.all([educator, guardian].map(async (member) => (await shown(school, member)).distinction));
    const expected = [
      { role: 'EMPLOYEE', position: 'EDUCATOR' },
      { role: 'GUARDIAN', position: null },
    ];
    expect(await marks()).toEqual(expected);

    const teacher = await app.world.teacher(school, groupId);
    const chatId = await app.world.chat(teacher, school, groupId);
    const { cursor } = (await teacher.run('Viewer')).viewer;
    await using stream = teacher.listen(
      `subscription ($id: ID!, $after: Cursor) {
        chatEvents(chatId: $id, after: $after) { __typename ... on MessageSent { message { author { ${user} } } } } }`,
      { id: chatId, after: cursor },
    );
    const { id } = await app.world.message(guardian, chatId, 'Good morning');
    expect((await authorOf(teacher, id)).distinction).toEqual(expected[1]);
    expect((await stream.nextOf('MessageSent')).message.author.distinction).toEqual(expected[1]);

    await rename(administrator, guardian, ['Другая', 'Ольга']);
    expect(await marks()).toEqual([null, null]);
    expect((await authorOf(teacher, id)).distinction).toBeNull();
  });

  test('of a former member are told apart as well, and names that only resemble one another are not', async () => {
    const school = await app.world.school();
    const former = await app.world.member(school, 'GUARDIAN', await named(['Орлова', 'Ольга']));
    await former.does('LeaveOrganization', { organizationId: school.id });
    const employee = await app.world.member(school, 'EMPLOYEE', await named(['Орлова', 'Ольга']));
    const another = await app.world.member(school, 'EMPLOYEE', await named(['Орлова', 'Ольга', 'Ивановна']));
    expect((await shown(school, employee)).distinction).toEqual({ role: 'EMPLOYEE', position: null });
    expect((await shown(school, another)).distinction).toBeNull();
  });

  test('in different organizations are no namesakes', async () => {
    const [school, other] = [await app.world.school(), await app.world.school('School 12', 'SCHOOL')];
    const here = await app.world.member(school, 'GUARDIAN', await named(['Орлова', 'Ольга']));
    await app.world.member(other, 'GUARDIAN', await named(['Орлова', 'Ольга']));
    expect((await shown(school, here)).distinction).toBeNull();
  });
});

describe('a LIMITED guardian', () => {
  const hide = (guardian: Person & { linkId: string }, contactVisibility = 'LIMITED') =>
    guardian.does('SetGuardianContactVisibility', { guardianLinkId: guardian.linkId, contactVisibility });

  test('marks nobody by their name, and is marked by others’; shown again they do', async () => {
    const school = await app.world.school();
    const childId = await app.world.child(school, await app.world.group(school));
    const mother = await app.world.guardian(school, childId, await named(['Орлова', 'Ольга']));
    const father = await app.world.guardian(school, childId, await named(['Орлов', 'Олег']));
    await hide(father);
    const namesake = await app.world.member(school, 'GUARDIAN', await named(['Орлов', 'Олег']));
    const guardian = { role: 'GUARDIAN', position: null };
    expect((await shown(school, namesake)).distinction).toBeNull();
    expect((await shown(school, father)).distinction).toEqual(guardian);
    expect((await shown(school, mother)).distinction).toBeNull();
    await hide(father, 'FULL');
    expect((await shown(school, namesake)).distinction).toEqual(guardian);
    await hide(father);
    expect((await shown(school, namesake)).distinction).toBeNull();
  });

  test('who works there marks others as any employee, and is told apart as one, also when that is over', async () => {
    const school = await app.world.school();
    const childId = await app.world.child(school, await app.world.group(school));
    const father = await app.world.guardian(school, childId, await named(['Орлов', 'Олег']));
    await hide(father);
    const namesake = await app.world.member(school, 'GUARDIAN', await named(['Орлов', 'Олег']));
    expect((await shown(school, namesake)).distinction).toBeNull();
    await app.world.member(school, 'EMPLOYEE', father);
    expect((await shown(school, namesake)).distinction).toEqual({ role: 'GUARDIAN', position: null });
    await father.does('LeaveOrganization', { organizationId: school.id, role: 'EMPLOYEE' });
    expect((await shown(school, namesake)).distinction).toEqual({ role: 'GUARDIAN', position: null });
    const { data } = await father.send(
      `{ viewer { memberships(first: 5) { nodes { role user { distinction { role } } } } } }`,
    );
    expect(data.viewer.memberships.nodes).toEqual([{ role: 'GUARDIAN', user: { distinction: { role: 'EMPLOYEE' } } }]);
  });
});

test('people of one name are told apart by one statement for all of them, which nobody pays for where there are none', async () => {
  const school = await app.world.school();
  for (const familyName of ['Орлова', 'Иванова', 'Петрова']) {
    await app.world.member(school, 'GUARDIAN', await named([familyName, 'Ольга']));
  }
  const before = (await fewestStatements(() => membersOf(school), 3)).statements;
  for (let turn = 0; turn < 2; turn++) await app.world.member(school, 'GUARDIAN', await named(['Орлова', 'Ольга']));
  const { data, statements } = await fewestStatements(() => membersOf(school), before.length + 1);
  expect([...data.values()].filter(({ distinction }) => distinction)).toHaveLength(3);
  expect(statements).toHaveLength(before.length + 1);
});
