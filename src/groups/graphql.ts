import type { ObjectRef } from '@pothos/core';
import { z } from 'zod';
import { follow } from '../audiences/queries.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder, type Types } from '../graphql/builder.ts';
import { globalId, idOf } from '../graphql/ids.ts';
import { afterDescription, kindsOf, liveEvent, liveUnion } from '../graphql/live.ts';
import { academicYear, valid } from '../input.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { canArrangeGroups, canListGroups, canLookInto, canSeeGroup } from './policy.ts';
import { type Group, groupById, groupsOf, subgroupsOf } from './queries.ts';

export const GroupKindEnum = builder.enumType('GroupKind', {
  description: 'What kind of structural unit a group is.',
  values: {
    STAFF: { description: 'All employees; exactly one in every organization (§2.1.5).' },
    AGE_GROUP: { description: 'An age group of a kindergarten.' },
    CLASS: { description: 'A class of a school.' },
    OTHER: { description: 'Any other unit: a building, a section, a circle.' },
  } as const,
});

const GroupStateEnum = builder.enumType('GroupState', {
  description: 'Where a group stands.',
  values: {
    ACTIVE: { description: 'In use.' },
    ARCHIVED: { description: 'Kept for its history; its invites are dead, its chat can only be read.' },
  } as const,
});

export const GroupType = builder.objectRef<Group>('Group');
builder.node(GroupType, {
  description:
    'A structural unit of an organization in an academic year (§2.1.6). Administrators and the head see all, others by name ' +
    'those where they work, learn or have a child.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(groupById, canSeeGroup),
  fields: (t) => ({
    kind: t.field({ type: GroupKindEnum, description: 'What kind of unit it is.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', { description: 'Its name, unique among the active of its academic year.' }),
    academicYear: t.exposeString('academicYear', {
      nullable: true,
      description: 'The year it belongs to, `2026/27`; null for the group «Staff», which belongs to all.',
    }),
    state: t.field({ type: GroupStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    archivedAt: t.expose('archivedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was archived; null: it is in use.',
    }),
    parent: t.field({
      type: GroupType,
      nullable: true,
      description: 'What it is part of. Null: nothing, or not for this viewer.',
      resolve: async ({ parentId }, _args, ctx) => {
        const parent = parentId ? await ctx.loadExisting(groupById, parentId) : null;
        return parent && ctx.sees(canSeeGroup, parent) ? parent : null;
      },
    }),
    parentId: t.id({
      nullable: true,
      description:
        'The id of what it is part of, enough to draw the tree from one page. Null: nothing, or not for this viewer.',
      resolve: ({ parentId, organizationId }, _args, ctx) =>
        // Nothing is part of «Staff», so it is not that.
        parentId && ctx.sees(canSeeGroup, { id: parentId, organizationId, kind: 'OTHER' })
          ? globalId('Group', parentId)
          : null,
    }),
    childCount: t.int({
      nullable: true,
      description: 'How many children are enrolled. Null: not for this viewer.',
      resolve: (group, _args, ctx) => (ctx.sees(canLookInto, group) ? group.childCount : null),
    }),
    staffCount: t.int({
      nullable: true,
      description: 'How many employees are assigned to it. Null: not for this viewer.',
      resolve: (group, _args, ctx) => (ctx.sees(canLookInto, group) ? group.staffCount : null),
    }),
    subgroups: t.connection({
      perViewer: true,
      type: GroupType,
      nullable: true,
      description: 'Its active parts, newest first. Null: not for this viewer, who does not see the structure.',
      resolve: ({ id, organizationId }, args, ctx) =>
        ctx.viewer.leads(organizationId) ? listed(ctx, args, subgroupsOf, { parentId: id, filter: null }) : null,
    }),
    viewerCanArrange: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may rename, move and archive it, and assign and enrol people.',
      resolve: ({ organizationId, kind }, _args, ctx) =>
        kind !== 'STAFF' && canArrangeGroups(ctx.viewer, organizationId),
    }),
    viewerCanLookInto: t.boolean({
      perViewer: true,
      description: 'Whether its children and their families are for the viewer.',
      resolve: (group, _args, ctx) => canLookInto(ctx.viewer, group),
    }),
  }),
});

showOrganization(GroupType);

/** Hangs the field `group` on a type whose rows may be about one. */
export function showGroup<Row extends { groupId: string | null }>(
  type: ObjectRef<Types, Row>,
  description: string,
): void {
  builder.objectField(type, 'group', (t) =>
    t.field({
      type: GroupType,
      nullable: true,
      description: `${description} Null: none, or not for this viewer.`,
      resolve: async ({ groupId }, _args, ctx) => {
        const group = groupId ? await ctx.loadExisting(groupById, groupId) : null;
        return group && ctx.sees(canSeeGroup, group) ? group : null;
      },
    }),
  );
}

const ofYear = z.object({ academicYear: academicYear.nullish() });

builder.objectField(OrganizationType, 'groups', (t) =>
  t.connection({
    perViewer: true,
    type: GroupType,
    nullable: true,
    description:
      'The groups the viewer may see, newest first: the whole tree for administrators and the head, to others their own. ' +
      'Null: not for this viewer.',
    args: {
      kind: t.arg({ type: GroupKindEnum, description: 'Only of this kind.' }),
      state: t.arg({ type: GroupStateEnum, description: 'Only in this state; both unless told.' }),
      academicYear: t.arg.string({ description: 'Only of this year, as in `2026/27`.' }),
      topOnly: t.arg.boolean({
        defaultValue: false,
        description: 'Only those that are part of no other that the viewer sees.',
      }),
    },
    resolve: ({ id }, { kind = null, state = null, topOnly, academicYear: year, ...page }, ctx) => {
      const { academicYear = null } = valid(ofYear, { academicYear: year });
      return canListGroups(ctx.viewer, id)
        ? listed(ctx, page, groupsOf, {
            parentId: id,
            filter: { kind, state, academicYear, topOnly: topOnly === true },
          })
        : null;
    },
  }),
);

builder.objectField(OrganizationType, 'viewerCanArrangeGroups', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may build the structure: make groups, assign staff, keep the children’s records.',
    resolve: ({ id }, _args, ctx) => canArrangeGroups(ctx.viewer, id),
  }),
);

liveEvent('GroupChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    GROUP_CREATED: 'Made.',
    GROUP_UPDATED: 'Renamed, or of another kind.',
    GROUP_MOVED: 'Part of another group, or of none any more.',
    GROUP_ARCHIVED: 'Put away: its invites are dead, its chat can only be read.',
    GROUP_RESTORED: 'In use again.',
  },
  description: 'The structure of groups changed. For everybody in the group, administrators and the head.',
  subject: { name: 'group', type: GroupType, by: groupById, canSee: canSeeGroup },
});

const GroupEvent = liveUnion(
  'GroupEvent',
  'Anything that happens in a group, as far as the viewer may know it; or the end.',
  'ORGANIZATION',
);

builder.subscriptionField('groupEvents', (t) =>
  t.field({
    type: GroupEvent,
    description:
      'Everything that happens in one group and is for the viewer: to families what all may know, to its staff also its ' +
      'children (administrators hear of those in `organizationEvents`). It ends when the viewer belongs there no longer, as ' +
      'when their child moves (§2.1.12).',
    args: {
      groupId: t.arg.id({ required: true, description: 'Which group.' }),
      after: t.arg({ type: 'Cursor', description: afterDescription }),
    },
    subscribe: (_root, { groupId, after }, ctx) =>
      follow(
        ctx,
        { of: { kind: 'GROUP', subjectId: idOf('Group', groupId) }, scope: 'SUBJECT', kinds: kindsOf() },
        after,
      ),
    resolve: (event) => event,
  }),
);
