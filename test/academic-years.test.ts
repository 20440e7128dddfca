import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { inDatabase } from './support/sql.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** A school with a class that goes on, one that finishes, and a unit above both. */
async function yearsEnd() {
  const { world } = app;
  const school = await world.school();
  const building = await world.group(school, { name: 'Building', kind: 'OTHER' });
  const first = await world.group(school, { name: 'First', parentId: building });
  const last = await world.group(school, { name: 'Last', parentId: building });
  const teacher = await world.teacher(school, first);
  const [stays, leaves] = [await world.child(school, first), await world.child(school, last)];
  const [parent, leaver] = [await world.guardian(school, stays), await world.guardian(school, leaves)];
  const rollover = (input: object = {}) =>
    school.administrator.does('RolloverAcademicYear', {
      input: {
        organizationId: school.id,
        fromYear: '2026/27',
        groups: [
          { groupId: first, outcome: 'CONTINUE', name: 'Second' },
          { groupId: last, outcome: 'GRADUATE' },
        ],
        order: { number: '31-у', date: '2026-11-20' },
        dryRun: false,
        ...input,
      },
    });
  return { school, building, first, last, teacher, stays, leaves, parent, leaver, rollover };
}

const outcome = [
  { fromName: 'Building', toName: 'Building', childCount: 0, staffCount: 0 },
  { fromName: 'First', toName: 'Second', childCount: 1, staffCount: 1 },
  { fromName: 'Last', toName: null, childCount: 1, staffCount: 0 },
];

test('a year ends: children, families and staff go on with their groups, and those who finish leave', async () => {
  const { school, first, teacher, stays, parent, leaver, rollover } = await yearsEnd();
  await using old = await parent
    .subscribe('GroupEvents', {
      groupId: first,
      after: (await parent.run('Viewer')).viewer.cursor,
    })
    .begun();
  const invite = await teacher.does('CreateInvite', { input: { role: 'GUARDIAN', childId: stays } });

  expect(await rollover()).toMatchObject({ fromYear: '2026/27', toYear: '2027/28', groups: outcome });
  expect(await old.nextOf('AccessEnded')).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
  const { nodes } = (await school.administrator.run('Groups', { organizationId: school.id, academicYear: '2027/28' }))
    .organization.groups;
  const second = nodes.find(({ name }: Json) => name === 'Second');
  expect(second).toMatchObject({
    childCount: 1,
    staffCount: 1,
    parentId: nodes.find(({ name }: Json) => name === 'Building').id,
  });
  expect((await parent.run('ViewerChildren')).viewer.children.nodes).toMatchObject([{ group: { name: 'Second' } }]);
  expect((await leaver.run('Organization', { id: school.id })).organization).toBeNull();
  expect((await teacher.run('Child', { id: stays })).node).toMatchObject({ group: { name: 'Second' } });
  // An invite that was open leads to where the child is now.
  const joined = await (await app.world.person('Father')).does('RedeemInvite', { code: invite.inviteCode });
  expect(joined.membership).toMatchObject({ role: 'GUARDIAN' });
});

test('a dry run tells what the real one does, and changes nothing', async () => {
  const { school, stays, rollover } = await yearsEnd();
  const journal = () => school.administrator.run('Movements', { organizationId: school.id });
  const before = await journal();
  const dry = await rollover({ dryRun: true });
  expect(dry).toMatchObject({ toYear: '2027/28', groups: outcome });
  expect(await journal()).toEqual(before);
  expect((await school.administrator.run('Child', { id: stays })).node.group.name).toBe('First');
  const real = await rollover();
  const told = ({ groups }: Json) => groups.map(({ toGroup, ...group }: Json) => group);
  expect(told(real)).toEqual(told(dry));
});

test('twenty who end the year at once end it once', async () => {
  const { school, rollover } = await yearsEnd();
  const answers = await Promise.all(Array.from({ length: 20 }, () => rollover()));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  const { movements } = (await school.administrator.run('Movements', { organizationId: school.id, first: 100 }))
    .organization;
  const kinds = movements.nodes.map(({ movementKind }: Json) => movementKind);
  expect(kinds.filter((kind: string) => ['TRANSFERRED', 'GRADUATED'].includes(kind)).sort()).toEqual([
    'GRADUATED',
    'TRANSFERRED',
  ]);
});

test('five hundred children go over in seconds', async () => {
  const { world } = app;
  const school = await world.school();
  const groups = await Promise.all(Array.from({ length: 20 }, () => world.group(school)));
  await inDatabase(
    app,
    (sql) => sql`
      with places as (select id, organization_id, row_number() over () as n from groups where academic_year = '2026/27'
        and organization_id = (select organization_id from groups where id = ${
          Buffer.from(groups[0] ?? '', 'base64')
            .toString()
            .split(':')[1] ?? ''
        })),
      kids as (insert into children (organization_id, family_name, given_name, group_id)
        select p.organization_id, 'Child ' || k, 'Misha', p.id from places p, generate_series(1, 25) k returning id, organization_id, group_id),
      terms as (insert into enrollments (organization_id, child_id, group_id, started_on)
        select organization_id, id, group_id, current_date from kids),
      people as (insert into users (phone) select '+7919' || (1000000 + row_number() over ()) from kids, generate_series(1, 2) returning id),
      numbered as (select id, row_number() over () as n from people),
      links as (insert into guardian_links (organization_id, child_id, user_id, state, activated_at)
        select k.organization_id, k.id, p.id, 'ACTIVE', now()
        from (select *, row_number() over () as n from kids) k join numbered p on (p.n - 1) / 2 + 1 = k.n)
      insert into memberships (organization_id, user_id, role) select (select organization_id from places limit 1), id, 'GUARDIAN' from people`,
  );
  const begun = performance.now();
  const done = await school.administrator.does('RolloverAcademicYear', {
    input: { organizationId: school.id, fromYear: '2026/27', dryRun: false },
  });
  console.info(`500 children went over in ${Math.round(performance.now() - begun)} ms`);
  expect(done.groups).toHaveLength(20);
  expect(done.groups.every(({ childCount }: Json) => childCount === 25)).toBe(true);
});
