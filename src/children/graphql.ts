import type { ObjectRef } from '@pothos/core';
import { z } from 'zod';
import { ViewerType } from '../accounts/graphql.ts';
import { InvalidState } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder, type Types } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { GroupType, showGroup } from '../groups/graphql.ts';
import { canLookInto } from '../groups/policy.ts';
import { optionalLine, valid } from '../input.ts';
import { OrganizationType, showOrganization } from '../organizations/graphql.ts';
import { addChild, updateChild } from './commands.ts';
import { canArrangeChildren, canKeepRecord, canListChildren, canSeeChild } from './policy.ts';
import { childById, childrenAmong, childrenIn, childrenOf, enrollmentsOf } from './queries.ts';
import type { Child, Enrollment } from './tables.ts';

const EnrollmentEndEnum = builder.enumType('EnrollmentEnd', {
  description: 'How a child’s time in a group ended.',
  values: {
    TRANSFERRED: { description: 'Went on in another group.' },
    GRADUATED: { description: 'Finished here.' },
    WITHDRAWN: { description: 'Left before.' },
  } as const,
});

export const ChildType = builder.objectRef<Child>('Child');
const EnrollmentType = builder.objectRef<Enrollment>('Enrollment').implement({
  description: 'A child’s time in one group, by days of the institution’s calendar.',
  fields: (t) => ({
    startedOn: t.expose('startedOn', { type: 'Date', description: 'The first day.' }),
    endedOn: t.expose('endedOn', {
      type: 'Date',
      nullable: true,
      description: 'The last day; null: the child is there.',
    }),
    end: t.field({
      type: EnrollmentEndEnum,
      nullable: true,
      description: 'How it ended; null: it has not.',
      resolve: ({ end }) => end,
    }),
  }),
});

builder.node(ChildType, {
  description:
    'A child’s record. Seen by administrators and the head, the staff of its group, its guardians while it is enrolled, and ' +
    'a student themself. Children of a kindergarten have no accounts.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(childById, canSeeChild),
  fields: (t) => ({
    familyName: t.exposeString('familyName', { description: 'Family name.' }),
    givenName: t.exposeString('givenName', { description: 'Given name.' }),
    patronymic: t.exposeString('patronymic', { nullable: true, description: 'Patronymic, for those who have one.' }),
    displayName: t.string({
      description: 'Family name, given name and patronymic in one.',
      resolve: ({ familyName, givenName, patronymic }) => [familyName, givenName, patronymic].filter(Boolean).join(' '),
    }),
    birthDate: t.expose('birthDate', { type: 'Date', nullable: true, description: 'Day of birth, where given.' }),
    externalId: t.string({
      nullable: true,
      description: 'The institution’s own number for the child, unique there. Null: none, or not for this viewer.',
      resolve: (child, _args, ctx) => (ctx.sees(canKeepRecord, child) ? child.externalId : null),
    }),
    enrollments: t.connection({
      perViewer: true,
      type: EnrollmentType,
      description: 'Its time here, group by group, newest first.',
      resolve: ({ id }, args, ctx) => listed(ctx, args, enrollmentsOf, { parentId: id, filter: null }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the record was added.' }),
    changedAt: t.expose('changedAt', { type: 'DateTime', description: 'When the record was last changed.' }),
    viewerCanArrange: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may edit the record and move the child.',
      resolve: ({ organizationId }, _args, ctx) => canArrangeChildren(ctx.viewer, organizationId),
    }),
  }),
});

showOrganization(ChildType);
showGroup(ChildType, 'The group where it is enrolled now.');
showGroup(EnrollmentType, 'In which group.');

/** Hangs the field `child` on a type whose rows may be about one. */
export function showChild<Row extends { childId: string | null }>(
  type: ObjectRef<Types, Row>,
  description: string,
): void {
  builder.objectField(type, 'child', (t) =>
    t.field({
      type: ChildType,
      nullable: true,
      description: `${description} Null: none, or not for this viewer.`,
      resolve: async ({ childId }, _args, ctx) => {
        const child = childId ? await ctx.loadExisting(childById, childId) : null;
        return child && ctx.sees(canSeeChild, child) ? child : null;
      },
    }),
  );
}

const searchable = z.object({ search: optionalLine(100) });

builder.objectField(OrganizationType, 'children', (t) =>
  t.connection({
    perViewer: true,
    type: ChildType,
    nullable: true,
    description:
      'The children’s records, newest first: all for administrators and the head, those of their groups for confirmed staff. ' +
      'Null: not for this viewer.',
    args: {
      enrolled: t.arg.boolean({ description: 'Only those who are enrolled now, or only those who are not.' }),
      search: t.arg.string({ description: 'Only those in whose name this occurs: up to 100 characters.' }),
    },
    resolve: ({ id }, { enrolled = null, search: sought, ...page }, ctx) => {
      const { search } = valid(searchable, { search: sought });
      return canListChildren(ctx.viewer, id)
        ? listed(ctx, page, childrenOf, { parentId: id, filter: { enrolled, search } })
        : null;
    },
  }),
);

builder.objectField(GroupType, 'children', (t) =>
  t.connection({
    perViewer: true,
    type: ChildType,
    nullable: true,
    description: 'The children enrolled in it, newest record first. Null: not for this viewer (`viewerCanLookInto`).',
    resolve: (group, args, ctx) =>
      canLookInto(ctx.viewer, group) ? listed(ctx, args, childrenIn, { parentId: group.id, filter: null }) : null,
  }),
);

builder.objectField(ViewerType, 'children', (t) =>
  t.connection({
    perViewer: true,
    type: ChildType,
    description: 'The enrolled children whose guardian the viewer is, in all organizations.',
    resolve: (viewer, args, ctx) =>
      connection(
        args,
        (page) => childrenAmong(ctx.db, viewer.children, page),
        async () => new Set(viewer.children).size,
      ),
  }),
);

const names = {
  familyName: 'Family name: up to 100 characters.',
  givenName: 'Given name: up to 100 characters.',
  patronymic: 'Patronymic: up to 100 characters, or none.',
  birthDate: 'Day of birth.',
  externalId: 'The institution’s own number: up to 100 characters, unique there.',
};

builder.mutationField('addChild', (t) =>
  t.fieldWithInput({
    type: ChildType,
    description: 'Adds a child’s record; `enrollChild` then gives it a place (§2.1.12). Administrators.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'In which organization.' }),
      familyName: t.input.string({ required: true, description: names.familyName }),
      givenName: t.input.string({ required: true, description: names.givenName }),
      patronymic: t.input.string({ description: names.patronymic }),
      birthDate: t.input.field({ type: 'Date', description: names.birthDate }),
      externalId: t.input.string({ description: names.externalId }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first record.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      addChild(ctx.db, ctx.viewer, { ...input, organizationId: idOf('Organization', input.organizationId) }),
  }),
);

builder.mutationField('updateChild', (t) =>
  t.fieldWithInput({
    type: ChildType,
    description: 'Edits a child’s record; what is left out stays. Administrators.',
    errors: { types: [InvalidState] },
    input: {
      childId: t.input.id({ required: true, description: 'Whose record.' }),
      familyName: t.input.string({ description: names.familyName }),
      givenName: t.input.string({ description: names.givenName }),
      patronymic: t.input.string({ description: `${names.patronymic} Null clears it.` }),
      birthDate: t.input.field({ type: 'Date', description: `${names.birthDate} Null clears it.` }),
      externalId: t.input.string({ description: `${names.externalId} Null clears it.` }),
    },
    resolve: (_root, { input: { childId, ...changes } }, ctx) =>
      updateChild(ctx.db, ctx.viewer, idOf('Child', childId), changes),
  }),
);

liveEvent('ChildChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    CHILD_ADDED: 'A record was added.',
    CHILD_UPDATED: 'A record was edited.',
    CHILD_ENROLLED: 'A child has a place in a group.',
    CHILD_TRANSFERRED: 'A child went on in another group.',
    CHILD_GRADUATED: 'A child has finished here.',
    CHILD_WITHDRAWN: 'A child has left.',
  },
  description:
    'A child’s record or place changed. For administrators, the staff of its groups, before and after, and its family.',
  subject: { name: 'child', type: ChildType, by: childById, canSee: canSeeChild },
});
