import { ViewerType } from '../accounts/graphql.ts';
import { NotFound } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { idOf } from '../graphql/ids.ts';
import { refusals } from '../inspection/refusal.ts';
import {
  completeUpload,
  createUpload,
  deleteUpload,
  FileRejected,
  QuotaExceeded,
  TooManyUploads,
  UploadIncomplete,
  uploadHours,
} from './commands.ts';
import { type ShownFile, seesFile, storedBytesOfPeople, visibleFile } from './queries.ts';
import type { FileRow } from './tables.ts';

const FileStateEnum = builder.enumType('FileState', {
  description: 'Where a file stands.',
  values: {
    PENDING: { description: 'Announced: its bytes are awaited, or have come and wait for `completeUpload`.' },
    READY: { description: 'Whole and found good: it may be attached and read.' },
    REJECTED: { description: 'What came is not taken: see `refusal`.' },
    DELETED: { description: 'Gone, or about to go; shown only to who has just discarded it.' },
  } as const,
});

const meanings: Readonly<Record<(typeof refusals)[number], string>> = {
  EMPTY: 'There are no bytes in it.',
  TYPE_NOT_ALLOWED:
    'Files of this type are not taken, whatever they are called: programs, scripts, web pages; nor archives and documents in which ' +
    'one lies.',
  CONTENT_MISMATCH: 'Its content is not what its name promises: a `.pdf` that is none.',
  ARCHIVE_TOO_LARGE:
    'An archive (or an office document, which is one) with too much in it once unpacked, or with archives too deep in each other.',
  IMAGE_TOO_LARGE: 'An image of too many pixels.',
  UNREADABLE: 'Damaged, protected by a password, or too complicated to be looked at.',
};
const FileRefusalEnum = builder.enumType('FileRefusal', {
  description: 'Why a file is not taken. Upload another; this one stays refused.',
  values: Object.fromEntries(refusals.map((refusal) => [refusal, { description: meanings[refusal] }])) as {
    [Refusal in (typeof refusals)[number]]: { description: string };
  },
});

const FileVariantEnum = builder.enumType('FileVariant', {
  description: 'As what a file is fetched.',
  values: {
    ORIGINAL: {
      description:
        'As it was uploaded, but for what pictures (JPEG, PNG, WebP, GIF, HEIC, AVIF) and MP4 or MOV recordings told of their place, ' +
        'author and device: that is overwritten with nothing when they come. Size, orientation and colours stay. Documents, archives ' +
        'and other recordings keep what is written in them.',
    },
    PREVIEW: { description: 'A picture of it, WebP, at most 800 pixels wide and high.' },
  } as const,
});

export const FileType = builder.objectRef<ShownFile>('File');
builder.node(FileType, {
  description:
    'A file that somebody uploaded. It is seen through the one thing it is attached to, by whoever sees that; until then by ' +
    'who uploaded it. Its bytes never come by GraphQL: see `url`, and `createUpload` for the way in.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: (ids, ctx): Promise<(ShownFile | null)[]> => Promise.all(ids.map((id) => visibleFile(ctx, id))),
  fields: (t) => ({
    name: t.exposeString('name', {
      description: 'What it is called, as it was uploaded: up to 255 characters. Empty once deleted.',
    }),
    mediaType: t.exposeString('mediaType', {
      nullable: true,
      description: 'What it is by its content, not by its name: `image/jpeg`. Null: its bytes have not come.',
    }),
    size: t.exposeInt('size', { description: 'How many bytes it has, or is announced to have.' }),
    width: t.exposeInt('width', { nullable: true, description: 'Of an image: pixels across. Null: not an image.' }),
    height: t.exposeInt('height', { nullable: true, description: 'Of an image: pixels down. Null: not an image.' }),
    state: t.field({ type: FileStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    refusal: t.field({
      type: FileRefusalEnum,
      nullable: true,
      description: 'Why it was rejected; null unless it was.',
      resolve: ({ refusal }) => refusals.find((known) => known === refusal) ?? null,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was announced.',
      resolve: ({ createdAt }) => new Date(createdAt),
    }),
    url: t.string({
      perViewer: true,
      nullable: true,
      description:
        'A path on the host of this API under which the viewer may fetch it: by GET or HEAD, in parts (`Range`) too, without ' +
        'any header. It is made for this session and works for 5 minutes, and only while the viewer may see the file: ask ' +
        'anew each time, keep none. Null: the file is not READY, or has no preview.',
      args: {
        variant: t.arg({
          type: FileVariantEnum,
          required: true,
          defaultValue: 'ORIGINAL',
          description: 'As what to fetch it.',
        }),
      },
      resolve: ({ id: fileId, state, hasPreview }, { variant }, { viewer: { sessionId }, services }) =>
        state === 'READY' && (variant === 'ORIGINAL' || hasPreview)
          ? services.linkTo({ fileId, sessionId, variant })
          : null,
    }),
  }),
});

builder.objectType(TooManyUploads, {
  name: 'TooManyUploads',
  interfaces: [ErrorInterface],
  description:
    '`TOO_MANY_UPLOADS`: so many of the viewer’s files are attached to nothing. Attach or discard them, or wait: what is ' +
    'unused is gone a day later, what is discarded within an hour or so.',
  fields: (t) => ({ limit: t.exposeInt('limit', { description: 'How many there may be.' }) }),
});
builder.objectType(QuotaExceeded, {
  name: 'QuotaExceeded',
  interfaces: [ErrorInterface],
  description:
    '`QUOTA_EXCEEDED`: there is no room for a file of this size, of the viewer’s own or in their organization; `message` says ' +
    'which. Deleting what has files makes room within an hour or so.',
  fields: (t) => ({
    limitBytes: t.float({ description: 'How much may be stored, in bytes.', resolve: ({ limitBytes }) => limitBytes }),
    usedBytes: t.float({ description: 'How much is, in bytes.', resolve: ({ usedBytes }) => usedBytes }),
  }),
});
builder.objectType(UploadIncomplete, {
  name: 'UploadIncomplete',
  interfaces: [ErrorInterface],
  description: '`UPLOAD_INCOMPLETE`: the bytes have not come, or not all. PUT them (again), then complete.',
});
builder.objectType(FileRejected, {
  name: 'FileRejected',
  interfaces: [ErrorInterface],
  description: '`FILE_REJECTED`: what was uploaded is not taken. It stays so; upload another.',
  fields: (t) => ({
    fileRefusal: t.field({ type: FileRefusalEnum, description: 'Why.', resolve: ({ refusal }) => refusal }),
  }),
});

const UploadType = builder.objectRef<FileRow>('CreateUploadPayload').implement({
  description: 'Where the bytes of an announced file go.',
  fields: (t) => ({
    file: t.field({ type: FileType, description: 'The file, PENDING.', resolve: (file) => file }),
    uploadPath: t.string({
      description: 'A path on the host of this API that takes the bytes, from this person alone.',
      resolve: ({ id }) => `/uploads/${id}`,
    }),
    method: t.string({ description: 'The method of that HTTP request: always `PUT`.', resolve: () => 'PUT' }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'Until when the file must be attached to something; after that it is deleted.',
      resolve: ({ createdAt }) => new Date(createdAt.getTime() + uploadHours * 60 * 60 * 1000),
    }),
  }),
});

builder.mutationField('createUpload', (t) =>
  t.fieldWithInput({
    type: UploadType,
    description:
      'Announces a file. Then PUT its bytes, raw and whole, to `uploadPath`, signed in as here: 204 says that they have come ' +
      'and are good, 422 why they are not (`errors[0].extensions.code` is a FileRefusal), 413 that they are more than ' +
      'announced; after a broken connection, 429 or 503 PUT them again. Then `completeUpload`, and give its id to what it ' +
      'belongs to. Anybody signed in; at most 50 files that are attached to nothing, of who is a member of nothing yet 3 of up to 10 MB.',
    errors: { types: [TooManyUploads, QuotaExceeded] },
    input: {
      name: t.input.string({
        required: true,
        description: 'What it is called, with its extension: one line of up to 255 characters, without `/` and `\\`.',
      }),
      size: t.input.int({
        required: true,
        description: 'How many bytes it has: at least 1, at most what the installation takes (50 MB unless set).',
      }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat with it returns the first result.',
      }),
    },
    resolve: (_root, { input }, ctx) => createUpload(ctx.db, ctx.viewer, input, ctx.services),
  }),
);

const whichUpload = { required: true, description: 'Which file; one’s own.' } as const;

/** @throws NotFound for a file that is attached by now to what the viewer does not see */
async function shown(ctx: Context, changed: Promise<FileRow>): Promise<FileRow> {
  const file = await changed;
  if (!(await seesFile(ctx, file))) throw new NotFound();
  return file;
}

builder.mutationField('completeUpload', (t) =>
  t.fieldWithInput({
    type: FileType,
    description: 'Makes an uploaded file READY, to be attached. Only who uploads it. A repeat changes nothing.',
    errors: { types: [UploadIncomplete, FileRejected] },
    input: { fileId: t.input.id(whichUpload) },
    resolve: (_root, { input }, ctx) => shown(ctx, completeUpload(ctx.db, ctx.viewer, idOf('File', input.fileId))),
  }),
);

builder.mutationField('deleteUpload', (t) =>
  t.fieldWithInput({
    type: FileType,
    description:
      'Discards a file that is attached to nothing, in whatever state. Only who uploaded it. A repeat changes nothing. What ' +
      'is attached goes with the thing it is attached to.',
    errors: {},
    input: { fileId: t.input.id(whichUpload) },
    resolve: (_root, { input }, ctx) => deleteUpload(ctx.db, ctx.viewer, idOf('File', input.fileId)),
  }),
);

/** How much is stored, and how much may be. */
export const StorageUseType = builder
  .objectRef<{ readonly usedBytes: number; readonly limitBytes: number }>('StorageUse')
  .implement({
    description:
      'How much room files take. What is announced counts; what was refused, or shares its bytes with another, does not.',
    fields: (t) => ({
      usedBytes: t.exposeFloat('usedBytes', { description: 'Bytes that are stored.' }),
      limitBytes: t.exposeFloat('limitBytes', { description: 'Bytes that may be; beyond, `createUpload` is refused.' }),
    }),
  });

builder.objectField(ViewerType, 'storage', (t) =>
  t.field({
    perViewer: true,
    type: StorageUseType,
    description: 'How much room the viewer’s own uploads take, in all organizations together.',
    resolve: async ({ userId }, _args, { db, services: { quotas } }) => {
      const [usedBytes = 0] = await storedBytesOfPeople(db, [userId]);
      return { usedBytes, limitBytes: quotas.person };
    },
  }),
);
