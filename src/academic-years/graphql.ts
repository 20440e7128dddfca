import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { InvalidState } from '../errors.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { GroupType } from '../groups/graphql.ts';
import { canSeeGroup } from '../groups/policy.ts';
import { groupById } from '../groups/queries.ts';
import { OrderInput } from '../memberships/graphql.ts';
import { OrganizationType } from '../organizations/graphql.ts';
import { GroupNameTaken } from '../structure/commands.ts';
import { rolloverAcademicYear } from './commands.ts';
import { rolloversOf } from './queries.ts';
import type { AcademicYearRollover, GroupRollover } from './tables.ts';

const GroupOutcomeEnum = builder.enumType('GroupOutcome', {
  description: 'What becomes of a group when its academic year ends.',
  values: {
    CONTINUE: { description: 'It goes on in the next year, with its children and staff.' },
    GRADUATE: { description: 'Its children have finished here.' },
  } as const,
});

const GroupRolloverType = builder.objectRef<GroupRollover>('GroupRollover').implement({
  description: 'What became of one group.',
  fields: (t) => ({
    fromName: t.exposeString('fromName', { description: 'What it was called in the year that ended.' }),
    toName: t.exposeString('toName', {
      nullable: true,
      description: 'What it is called in the new year. Null: its children have finished here.',
    }),
    toGroup: t.field({
      type: GroupType,
      nullable: true,
      description: 'The group in which it goes on. Null: none, not for this viewer, or only a dry run.',
      resolve: async ({ toGroupId }, _args, ctx) => {
        const group = toGroupId ? await ctx.load(groupById, toGroupId) : null;
        return group && ctx.sees(canSeeGroup, group) ? group : null;
      },
    }),
    childCount: t.exposeInt('childCount', { description: 'How many children went on or finished.' }),
    staffCount: t.exposeInt('staffCount', { description: 'How many assignments ended; in CONTINUE as many began.' }),
  }),
});

const RolloverType = builder.objectRef<AcademicYearRollover>('AcademicYearRollover').implement({
  description: 'An academic year gone over into the next (§2.1.12).',
  fields: (t) => ({
    fromYear: t.exposeString('fromYear', { description: 'The year that ended, `2026/27`.' }),
    toYear: t.exposeString('toYear', { description: 'The year that began, `2027/28`.' }),
    groups: t.field({
      type: [GroupRolloverType],
      description: 'What became of each group that was active, at most 500; each whole before its parts.',
      resolve: ({ groups }) => groups,
    }),
    decidedBy: t.field({
      type: UserType,
      description: 'Who did it.',
      resolve: ({ decidedBy, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: decidedBy, organizationId }),
    }),
    doneAt: t.expose('createdAt', { type: 'DateTime', description: 'When.' }),
  }),
});

builder.objectField(OrganizationType, 'academicYearRollovers', (t) =>
  t.connection({
    perViewer: true,
    type: RolloverType,
    nullable: true,
    description: 'The academic years that have gone over, newest first. Null: not for this viewer.',
    resolve: ({ id }, args, ctx) =>
      ctx.viewer.leads(id) ? listed(ctx, args, rolloversOf, { parentId: id, filter: null }) : null,
  }),
);

const OutcomeInput = builder.inputType('GroupOutcomeInput', {
  description: 'What is to become of one group.',
  fields: (t) => ({
    groupId: t.id({ required: true, description: 'An active group of the year that ends.' }),
    outcome: t.field({ type: GroupOutcomeEnum, required: true, description: 'Whether it goes on.' }),
    name: t.string({
      description:
        'What it is called in the new year, as `2A` after `1A`; as now unless told. Groups that get one name become one.',
    }),
  }),
});

builder.mutationField('rolloverAcademicYear', (t) =>
  t.fieldWithInput({
    type: RolloverType,
    description:
      'Takes an organization into its next academic year, all of it or nothing: every active group of the year goes on as a ' +
      'new one, or its children graduate; children and their families, staff, what is planned and open invites follow, and ' +
      'the old groups are archived. Once a year: a repeat returns what the first did. Administrators.',
    errors: { types: [InvalidState, GroupNameTaken] },
    input: {
      organizationId: t.input.id({ required: true, description: 'Which organization.' }),
      fromYear: t.input.string({ required: true, description: 'The year that ends, as in `2026/27`.' }),
      groups: t.input.field({
        type: [OutcomeInput],
        description: 'What is to become of groups, at most 500; those not named go on under the name they have.',
      }),
      order: t.input.field({ type: OrderInput, description: 'The order by which it was decided, for the journal.' }),
      note: t.input.string({ description: 'What to note in the journal: up to 500 characters.' }),
      dryRun: t.input.boolean({
        required: true,
        description: 'Whether only to say what would become of each group, and to change nothing.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      rolloverAcademicYear(ctx.db, ctx.viewer, {
        ...input,
        organizationId: idOf('Organization', input.organizationId),
        groups: input.groups?.map((wish) => ({ ...wish, groupId: idOf('Group', wish.groupId) })),
      }),
  }),
);
