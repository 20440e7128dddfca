import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { idOf } from '../graphql/ids.ts';
import { GroupKindEnum, GroupType } from '../groups/graphql.ts';
import { groupById } from '../groups/queries.ts';
import type { GroupRow } from '../groups/tables.ts';
import {
  archiveGroup,
  createGroup,
  GroupNameTaken,
  GroupNotEmpty,
  moveGroup,
  restoreGroup,
  updateGroup,
} from './commands.ts';

builder.objectType(GroupNameTaken, {
  name: 'GroupNameTaken',
  interfaces: [ErrorInterface],
  description: '`GROUP_NAME_TAKEN`: another active group of that academic year has the name.',
});
builder.objectType(GroupNotEmpty, {
  name: 'GroupNotEmpty',
  interfaces: [ErrorInterface],
  description: '`GROUP_NOT_EMPTY`: children or parts are still in it; move them first.',
  fields: (t) => ({
    childCount: t.exposeInt('childCount', { description: 'How many children are enrolled.' }),
    subgroupCount: t.exposeInt('subgroupCount', { description: 'How many active groups are part of it.' }),
  }),
});

/** A group as queries read it, with its counts. */
const shown = async (ctx: Context, changed: Promise<GroupRow>) => ctx.loadExisting(groupById, (await changed).id);

const which = { required: true, description: 'Which group; not «Staff».' } as const;

builder.mutationField('createGroup', (t) =>
  t.fieldWithInput({
    type: GroupType,
    description: 'Makes a group, with its chat of staff and guardians (§2.1.6, 2.2.6b). Administrators.',
    errors: { types: [InvalidState, GroupNameTaken] },
    input: {
      organizationId: t.input.id({ required: true, description: 'In which organization.' }),
      kind: t.input.field({ type: GroupKindEnum, required: true, description: 'What kind of unit; not STAFF.' }),
      name: t.input.string({
        required: true,
        description: 'Up to 100 characters; unique among the active groups of the academic year.',
      }),
      academicYear: t.input.string({ required: true, description: 'The year it belongs to, as in `2026/27`.' }),
      parentId: t.input.id({ description: 'What it is part of: a group of the same year.' }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first group.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      shown(
        ctx,
        createGroup(ctx.db, ctx.viewer, {
          ...input,
          organizationId: idOf('Organization', input.organizationId),
          parentId: input.parentId ? idOf('Group', input.parentId) : null,
        }),
      ),
  }),
);

builder.mutationField('updateGroup', (t) =>
  t.fieldWithInput({
    type: GroupType,
    description: 'Renames a group, and its chat with it, or changes its kind; what is left out stays. Administrators.',
    errors: { types: [InvalidState, GroupNameTaken] },
    input: {
      groupId: t.input.id(which),
      name: t.input.string({ description: 'Up to 100 characters.' }),
      kind: t.input.field({ type: GroupKindEnum, description: 'What kind of unit; not STAFF.' }),
    },
    resolve: (_root, { input: { groupId, name, kind } }, ctx) =>
      shown(
        ctx,
        updateGroup(ctx.db, ctx.viewer, idOf('Group', groupId), { name: name ?? undefined, kind: kind ?? undefined }),
      ),
  }),
);

builder.mutationField('moveGroup', (t) =>
  t.fieldWithInput({
    type: GroupType,
    description:
      'Gives a group another place in the tree, with its parts; never into one of them. At most 8 groups above each other. ' +
      'Administrators.',
    errors: { types: [InvalidState] },
    input: {
      groupId: t.input.id(which),
      parentId: t.input.id({ description: 'What it becomes part of: a group of the same year. Null: of none.' }),
    },
    resolve: (_root, { input }, ctx) => {
      const parentId = input.parentId ? idOf('Group', input.parentId) : null;
      return shown(ctx, moveGroup(ctx.db, ctx.viewer, idOf('Group', input.groupId), parentId));
    },
  }),
);

builder.mutationField('archiveGroup', (t) =>
  t.fieldWithInput({
    type: GroupType,
    description:
      'Puts a group away: its invites are dead, its chat can only be read, its staff are released. Children and parts must ' +
      'have gone elsewhere first. Administrators. A repeat changes nothing.',
    errors: { types: [InvalidState, GroupNotEmpty] },
    input: { groupId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shown(ctx, archiveGroup(ctx.db, ctx.viewer, idOf('Group', input.groupId))),
  }),
);

builder.mutationField('restoreGroup', (t) =>
  t.fieldWithInput({
    type: GroupType,
    description:
      'Takes an archived group into use again, and its chat; its staff and invites do not come back. Administrators. A ' +
      'repeat changes nothing.',
    errors: { types: [InvalidState, GroupNameTaken] },
    input: { groupId: t.input.id(which) },
    resolve: (_root, { input }, ctx) => shown(ctx, restoreGroup(ctx.db, ctx.viewer, idOf('Group', input.groupId))),
  }),
);
