import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkAudiences } from '../src/audiences/queries.ts';
import { connect } from '../src/database/connect.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json, TestClient } from './support/client.ts';
import { inDatabase } from './support/sql.ts';
import type { Person, School } from './support/world.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const year = '2026/27';
const childTitles =
  'Номер;Фамилия;Имя;Отчество;Дата рождения;Группа;Родитель 1;Телефон 1;Родитель 2;Телефон 2;Родитель 3;Телефон 3';
const staffTitles = 'Табельный номер;Фамилия;Имя;Отчество;Телефон;Должность;Группы';

const file = (...lines: readonly string[]): string => base64(lines.join('\r\n'));
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');

/** The bytes that a Russian Excel writes. */
function windows1251(text: string): Uint8Array {
  const decoder = new TextDecoder('windows-1251');
  const bytes = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]));
  return Uint8Array.from(text, (character) => bytes.get(character) ?? 0x3f);
}

const importing = (who: TestClient, school: School, kind: 'CHILDREN' | 'STAFF', content: string, dryRun = false) =>
  who.does('ImportRoster', {
    input: { organizationId: school.id, kind, academicYear: year, file: content, dryRun },
  });
const bringIn = async (school: School, kind: 'CHILDREN' | 'STAFF', ...lines: readonly string[]): Promise<Json> => {
  const done = await importing(school.administrator, school, kind, file(...lines));
  if (done.__typename !== 'RosterImport') throw new Error(JSON.stringify(done));
  return done;
};

let phones = 0;
const newPhone = () => `+7921${String(1_000_000 + ++phones)}`;

async function childrenOf(school: School, search?: string): Promise<Json[]> {
  const { organization } = await school.administrator.run('Children', {
    organizationId: school.id,
    search,
    first: 100,
  });
  return organization.children.nodes;
}

async function expectAudiencesRight(): Promise<void> {
  await using connection = await connect({ databaseUrl: app.databaseUrl, dataDirectory: 'memory://', poolSize: 1 });
  expect(await checkAudiences(connection.db)).toEqual([]);
}

/** Everything that the database holds but for the clocks of sessions and limits: how many rows of each table, and what they say. */
const everything = (): Promise<Json> =>
  inDatabase(app, async (sql) => {
    const tables = await sql`select tablename from pg_tables where schemaname = 'public' order by 1`;
    const states: Json = {};
    for (const { tablename } of tables) {
      if (['rate_limits', 'sms_counts', 'sessions'].includes(tablename)) continue;
      // Events get their places a little later.
      const row = tablename === 'log_events' ? 't.id::text' : 't::text';
      const [state] = await sql.unsafe(
        `select count(*)::int as size, md5(string_agg(${row}, '|' order by ${row})) as content from ${tablename} t`,
      );
      states[tablename] = { ...state };
    }
    return states;
  });

const familyNames = ['Иванов', 'Петров', 'Сидоров', 'Кузнецов', 'Смирнов', 'Фёдоров', 'Ким'];
const groupName = (number: number) => `Группа № ${number}`;
const groupCount = 25;

/** 500 children in 450 families of two guardians each, and 60 employees, of whom every tenth works in three groups. */
function largeRosters(): { children: string[]; staff: string[] } {
  const children = Array.from({ length: 500 }, (_, at) => {
    const family = at < 450 ? at : at - 450;
    const name = `${familyNames[family % familyNames.length]}-${family}`;
    const phone = (of: number) => `8 (922) ${String(1_000_000 + 2 * family + of).replace(/(...)(..)(..)/, '$1-$2-$3')}`;
    const birth = `${String(1 + (at % 28)).padStart(2, '0')}.${String(1 + (at % 12)).padStart(2, '0')}.2021`;
    return [
      `К-${at}`,
      name,
      at < 450 ? 'Миша' : 'Маша',
      at % 5 ? 'Олегович' : '',
      birth,
      groupName(at % groupCount),
      `${name} Анна Петровна`,
      phone(0),
      `${name} Олег Иванович`,
      phone(1),
    ].join(';');
  });
  const staff = Array.from({ length: 60 }, (_, at) => {
    const groups = at % 10 ? [at] : [at, at + 1, at + 2];
    const names = groups.map((number) => groupName(number % groupCount)).join(', ');
    return `Т-${at};Орлова-${at};Ольга;Ивановна;+7923${1_000_000 + at};${at % 10 ? 'Воспитатель' : 'Логопед'};"${names}"`;
  });
  return { children: [childTitles, ...children], staff: [staffTitles, ...staff] };
}

async function withGroups(school: School, names: readonly string[]): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (const name of names) {
    const group = await school.administrator.does('CreateGroup', {
      input: { organizationId: school.id, kind: 'AGE_GROUP', name, academicYear: year },
    });
    made.set(name, group.id);
  }
  return made;
}

test('500 children, their 900 guardians and 60 staff are brought in; again, and nothing changes', async () => {
  const school = await app.world.school();
  await withGroups(
    school,
    Array.from({ length: groupCount }, (_, number) => groupName(number)),
  );
  const { children, staff } = largeRosters();
  const began = performance.now();
  const first = await bringIn(school, 'CHILDREN', ...children);
  const firstStaff = await bringIn(school, 'STAFF', ...staff);
  console.info(`500 children and 60 staff in ${Math.round(performance.now() - began)} ms`);
  expect(first).toMatchObject({
    rowCount: 500,
    addedCount: 500,
    enrolledCount: 500,
    namedGuardianCount: 1_000,
    expectedGuardianCount: 900,
    updatedCount: 0,
    unchangedCount: 0,
  });
  expect(firstStaff).toMatchObject({ rowCount: 60, addedCount: 60, assignedCount: 0 });

  const again = performance.now();
  const nothing = { addedCount: 0, updatedCount: 0, enrolledCount: 0, transferredCount: 0, namedGuardianCount: 0 };
  expect(await bringIn(school, 'CHILDREN', ...children)).toMatchObject({
    ...nothing,
    unchangedCount: 500,
    expectedGuardianCount: 900,
  });
  expect(await bringIn(school, 'STAFF', ...staff)).toMatchObject({ ...nothing, unchangedCount: 60 });
  console.info(`Again in ${Math.round(performance.now() - again)} ms`);

  const { organization } = await school.administrator.run('Children', { organizationId: school.id, enrolled: true });
  expect(organization.children.totalCount).toBe(500);
  const [misha] = (await school.administrator.run('Children', { organizationId: school.id, search: 'Ким-6 Миша' }))
    .organization.children.nodes;
  expect(misha).toMatchObject({
    displayName: 'Ким-6 Миша Олегович',
    birthDate: '2021-07-07',
    externalId: 'К-6',
    group: { name: 'Группа № 6' },
    guardians: {
      nodes: [
        { state: 'PENDING', user: { displayName: 'Ким-6 Олег Иванович' }, contact: { phone: '+79221000013' } },
        { state: 'PENDING', user: { displayName: 'Ким-6 Анна Петровна' }, contact: { phone: '+79221000012' } },
      ],
    },
  });
  await expectAudiencesRight();
});

test('a table as a Russian Excel saves it is read: Windows-1251, titles and quotes of its own', async () => {
  const school = await app.world.school();
  const groups = await withGroups(school, ['Ёлочка', '1 «А»']);
  const text = [
    '"№ личного дела";ФАМИЛИЯ;имя;Дата рождения;Класс;Законный представитель 1;Телефон 1;Примечание',
    '17/2;Ёлкина;Мария;1.9.2020;елочка;Ёлкина Анна;89217654321;"болеет; часто"',
    '18;Ким;Пак;;"1 ""А""";;;',
    ';;;;;;;',
  ].join('\r\n');
  const done = await importing(school.administrator, school, 'CHILDREN', base64(windows1251(text)));
  expect(done).toMatchObject({ rowCount: 2, addedCount: 2, enrolledCount: 2, expectedGuardianCount: 1 });
  expect(await childrenOf(school)).toMatchObject([
    { externalId: '18', birthDate: null, group: { id: groups.get('1 «А»') } },
    {
      externalId: '17/2',
      displayName: 'Ёлкина Мария',
      birthDate: '2020-09-01',
      group: { id: groups.get('Ёлочка') },
      guardians: { nodes: [{ contact: { phone: '+79217654321' } }] },
    },
  ]);
});

describe('a file with a mistake is refused with its row and column, and changes nothing', () => {
  let school: School;
  let before: Json;
  beforeAll(async () => {
    school = await app.world.school();
    await withGroups(school, ['Sun', 'SUN', 'Moon']);
    await bringIn(school, 'STAFF', staffTitles, `900;Old;Hand;;+79210000900;EDUCATOR;Moon`);
    before = await everything();
  });

  const child = (changes: Readonly<Record<number, string>>) =>
    Object.assign(['1', 'Ivanov', 'Misha', '', '2020-09-01', 'Moon', '', '', '', '', '', ''], changes).join(';');
  const employee = (changes: Readonly<Record<number, string>>) =>
    Object.assign(['1', 'Orlova', 'Olga', '', '+79210000901', 'EDUCATOR', 'Moon'], changes).join(';');
  const [anna, boris] = ['Ivanova Anna', 'Petrov Boris'];
  const phone = '+79210000777';

  test.each<[string, 'CHILDREN' | 'STAFF', string, [row: number, column: string | null, message: RegExp]]>([
    ['an encoding that nobody reads', 'CHILDREN', base64(Buffer.from(childTitles, 'utf16le')), [1, null, /UTF-8/]],
    ['nothing', 'CHILDREN', '', [1, null, /empty/]],
    ['a column too few', 'CHILDREN', file('Номер;Имя;Группа', '1;Misha;Moon'), [1, 'Family name', /no column/]],
    ['a column twice', 'STAFF', file(`${staffTitles};Phone`, employee({})), [1, 'Phone', /twice/]],
    ['a row with too many cells', 'CHILDREN', file(childTitles, `${child({})};;x`), [2, null, /14 cells/]],
    ['a quote that is not closed', 'CHILDREN', file(childTitles, child({ 1: '"Ivanov' })), [2, null, /quote/i]],
    ['no number', 'CHILDREN', file(childTitles, child({ 0: '' })), [2, 'Номер', /empty/]],
    ['no name', 'CHILDREN', file(childTitles, child({ 2: '' })), [2, 'Имя', /empty/]],
    ['a name of no letters', 'CHILDREN', file(childTitles, child({ 1: '—' })), [2, 'Фамилия', /letter/]],
    ['a number twice', 'CHILDREN', file(childTitles, child({}), '', child({ 2: 'Ann' })), [4, 'Номер', /Row 2/]],
    ['a date that is none', 'CHILDREN', file(childTitles, child({ 4: '31.02.2020' })), [2, 'Дата рождения', /date/]],
    ['a date to come', 'CHILDREN', file(childTitles, child({ 4: '01.09.2199' })), [2, 'Дата рождения', /date/]],
    ['a group that is not there', 'CHILDREN', file(childTitles, child({ 5: 'Star' })), [2, 'Группа', /2026\/27/]],
    ['a group of two that are alike', 'CHILDREN', file(childTitles, child({ 5: 'sun' })), [2, 'Группа', /several/]],
    ['a bad phone', 'CHILDREN', file(childTitles, child({ 6: anna, 7: '7,92E+10' })), [2, 'Телефон 1', /phone/]],
    [
      'a guardian without a phone',
      'CHILDREN',
      file(childTitles, child({ 8: anna })),
      [2, 'Телефон 2', /phone is needed/],
    ],
    ['half a name', 'CHILDREN', file(childTitles, child({ 6: 'Anna', 7: phone })), [2, 'Родитель 1', /given name/]],
    ['a guardian twice', 'CHILDREN', file(childTitles, child({ 7: phone, 11: phone })), [2, 'Телефон 3', /Row 2/]],
    [
      'one phone of two people',
      'CHILDREN',
      file(childTitles, child({ 6: anna, 7: phone }), child({ 0: '2', 8: boris, 9: phone })),
      [3, 'Родитель 2', /Row 2 has another name/],
    ],
    ['an employee without a phone', 'STAFF', file(staffTitles, employee({ 4: '' })), [2, 'Телефон', /empty/]],
    ['a landline', 'STAFF', file(staffTitles, employee({ 4: '+74951234567' })), [2, 'Телефон', /mobile/]],
    ['a phone twice', 'STAFF', file(staffTitles, employee({}), employee({ 0: '2' })), [3, 'Телефон', /Row 2/]],
    ['a phone of another record', 'STAFF', file(staffTitles, employee({ 4: '+79210000900' })), [2, 'Телефон', /900/]],
    ['a position that is none', 'STAFF', file(staffTitles, employee({ 5: 'Pirate' })), [2, 'Должность', /Educator/]],
    ['the head', 'STAFF', file(staffTitles, employee({ 5: 'HEAD' })), [2, 'Должность', /no such position/]],
    ['one good and one bad group', 'STAFF', file(staffTitles, employee({ 6: 'Moon, Mars' })), [2, 'Группы', /no such/]],
  ])('%s', async (_what, kind, content, [row, column, message]) => {
    await school.administrator.does('UpdateProfile', { input: { locale: 'en' } });
    before = await everything();
    const refused = await importing(school.administrator, school, kind, content);
    expect(refused).toMatchObject({
      __typename: 'RosterInvalid',
      code: 'ROSTER_INVALID',
      problemCount: 1,
      problems: [{ row, column, message: expect.stringMatching(message) }],
    });
    expect(await everything()).toEqual(before);
  });

  test('all mistakes are told at once, the first hundred by name, in the reader’s language', async () => {
    const rows = Array.from({ length: 150 }, (_, at) => child({ 0: `n${at}`, 4: 'yesterday', 5: 'Star' }));
    await school.administrator.does('UpdateProfile', { input: { locale: 'ru' } });
    const refused = await importing(school.administrator, school, 'CHILDREN', file(childTitles, ...rows));
    expect(refused).toMatchObject({ problemCount: 300, message: 'Ошибок в файле: 300. Ничего не изменено.' });
    expect(refused.problems).toHaveLength(100);
    expect(refused.problems.slice(0, 3)).toMatchObject([
      { row: 2, column: 'Дата рождения', message: 'Нужна дата рождения, например 01.09.2020.' },
      { row: 2, column: 'Группа' },
      { row: 3, column: 'Дата рождения' },
    ]);
  });

  test('bytes that are no base64, a year that is none and a file that is too large are refused before they are read', async () => {
    const input = { organizationId: school.id, kind: 'STAFF', academicYear: year, dryRun: false };
    const query = 'mutation ($input: ImportRosterInput!) { importRoster(input: $input) { __typename } }';
    const { errors } = await school.administrator.send(query, { input: { ...input, file: 'Ж'.repeat(1_000) } });
    expect(errors?.[0]?.message).toContain('A Base64 is');
    const large = base64(Buffer.alloc(701 * 1024, 'x'));
    expect(await school.administrator.does('ImportRoster', { input: { ...input, file: large } })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'file',
    });
    expect(
      await school.administrator.does('ImportRoster', { input: { ...input, file: '', academicYear: '2026' } }),
    ).toMatchObject({ code: 'INVALID_INPUT', field: 'academicYear' });
  });
});

test('a dry run tells what the real one does, and leaves no trace', async () => {
  const school = await app.world.school();
  await withGroups(school, ['Sun', 'Moon']);
  const row = (number: number, group: string, name = 'Misha') =>
    `${number};Ivanov;${name};;;${group};Ivanova Anna;${anna};;;;`;
  const anna = newPhone();
  await bringIn(school, 'CHILDREN', childTitles, row(1, 'Sun'), row(2, 'Sun'), row(3, ''));
  const content = file(childTitles, row(1, 'Moon'), row(2, 'Sun', 'Masha'), row(3, ''), row(4, 'Moon'));

  const before = await everything();
  const dry = await importing(school.administrator, school, 'CHILDREN', content, true);
  expect(await everything()).toEqual(before);
  const real = await importing(school.administrator, school, 'CHILDREN', content);
  expect(dry).toEqual({ ...real, applied: false });
  expect(real).toMatchObject({
    applied: true,
    addedCount: 1,
    updatedCount: 1,
    transferredCount: 1,
    enrolledCount: 1,
    unchangedCount: 1,
    namedGuardianCount: 1,
    expectedGuardianCount: 1,
  });
  expect(await everything()).not.toEqual(before);
});

test('another group is a transfer in the journal, which the family follows; an empty one leaves the child where it is', async () => {
  const school = await app.world.school();
  const groups = await withGroups(school, ['Sun', 'Moon']);
  const phone = newPhone();
  const row = (group: string) => `7;Ivanov;Misha;;;${group};;${phone}`;
  const titles = childTitles.split(';').slice(0, 8).join(';');
  await bringIn(school, 'CHILDREN', titles, row('Sun'));
  const [{ id }] = await childrenOf(school);
  const guardian = await app.world.guardian(school, id, await app.world.person('Ivanova', phone));
  await using sun = await guardian.subscribe('GroupEvents', { groupId: groups.get('Sun') }).begun();
  await school.administrator.does('UpdateGroup', { input: { groupId: groups.get('Sun'), name: 'The Sun' } });
  await sun.next();

  expect(await bringIn(school, 'CHILDREN', titles, row(''))).toMatchObject({ unchangedCount: 1, transferredCount: 0 });
  expect(await bringIn(school, 'CHILDREN', titles, row('Moon'))).toMatchObject({ transferredCount: 1 });
  expect(await sun.next()).toMatchObject({ __typename: 'AccessEnded' });
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { name: 'Moon' } }]);
  const { node } = await school.administrator.run('Child', { id });
  expect(node.movements.nodes).toMatchObject([
    { movementKind: 'TRANSFERRED', fromGroup: { name: 'The Sun' }, toGroup: { name: 'Moon' } },
    { movementKind: 'ENROLLED', toGroup: { name: 'The Sun' } },
  ]);

  await school.administrator.does('WithdrawChild', { input: { childId: id } });
  expect((await guardian.run('Organization', { id: school.id })).organization).toBeNull();
  expect(await bringIn(school, 'CHILDREN', titles, row('Moon'))).toMatchObject({ enrolledCount: 1 });
  expect((await guardian.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ id }]);
  await expectAudiencesRight();
});

test('columns that a file does not have are left as they are, empty cells are emptied', async () => {
  const school = await app.world.school();
  await bringIn(school, 'CHILDREN', childTitles, '1;Ivanov;Misha;Olegovich;2020-09-01;;;;;;;');
  await bringIn(school, 'CHILDREN', 'Number;Surname;First name;Group', '1;Petrov;Misha;');
  expect(await childrenOf(school)).toMatchObject([{ displayName: 'Petrov Misha Olegovich', birthDate: '2020-09-01' }]);
  expect(await bringIn(school, 'CHILDREN', childTitles, '1;Petrov;Misha;;;;;;;;;')).toMatchObject({ updatedCount: 1 });
  expect(await childrenOf(school)).toMatchObject([{ displayName: 'Petrov Misha', birthDate: null }]);
});

test('who is a guardian there already stands for the child at once; who was revoked stays out; nobody is renamed', async () => {
  const school = await app.world.school();
  const groups = await withGroups(school, ['Sun']);
  const titles = 'Number;Surname;First name;Group;Guardian 1;Phone 1;Guardian 2;Phone 2';
  const anna = await app.world.guardian(school, await app.world.child(school, groups.get('Sun')));
  const [boris, nameless] = [newPhone(), await app.world.person(null)];
  const rows = [
    `1;Ivanov;Misha;Sun;Somebody Else;${anna.phone};Ivanov Boris Olegovich;${boris}`,
    `2;Ivanova;Masha;Sun;;${anna.phone};Ким Нина;${nameless.phone}`,
  ];
  expect(await bringIn(school, 'CHILDREN', titles, ...rows)).toMatchObject({
    namedGuardianCount: 4,
    expectedGuardianCount: 2,
  });
  expect((await anna.run('ViewerChildren')).viewer.children.nodes).toHaveLength(3);
  expect((await anna.run('Viewer')).viewer.user.displayName).toBe('Guardian Test');
  expect((await nameless.run('Viewer')).viewer.user.displayName).toBe('Ким Нина');
  expect((await nameless.run('ViewerChildren')).viewer.children.nodes).toEqual([]);

  const [{ guardians }] = await childrenOf(school, 'Misha');
  const own = guardians.nodes.find(({ user }: Json) => user.displayName === 'Guardian Test');
  await school.administrator.does('RevokeGuardianLink', { guardianLinkId: own.id, reason: 'By court order' });
  expect(await bringIn(school, 'CHILDREN', titles, ...rows)).toMatchObject({
    unchangedCount: 2,
    namedGuardianCount: 0,
    revokedGuardianCount: 1,
  });
  expect((await anna.run('ViewerChildren')).viewer.children.nodes).toHaveLength(2);

  // A file that names nobody takes nobody's right.
  await bringIn(school, 'CHILDREN', titles, '1;Ivanov;Misha;Sun;;;;', '2;Ivanova;Masha;Sun;;;;');
  expect((await anna.run('ViewerChildren')).viewer.children.nodes).toHaveLength(2);
  await expectAudiencesRight();
});

test('employees begin where the table says, when they join or at once, and go on where it says later', async () => {
  const school = await app.world.school();
  const groups = await withGroups(school, ['Sun', 'Moon', 'Star']);
  const star = groups.get('Star') ?? '';
  const here = await app.world.staff(school);
  const absent = newPhone();
  const row = (number: number, phone: string, position: string, names: string) =>
    `${number};Orlova;Olga;;${phone};${position};"${names}"`;
  await app.world.assign(school, here.membershipId, star);
  expect(
    await bringIn(
      school,
      'STAFF',
      staffTitles,
      row(1, here.phone, 'воспитатель', 'Sun; Moon'),
      row(2, absent, 'OTHER', 'Sun'),
    ),
  ).toMatchObject({ addedCount: 2, assignedCount: 2, releasedCount: 0 });
  const teaches = async (who: Person) =>
    (await who.run('Organization', { id: school.id })).organization.groups.nodes.map(({ name }: Json) => name).sort();
  expect(await teaches(here)).toEqual(['Moon', 'Star', 'Sun', 'Сотрудники']);

  expect(await bringIn(school, 'STAFF', staffTitles, row(1, here.phone, 'Воспитатель', ''))).toMatchObject({
    unchangedCount: 1,
  });
  expect(await bringIn(school, 'STAFF', staffTitles, row(1, here.phone, 'Воспитатель', 'Moon'))).toMatchObject({
    updatedCount: 1,
    releasedCount: 1,
    assignedCount: 0,
  });
  // What was assigned besides the table stays.
  expect(await teaches(here)).toEqual(['Moon', 'Star', 'Сотрудники']);

  const newcomer = await app.world.person('Orlova', absent);
  const invite = await app.world.invite(school);
  await newcomer.does('RedeemInvite', { code: invite.code });
  expect(await bringIn(school, 'STAFF', staffTitles, row(2, absent, 'OTHER', 'Sun'))).toMatchObject({
    unchangedCount: 1,
    assignedCount: 0,
  });

  // Two of them exchange their phones.
  expect(
    await bringIn(school, 'STAFF', staffTitles, row(1, absent, 'EDUCATOR', ''), row(2, here.phone, 'OTHER', '')),
  ).toMatchObject({ updatedCount: 2 });
  await expectAudiencesRight();
});

test('what is taken out changes nothing when it is brought in', async () => {
  const school = await app.world.school();
  const groups = await withGroups(school, ['Sun', '1 «А»', 'Moon, waning']);
  const [anna, boris] = [newPhone(), newPhone()];
  await bringIn(
    school,
    'CHILDREN',
    childTitles,
    `1;=Ivanov;"O'Misha ""x""; y";Olegovich;2020-09-01;Sun;Ivanova Anna;${anna};Ivanov Boris Olegovich;${boris};;`,
    `+2;Ivanova;Masha;;;"1 «А»";;${anna};;;;`,
    '3;Kim;Pak;;;;;;;;;',
  );
  await bringIn(
    school,
    'STAFF',
    staffTitles,
    `1;Orlova;Olga;;${newPhone()};Логопед;"Sun; Moon, waning"`,
    `2;Orlov;Oleg;;${newPhone()};OFFICE;`,
  );
  const unnumbered = await app.world.child(school, groups.get('Sun'));
  expect(unnumbered).toBeTruthy();

  for (const locale of ['ru', 'en']) {
    await school.administrator.does('UpdateProfile', { input: { locale } });
    const input = { organizationId: school.id, academicYear: year };
    const children = await school.administrator.does('ExportRoster', { input: { ...input, kind: 'CHILDREN' } });
    expect(children).toMatchObject({ rowCount: 3, leftOutCount: 1 });
    expect(children.csv.startsWith(locale === 'ru' ? '\ufeffНомер;Фамилия;' : '\ufeffExternal id;Family name;')).toBe(
      true,
    );
    expect(await importing(school.administrator, school, 'CHILDREN', base64(children.csv))).toMatchObject({
      unchangedCount: 3,
      expectedGuardianCount: 2,
      namedGuardianCount: 0,
    });
    const staff = await school.administrator.does('ExportRoster', { input: { ...input, kind: 'STAFF' } });
    // The administrator, who is an employee, too.
    expect(staff).toMatchObject({ rowCount: 2, leftOutCount: 1 });
    expect(await importing(school.administrator, school, 'STAFF', base64(staff.csv))).toMatchObject({
      unchangedCount: 2,
    });
  }
  const { organization } = await school.administrator.run('AuditLog', {
    organizationId: school.id,
    filter: { action: 'roster.export' },
  });
  expect(organization.auditLog.totalCount).toBe(4);
});

/** The codes of a page, by who they are for. */
function codesIn(html: string): Map<string, string> {
  const found = html.matchAll(/<b>([^<]*)<\/b>.*?<code>([^<]*)<\/code>/gs);
  return new Map([...found].map(([, label = '', code = '']) => [label, code]));
}

describe('a sheet of invites', () => {
  let keys = 0;
  const sheet = (who: TestClient, school: School, input: object = {}) =>
    who.does('CreateInviteSheet', {
      input: { organizationId: school.id, kind: 'CHILDREN', idempotencyKey: `sheet-${++keys}-key`, ...input },
    });
  const titles = 'Number;Surname;First name;Group;Guardian 1;Phone 1;Guardian 2;Phone 2';

  test('has one slip a family; each code links one phone’s owner to all of their children', async () => {
    const school = await app.world.school();
    await withGroups(school, ['Sun', 'Moon']);
    const [anna, boris, nina] = [newPhone(), newPhone(), newPhone()];
    await bringIn(
      school,
      'CHILDREN',
      titles,
      `1;Ivanov;Misha;Sun;Ivanova Anna;${anna};Ivanov Boris;${boris}`,
      `2;Ivanova;Masha;Moon;Ivanov Boris;${boris};Ivanova Anna;${anna}`,
      `3;Kim;Pak;Moon;;${nina};;`,
      '4;Orphan;Oliver;Moon;;;;',
      `5;Waiting;Walter;;Waiting Wanda;${newPhone()};;`,
    );
    const linkTemplate = 'https://app.example.ru/i/{code}';
    const made = await sheet(school.administrator, school, { linkTemplate });
    expect(made).toMatchObject({ inviteCount: 4, slipCount: 3 });
    const codes = codesIn(made.html);
    const masked = (phone: string) => `•••${phone.slice(-4, -2)}-${phone.slice(-2)}`;
    const labels = [`Ivanova Anna, ${masked(anna)}`, `Ivanov Boris, ${masked(boris)}`, masked(nina)];
    expect([...codes.keys()].sort()).toEqual([...labels, 'Для законных представителей, не больше двух'].sort());
    for (const text of ['Ivanova Masha, Ivanov Misha', '<p>Sun</p>', '<p>Moon</p>', 'Orphan Oliver'])
      expect(made.html).toContain(text);

    const code = codes.get(labels[0] ?? '');
    const [mother, stranger] = [await app.world.person('Anna', anna), await app.world.person('Stranger')];
    expect(await stranger.does('RedeemInvite', { code })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await mother.does('RedeemInvite', { code })).toMatchObject({ membership: { role: 'GUARDIAN' } });
    const { nodes } = (await mother.run('ViewerChildren')).viewer.children;
    expect(nodes.map(({ displayName }: Json) => displayName).sort()).toEqual(['Ivanov Misha', 'Ivanova Masha']);
    const open = codes.get('Для законных представителей, не больше двух');
    for (const person of [stranger, await app.world.person(), await app.world.person()])
      await person.does('RedeemInvite', { code: open });
    const [oliver] = await childrenOf(school, 'Oliver');
    expect(oliver.guardians.nodes).toHaveLength(2);
    await expectAudiencesRight();
  });

  test('printed again, it is for those who have not joined, and the lost paper opens nothing', async () => {
    const school = await app.world.school();
    const groups = await withGroups(school, ['Sun']);
    const [anna, boris] = [newPhone(), newPhone()];
    await bringIn(
      school,
      'CHILDREN',
      titles,
      `1;Ivanov;Misha;Sun;Ivanova Anna;${anna};Ivanov Boris;${boris}`,
      '2;Orphan;Oliver;Sun;;;;',
    );
    const [{ id: childId }] = await childrenOf(school, 'Misha');
    const byHand = await app.world.invite(school, {
      role: 'GUARDIAN',
      groupId: undefined,
      childId,
      intendedPhone: boris,
    });
    const idempotencyKey = 'the-first-sheet';
    const first = await sheet(school.administrator, school, { idempotencyKey });
    expect(first).toMatchObject({ inviteCount: 3, slipCount: 2 });
    // The same wish again makes nothing and has no page; another one with its key is refused.
    expect(await sheet(school.administrator, school, { idempotencyKey })).toMatchObject({
      inviteCount: 3,
      slipCount: 2,
      html: null,
    });
    for (const other of [{ kind: 'STAFF' }, { groupId: groups.get('Sun') }])
      expect(await sheet(school.administrator, school, { idempotencyKey, ...other })).toMatchObject({
        field: 'idempotencyKey',
      });
    const [mother, father] = [await app.world.person('Anna', anna), await app.world.person('Boris', boris)];
    const codes = [...codesIn(first.html)];
    const codeFor = (name: string) => codes.find(([label]) => label.startsWith(name))?.[1];
    await mother.does('RedeemInvite', { code: codeFor('Ivanova') });

    const second = await sheet(school.administrator, school, { groupId: groups.get('Sun') });
    expect(second).toMatchObject({ inviteCount: 2, slipCount: 2 });
    expect(await father.does('RedeemInvite', { code: codeFor('Ivanov ') })).toMatchObject({ code: 'INVITE_REVOKED' });
    const stranger = await app.world.person();
    expect(await stranger.does('RedeemInvite', { code: codeFor('Для') })).toMatchObject({ code: 'INVITE_REVOKED' });
    // What somebody gave them by hand is not paper.
    expect(await father.does('RedeemInvite', { code: byHand.code })).toMatchObject({ membership: {} });
    const third = await sheet(school.administrator, school);
    expect(third).toMatchObject({ inviteCount: 1, slipCount: 1 });
  });

  test('who is hidden from the other guardians has a slip alone, and one code wherever they stand', async () => {
    const school = await app.world.school();
    await withGroups(school, ['Sun']);
    const [anna, boris, oleg] = [newPhone(), newPhone(), newPhone()];
    await bringIn(
      school,
      'CHILDREN',
      titles,
      `1;Ivanov;Misha;Sun;Ivanova Anna;${anna};Ivanov Boris;${boris}`,
      `2;Petrov;Petya;Sun;Ivanova Anna;${anna};Petrov Oleg;${oleg}`,
    );
    const [{ guardians }] = await childrenOf(school, 'Misha');
    const hidden = guardians.nodes.find(({ user }: Json) => user.displayName === 'Ivanov Boris');
    await school.administrator.does('SetGuardianContactVisibility', {
      guardianLinkId: hidden.id,
      contactVisibility: 'LIMITED',
    });
    const made = await sheet(school.administrator, school);
    expect(made).toMatchObject({ inviteCount: 3, slipCount: 3 });
    const slips: string[] = made.html.split('<article>').slice(1);
    expect(slips.filter((slip) => slip.includes('Ivanov Boris'))).toHaveLength(1);
    expect(slips.find((slip) => slip.includes('Ivanov Boris'))).not.toContain('Ivanova Anna');
    const annas = slips.filter((slip) => slip.includes('Ivanova Anna')).map((slip) => [...codesIn(slip)]);
    expect(annas.map((codes) => codes.length).sort()).toEqual([1, 2]);
    const codes = annas.flat().filter(([label]) => label.startsWith('Ivanova Anna'));
    expect(new Set(codes.map(([, code]) => code)).size).toBe(1);
  });

  test('of staff has one slip for everybody who has not joined, and what the table says awaits them', async () => {
    const school = await app.world.school();
    await withGroups(school, ['Sun', 'Moon']);
    const [olga, oleg] = [newPhone(), newPhone()];
    const here = await app.world.staff(school);
    await bringIn(
      school,
      'STAFF',
      staffTitles,
      `1;Orlova;Olga;Ivanovna;${olga};Логопед;"Sun, Moon"`,
      `2;Orlov;Oleg;;${oleg};OFFICE;`,
      `3;Here;Already;;${here.phone};EDUCATOR;Sun`,
    );
    const made = await sheet(school.administrator, school, { kind: 'STAFF' });
    expect(made).toMatchObject({ inviteCount: 2, slipCount: 2 });
    for (const text of ['Orlova Olga Ivanovna', '<p>Специалист</p>', '<p>Moon</p>', '<p>Администрация</p>'])
      expect(made.html).toContain(text);
    const employee = await app.world.person('Olga', olga);
    const code = codesIn(made.html).get(`•••${olga.slice(-4, -2)}-${olga.slice(-2)}`);
    const { membership } = await employee.does('RedeemInvite', { code });
    expect(membership).toMatchObject({ role: 'EMPLOYEE', position: 'SPECIALIST' });
    expect(await sheet(school.administrator, school, { kind: 'STAFF' })).toMatchObject({ inviteCount: 1 });
    await expectAudiencesRight();
  });

  test('a link template is an https address with a place for the code', async () => {
    const school = await app.world.school();
    for (const linkTemplate of [
      'https://app.example.ru/i/',
      'http://app.example.ru/{code}',
      'https://{code}.example.ru/',
      'https://me:you@example.ru/{code}',
      'javascript:alert("{code}")',
      '{code}',
    ])
      expect(await sheet(school.administrator, school, { linkTemplate })).toMatchObject({ field: 'linkTemplate' });
    expect(
      await sheet(school.administrator, school, { linkTemplate: 'https://example.ru/#/i?c={code}' }),
    ).toMatchObject({
      inviteCount: 0,
      slipCount: 0,
      html: expect.any(String),
    });
  });

  test('is printed by administrators, by the head for families, by a teacher for their own group', async () => {
    const school = await app.world.school();
    const groups = await withGroups(school, ['Sun', 'Moon']);
    const [sun, moon] = [groups.get('Sun') ?? '', groups.get('Moon') ?? ''];
    await bringIn(school, 'CHILDREN', titles, `1;Ivanov;Misha;Sun;;${newPhone()};;`, `2;Kim;Pak;Moon;;${newPhone()};;`);
    const head = await app.world.head(school);
    const teacher = await app.world.teacher(school, sun);
    const guardian = await app.world.guardian(school, await app.world.child(school, sun));
    expect(await sheet(head, school)).toMatchObject({ inviteCount: 2 });
    expect(await sheet(head, school, { kind: 'STAFF' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await sheet(teacher, school, { groupId: sun })).toMatchObject({ inviteCount: 1 });
    expect(await sheet(teacher, school, { groupId: moon })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await sheet(teacher, school)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await sheet(teacher, school, { kind: 'STAFF' })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await sheet(guardian, school, { groupId: sun })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await sheet(await app.world.person(), school)).toMatchObject({ code: 'NOT_FOUND' });
    // The second sheet killed the head's code for the same person: of all paper, the latest counts.
    const { organization } = await school.administrator.run('Invites', { organizationId: school.id, state: 'ACTIVE' });
    expect(organization.invites.totalCount).toBe(2);
  });
});

test('only administrators bring tables in or take them out', async () => {
  const school = await app.world.school();
  const group = await app.world.group(school);
  const people = {
    head: await app.world.head(school),
    teacher: await app.world.teacher(school, group),
    newcomer: await app.world.member(school, 'EMPLOYEE'),
    guardian: await app.world.guardian(school, await app.world.child(school, group)),
    stranger: (await app.world.school()).administrator,
  };
  const before = await everything();
  for (const [who, person] of Object.entries(people)) {
    const code = who === 'stranger' ? 'NOT_FOUND' : 'FORBIDDEN';
    for (const content of [file(childTitles, '1;Ivanov;Misha;;;;;;;;;'), 'AAAA'])
      for (const dryRun of [true, false])
        expect([who, await importing(person, school, 'CHILDREN', content, dryRun)]).toMatchObject([who, { code }]);
    const input = { organizationId: school.id, kind: 'CHILDREN' };
    expect([who, await person.does('ExportRoster', { input })]).toMatchObject([who, { code }]);
  }
  expect(await everything()).toEqual(before);
});

test('what a sheet of paper or a table holds is not in the audit log', async () => {
  const school = await app.world.school();
  const phone = newPhone();
  await bringIn(school, 'CHILDREN', childTitles, `1;Sekretov;Misha;;2020-09-01;;Sekretova Anna;${phone};;;;`);
  const entries = await inDatabase(
    app,
    (sql) => sql`select * from audit_entries where action like 'roster.%' or action in ('child.add', 'guardian.name')`,
  );
  expect(JSON.stringify(entries)).not.toMatch(new RegExp(`Sekretov|2020-09-01|${phone.slice(1)}`));
});
