import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canListGroups, canSeeGroup } from './policy.ts';
import { groupById, groupsOf } from './queries.ts';
import type { Group } from './tables.ts';

const GroupKindEnum = builder.enumType('GroupKind', {
  description: 'What kind of structural unit a group is.',
  values: {
    STAFF: { description: 'All employees; exactly one in every organization (§2.1.5).' },
    AGE_GROUP: { description: 'An age group of a kindergarten.' },
    CLASS: { description: 'A class of a school.' },
    OTHER: { description: 'Any other group.' },
  } as const,
});

const GroupStateEnum = builder.enumType('GroupState', {
  description: 'Where a group stands.',
  values: {
    ACTIVE: { description: 'In use.' },
    ARCHIVED: { description: 'Kept for its history; its invites are dead.' },
  } as const,
});

export const GroupType = builder.objectRef<Group>('Group');
builder.node(GroupType, {
  description: 'A structural unit of an organization. Administrators and the head see all, verified staff their own.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(groupById, canSeeGroup),
  fields: (t) => ({
    kind: t.field({ type: GroupKindEnum, description: 'What kind of unit it is.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', { description: 'Its name, unique in its organization and academic year.' }),
    academicYear: t.exposeString('academicYear', {
      nullable: true,
      description: 'The year it belongs to, `2026/27`; null for the group «Staff», which belongs to all.',
    }),
    state: t.field({ type: GroupStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
  }),
});

showOrganization(GroupType);

builder.objectField(OrganizationType, 'groups', (t) =>
  t.connection({
    perViewer: true,
    type: GroupType,
    nullable: true,
    description: 'The groups the viewer may see, newest first. Null: not for this viewer.',
    args: { kind: t.arg({ type: GroupKindEnum, description: 'Only of this kind.' }) },
    resolve: ({ id }, args, ctx) =>
      canListGroups(ctx.viewer, id)
        ? listed(ctx, args, groupsOf, { parentId: id, filter: { kind: args.kind ?? null } })
        : null,
  }),
);
