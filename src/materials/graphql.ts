import { z } from 'zod';
import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { InvalidState } from '../errors.ts';
import { FileType } from '../files/graphql.ts';
import { fileOwner } from '../files/queries.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { globalId, idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { GroupType, showGroup } from '../groups/graphql.ts';
import { optionalLine, valid } from '../input.ts';
import { addMaterial, removeMaterial, updateMaterial } from './commands.ts';
import { canKeepMaterials, canReadMaterial, canReadMaterials } from './policy.ts';
import { type Material, materialById, materialsOf } from './queries.ts';
import type { MaterialRow } from './tables.ts';

const MaterialType = builder.objectRef<Material>('Material');
builder.node(MaterialType, {
  description:
    'Learning material of a group (§1.3): a file with a title. Read by its staff, families and students, and by whoever leads ' +
    'the organization.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(materialById, canReadMaterial),
  fields: (t) => ({
    title: t.exposeString('title', { description: 'What it is called: up to 200 characters.' }),
    description: t.exposeString('description', {
      nullable: true,
      description: 'What to do with it: up to 5,000 characters, new lines among them. Null: nothing is said.',
    }),
    file: t.field({
      type: FileType,
      description: 'The material itself; see its `url`.',
      resolve: ({ files: [file] }) => {
        if (!file) throw new Error('a material without its file');
        return file;
      },
    }),
    addedBy: t.field({
      type: UserType,
      description: 'Who added it.',
      resolve: ({ addedBy, organizationId }, _args, ctx) =>
        ctx.loadExisting(personOf, { userId: addedBy, organizationId }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was added.' }),
    changedAt: t.expose('changedAt', {
      type: 'DateTime',
      description: 'When it was last changed; when it was added, if never.',
    }),
  }),
});

showGroup(MaterialType, 'Whose material it is.');
fileOwner('MATERIAL', { by: materialById, sees: (ctx, material) => ctx.sees(canReadMaterial, material) });

const searching = z.object({ search: optionalLine(100) });

builder.objectField(GroupType, 'materials', (t) =>
  t.connection({
    perViewer: true,
    type: MaterialType,
    nullable: true,
    description: 'The group’s learning material, newest first, without what was removed. Null: not for this viewer.',
    args: {
      search: t.arg.string({ description: 'Only with this in the title, in whatever case: up to 100 characters.' }),
    },
    resolve: (group, { search: sought, ...page }, ctx) => {
      const { search } = valid(searching, { search: sought });
      return canReadMaterials(ctx.viewer, group)
        ? listed(ctx, page, materialsOf, { parentId: group.id, filter: { search } })
        : null;
    },
  }),
);

builder.objectField(GroupType, 'viewerCanKeepMaterials', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may add material here, and change and remove what there is.',
    resolve: (group, _args, ctx) =>
      group.kind !== 'STAFF' && group.state === 'ACTIVE' && canKeepMaterials(ctx.viewer, group),
  }),
);

/** A material as queries read it, with its file. */
const shown = async (ctx: Context, changed: Promise<MaterialRow>) => ctx.loadExisting(materialById, (await changed).id);

const whichMaterial = { required: true, description: 'Which material.' } as const;

builder.mutationField('addMaterial', (t) =>
  t.fieldWithInput({
    type: MaterialType,
    description:
      'Adds learning material to a group in use; everybody there hears of it. The group’s confirmed staff and administrators.',
    errors: { types: [InvalidState] },
    input: {
      groupId: t.input.id({ required: true, description: 'To which group; not «Staff».' }),
      title: t.input.string({ required: true, description: 'Up to 200 characters.' }),
      description: t.input.string({ description: 'What to do with it: up to 5,000 characters.' }),
      fileId: t.input.id({
        required: true,
        description: 'The file: READY, uploaded by the viewer, attached to nothing. See `createUpload`.',
      }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat with it returns the first result.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      shown(
        ctx,
        addMaterial(ctx.db, ctx.viewer, {
          ...input,
          groupId: idOf('Group', input.groupId),
          fileId: idOf('File', input.fileId),
        }),
      ),
  }),
);

builder.mutationField('updateMaterial', (t) =>
  t.fieldWithInput({
    type: MaterialType,
    description:
      'Changes a material of a group in use; what is left out stays. The group’s confirmed staff and administrators, ' +
      'whoever added it.',
    errors: { types: [InvalidState] },
    input: {
      materialId: t.input.id(whichMaterial),
      title: t.input.string({ description: 'Up to 200 characters.' }),
      description: t.input.string({ description: 'Up to 5,000 characters; null or empty: none any more.' }),
      fileId: t.input.id({
        description: 'A file in the place of the present one, which is deleted; as in `addMaterial`.',
      }),
    },
    resolve: (_root, { input: { materialId, title, description, fileId } }, ctx) =>
      shown(
        ctx,
        updateMaterial(ctx.db, ctx.viewer, idOf('Material', materialId), {
          ...(title != null && { title }),
          ...(description !== undefined && { description }),
          ...(fileId != null && { fileId: idOf('File', fileId) }),
        }),
      ),
  }),
);

const RemovedType = builder.objectRef<MaterialRow>('RemoveMaterialPayload').implement({
  description: 'What is no longer there.',
  fields: (t) => ({
    materialId: t.id({ description: 'The id that it had.', resolve: ({ id }) => globalId('Material', id) }),
  }),
});
showGroup(RemovedType, 'Whose material it was.');

builder.mutationField('removeMaterial', (t) =>
  t.fieldWithInput({
    type: RemovedType,
    description:
      'Removes a material; links to its file are dead at once. The group’s confirmed staff and administrators, whoever added ' +
      'it. A repeat changes nothing.',
    errors: { types: [InvalidState] },
    input: { materialId: t.input.id(whichMaterial) },
    resolve: (_root, { input }, ctx) => removeMaterial(ctx.db, ctx.viewer, idOf('Material', input.materialId)),
  }),
);

liveEvent('MaterialChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    MATERIAL_ADDED: 'Added to the group.',
    MATERIAL_UPDATED: 'Renamed, described anew, or another file.',
    MATERIAL_REMOVED: 'Removed: `material` is null, `materialId` tells which it was.',
  },
  description: 'The learning material of a group changed. For everybody in the group, administrators and the head.',
  subject: { name: 'material', type: MaterialType, by: materialById, canSee: canReadMaterial },
});
