import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { RosterKindEnum } from '../rosters/graphql.ts';
import { createInviteSheet, type InviteSheet } from './commands.ts';

const InviteSheetPayload = builder.objectRef<InviteSheet>('CreateInviteSheetPayload').implement({
  description: 'Invites on paper.',
  fields: (t) => ({
    inviteCount: t.exposeInt('inviteCount', { description: 'How many invites were made; 0: everybody has joined.' }),
    slipCount: t.exposeInt('slipCount', {
      description: 'How many slips the page has: one for each family or employee.',
    }),
    html: t.exposeString('html', {
      nullable: true,
      description:
        'A page to print and cut apart, which needs nothing from elsewhere: 6 KB a code, shown this once. Null: a repeat; ' +
        'the first answer had it.',
    }),
  }),
});

builder.mutationField('createInviteSheet', (t) =>
  t.fieldWithInput({
    type: InviteSheetPayload,
    description:
      'Makes an invite for everybody who is expected and has not joined, and a page with their codes as text and QR (§2.1.7). ' +
      'CHILDREN: each expected guardian of an enrolled child gets a code that only their phone can use and that links them to ' +
      'all children for whom they are named; a child for whom nobody is named gets one that two people can use. STAFF: each ' +
      'employee of an imported table, into the group «Staff». Unused codes of earlier sheets for the same people are ' +
      'annulled. Administrators; for children also the head, and the staff of the group (§2.4.1). Ask for it by HTTP.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'In which organization.' }),
      kind: t.input.field({ type: RosterKindEnum, required: true, description: 'Families or employees.' }),
      groupId: t.input.id({
        description: 'Only of this group, which staff must tell; of all unless told. At most 1,000 invites a sheet.',
      }),
      linkTemplate: t.input.string({
        description:
          'Where the client opens an invite: an https address with `{code}` in it, up to 500 characters. The QR codes hold ' +
          'it. Unless told, they hold the bare code.',
      }),
      expiresAt: t.input.field({
        type: 'DateTime',
        description: 'Until when: within 30 days for guardians, within a year for staff; 14 days unless told.',
      }),
      idempotencyKey: t.input.string({
        required: true,
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat makes nothing and prints nothing.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      createInviteSheet(ctx.db, ctx.viewer, {
        ...input,
        organizationId: idOf('Organization', input.organizationId),
        groupId: input.groupId ? idOf('Group', input.groupId) : null,
      }),
  }),
);
