import type { Problem } from '../documents/csv.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { idOf } from '../graphql/ids.ts';
import { OrganizationType } from '../organizations/graphql.ts';
import { text } from '../texts.ts';
import { exportRoster, importRoster, type RosterExport, type RosterImport } from './commands.ts';
import { canImportRoster } from './policy.ts';
import { RosterInvalid } from './queries.ts';

export const RosterKindEnum = builder.enumType('RosterKind', {
  description: 'Of whom an institution’s own table is. Columns not named here are left alone; so is their order.',
  values: {
    CHILDREN: {
      description:
        'A row for each child. Needed columns: `Номер` (or `External id`), `Фамилия` (`Family name`), `Имя` (`Given name`), ' +
        '`Группа` (`Group`); the group’s cell may be empty: the child keeps the place that it has. Others: `Отчество` ' +
        '(`Patronymic`), `Дата рождения` (`Birth date`; 01.09.2020 or 2020-09-01), and of up to three guardians `Родитель 1` ' +
        '(`Guardian 1`; family name, given name, patronymic) with `Телефон 1` (`Phone 1`), and so on to 3.',
    },
    STAFF: {
      description:
        'A row for each employee. Needed columns: `Табельный номер` (or `External id`), `Фамилия` (`Family name`), `Имя` ' +
        '(`Given name`), `Телефон` (`Phone`), `Должность` (`Position`: `Воспитатель`, `EDUCATOR`, …, not the head). Others: ' +
        '`Отчество` (`Patronymic`), `Группы` (`Groups`: names with `;` or `,` between them; empty: those there were).',
    },
  } as const,
});

const RosterProblemType = builder.objectRef<Problem>('RosterProblem').implement({
  description: 'What is wrong at one place of a file.',
  fields: (t) => ({
    row: t.exposeInt('row', { description: 'The line of the file; the header is usually line 1.' }),
    column: t.exposeString('column', {
      nullable: true,
      description: 'The column’s title, as the file has it. Null: it is about the whole line or file.',
    }),
    message: t.string({
      description: 'What is wrong, for people, in the viewer’s language.',
      resolve: ({ text: key, values }, _args, ctx) => text(ctx.locale, key, values),
    }),
  }),
});

builder.objectType(RosterInvalid, {
  name: 'RosterInvalid',
  interfaces: [ErrorInterface],
  description: '`ROSTER_INVALID`: the file has mistakes; nothing was changed. Correct them all and import it again.',
  fields: (t) => ({
    problemCount: t.exposeInt('problemCount', { description: 'How many mistakes it has.' }),
    problems: t.field({
      type: [RosterProblemType],
      description: 'The first 100 of them, from the top.',
      resolve: ({ problems }) => problems,
    }),
  }),
});

const RosterImportType = builder.objectRef<RosterImport>('RosterImport').implement({
  description:
    'What an import did, or in a dry run would do. A row may be counted more than once, but for `unchangedCount`.',
  fields: (t) => ({
    kind: t.field({ type: RosterKindEnum, description: 'Of whom.', resolve: ({ kind }) => kind }),
    applied: t.exposeBoolean('applied', { description: 'Whether it was done. False: a dry run.' }),
    rowCount: t.exposeInt('rowCount', { description: 'How many rows the file has, without the header.' }),
    addedCount: t.exposeInt('addedCount', { description: 'How many records are new.' }),
    updatedCount: t.exposeInt('updatedCount', {
      description:
        'Of how many records something changed: names, dates, a phone, a position, groups of an employee, who stands for a child.',
    }),
    unchangedCount: t.exposeInt('unchangedCount', { description: 'How many rows changed nothing.' }),
    enrolledCount: t.exposeInt('enrolledCount', { description: 'How many children got a place who had none.' }),
    transferredCount: t.exposeInt('transferredCount', { description: 'How many children went on in another group.' }),
    namedGuardianCount: t.exposeInt('namedGuardianCount', {
      description:
        'How often somebody was newly named for a child. Who is a guardian here already stands for it at once.',
    }),
    expectedGuardianCount: t.exposeInt('expectedGuardianCount', {
      description: 'How many of the guardians in the file have not joined yet: those whom `createInviteSheet` invites.',
    }),
    revokedGuardianCount: t.exposeInt('revokedGuardianCount', {
      description:
        'How often the file names somebody for a child for whom an administrator has ended that: they stay out, until an ' +
        'administrator approves a request of theirs (`JoinRequest.revocations`).',
    }),
    assignedCount: t.exposeInt('assignedCount', { description: 'How many assignments of employees to groups began.' }),
    releasedCount: t.exposeInt('releasedCount', { description: 'How many assignments of employees to groups ended.' }),
  }),
});

builder.mutationField('importRoster', (t) =>
  t.fieldWithInput({
    type: RosterImportType,
    description:
      'Makes an institution’s children, or its staff, what its own table says (§1.4): a CSV file as offices save it, in ' +
      'UTF-8 or Windows-1251, with semicolons, commas or tabs. All of it or nothing; records are known by the institution’s ' +
      'own number, so the same file twice changes nothing. Who is in no row stays as they are. Another group is a transfer ' +
      'in the journal, also of an employee. Guardians are known by their phones: who has no account gets one, and all who ' +
      'have not joined are expected (`GuardianLinkState.PENDING`). Administrators.',
    errors: { types: [InvalidState, RosterInvalid] },
    input: {
      organizationId: t.input.id({ required: true, description: 'Into which organization.' }),
      kind: t.input.field({ type: RosterKindEnum, required: true, description: 'Of whom the table is.' }),
      academicYear: t.input.string({
        required: true,
        description: 'Whose groups the names mean, as in `2026/27`. Case, spaces and quotes in a name do not matter.',
      }),
      file: t.input.field({
        type: 'Base64',
        required: true,
        description:
          'The file’s bytes: up to 700 KB and 5,000 rows. Too large for a WebSocket message: send it by HTTP.',
      }),
      dryRun: t.input.boolean({
        required: true,
        description: 'Whether only to say what would be done, and to change nothing.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      importRoster(ctx.db, ctx.viewer, { ...input, organizationId: idOf('Organization', input.organizationId) }),
  }),
);

const RosterExportType = builder.objectRef<RosterExport>('RosterExport').implement({
  description: 'An institution’s children or staff as a table.',
  fields: (t) => ({
    csv: t.exposeString('csv', {
      description:
        'The text of a CSV file with the columns that `RosterKind` tells, titled in the viewer’s language; save it in UTF-8. ' +
        'It begins with a BOM and parts cells by semicolons, so a spreadsheet opens it. Of a child’s guardians the first three.',
    }),
    rowCount: t.exposeInt('rowCount', { description: 'How many rows it has, without the header.' }),
    leftOutCount: t.exposeInt('leftOutCount', {
      description: 'How many are not in it: children who have no number, employees of whom no table was imported.',
    }),
  }),
});

builder.mutationField('exportRoster', (t) =>
  t.fieldWithInput({
    type: RosterExportType,
    description:
      'Takes out an institution’s children, with their guardians’ phones, or its staff, as a table that `importRoster` reads: ' +
      'imported as it is, it changes nothing. Written into the audit log. Administrators.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'Of which organization.' }),
      kind: t.input.field({ type: RosterKindEnum, required: true, description: 'Of whom.' }),
      academicYear: t.input.string({
        description: 'Name groups of this year only, as in `2026/27`; all unless told. Import it with the same year.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      exportRoster(ctx.db, ctx.viewer, { ...input, organizationId: idOf('Organization', input.organizationId) }),
  }),
);

builder.objectField(OrganizationType, 'viewerCanImportRoster', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may bring in and take out the institution’s own tables of children and staff.',
    resolve: ({ id }, _args, ctx) => canImportRoster(ctx.viewer, id),
  }),
);
