import { UserType, ViewerType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { StorageUseType } from '../files/graphql.ts';
import { storedBytesOfOrganizations } from '../files/queries.ts';
import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { globalId, idOrNone, noRow, parseGlobalId } from '../graphql/ids.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canReadAuditLog, canReadDetails, canReadStorage } from './policy.ts';
import { type AuditEntry, type AuditFilter, actionsOf, auditEntryById, auditOf } from './queries.ts';

const detailsNull =
  'Null: nothing, it was deleted for everybody since, or not for this viewer, who does not lead that organization (any more).';

const AuditEntryType = builder.objectRef<AuditEntry>('AuditEntry');
builder.node(AuditEntryType, {
  description:
    'Something that was done: by whom, to what, when. Written with the deed itself. When what it was done to is deleted, `before`, ' +
    '`after` and `reason` are emptied, and an entry `audit.forget` says so; nothing else changes.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: async (ids, ctx) => {
    const found = await Promise.all(ids.map((id) => ctx.load(auditEntryById, id)));
    return found.map((entry) => {
      if (entry?.organizationId && canReadAuditLog(ctx.viewer, entry.organizationId)) return entry;
      return entry?.actorId === ctx.viewer.userId ? entry : null;
    });
  },
  fields: (t) => ({
    actor: t.field({
      type: UserType,
      nullable: true,
      description: 'Who did it; null: the platform itself.',
      resolve: ({ actorId, organizationId }, _args, ctx) =>
        actorId ? ctx.load(personOf, { userId: actorId, organizationId }) : null,
    }),
    action: t.exposeString('action', { description: 'What was done: `invite.create`, `membership.end`.' }),
    targetType: t.exposeString('targetType', { description: 'The type of what it was done to: `Invite`.' }),
    targetId: t.id({
      description: 'The id of what it was done to; `node` reads it where the viewer may see it.',
      resolve: ({ targetType, targetId }) => globalId(targetType, targetId),
    }),
    before: t.field({
      type: 'JSON',
      perViewer: true,
      nullable: true,
      description: `What was changed, as it was before. ${detailsNull}`,
      resolve: (entry, _args, ctx) => (canReadDetails(ctx.viewer, entry) ? entry.before : null),
    }),
    after: t.field({
      type: 'JSON',
      perViewer: true,
      nullable: true,
      description: `What was changed, as it was afterwards. ${detailsNull}`,
      resolve: (entry, _args, ctx) => (canReadDetails(ctx.viewer, entry) ? entry.after : null),
    }),
    reason: t.string({
      perViewer: true,
      nullable: true,
      description: `The reason that was given. ${detailsNull}`,
      resolve: (entry, _args, ctx) => (canReadDetails(ctx.viewer, entry) ? entry.reason : null),
    }),
    occurredAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was done.' }),
  }),
});

showOrganization(AuditEntryType);

const AuditFilterInput = builder.inputType('AuditFilterInput', {
  description: 'Narrows an audit log; what is given must all hold.',
  fields: (t) => ({
    action: t.string({ description: 'Exactly this action: `invite.create`.' }),
    actorId: t.id({ description: 'Done by this user.' }),
    targetId: t.id({ description: 'Done to the thing with this id.' }),
    since: t.field({ type: 'DateTime', description: 'Not before this instant.' }),
    until: t.field({ type: 'DateTime', description: 'Before this instant.' }),
  }),
});

function auditFilter(given: typeof AuditFilterInput.$inferInput | null | undefined): AuditFilter {
  return {
    action: given?.action?.slice(0, 60).replace(/[^a-zA-Z.]/g, '?'),
    actorId: given?.actorId ? idOrNone('User', given.actorId) : null,
    target: given?.targetId ? (parseGlobalId(given.targetId) ?? { typename: '', id: noRow }) : null,
    since: given?.since?.toISOString(),
    until: given?.until?.toISOString(),
  };
}

builder.objectField(OrganizationType, 'auditLog', (t) =>
  t.connection({
    perViewer: true,
    type: AuditEntryType,
    nullable: true,
    description:
      'What was done in the organization, newest first. Administrators and the head. Null: not for this viewer.',
    args: { filter: t.arg({ type: AuditFilterInput, description: 'Narrows the list.' }) },
    resolve: ({ id }, args, ctx) =>
      canReadAuditLog(ctx.viewer, id)
        ? listed(ctx, args, auditOf, { parentId: id, filter: auditFilter(args.filter) })
        : null,
  }),
);

builder.objectField(OrganizationType, 'storage', (t) =>
  t.field({
    perViewer: true,
    type: StorageUseType,
    nullable: true,
    description:
      'How much room the files take that are attached to things of the organization. Administrators and the head. Null: not for this viewer.',
    resolve: async ({ id }, _args, { db, viewer, services: { quotas } }) => {
      if (!canReadStorage(viewer, id)) return null;
      const [usedBytes = 0] = await storedBytesOfOrganizations(db, [id]);
      return { usedBytes, limitBytes: quotas.organization };
    },
  }),
);

builder.objectField(OrganizationType, 'viewerCanReadAuditLog', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether `auditLog` is for the viewer.',
    resolve: ({ id }, _args, ctx) => canReadAuditLog(ctx.viewer, id),
  }),
);

builder.objectField(ViewerType, 'auditLog', (t) =>
  t.connection({
    perViewer: true,
    type: AuditEntryType,
    description:
      'What the viewer did, anywhere, newest first; what was changed and why only where they lead, and of their own account.',
    args: { filter: t.arg({ type: AuditFilterInput, description: 'Narrows the list.' }) },
    resolve: ({ userId }, args, ctx) =>
      listed(ctx, args, actionsOf, { parentId: userId, filter: auditFilter(args.filter) }),
  }),
);
