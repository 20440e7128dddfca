import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { showChild } from '../children/graphql.ts';
import { builder } from '../graphql/builder.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import type { Revocation } from './queries.ts';

const RevocationKindEnum = builder.enumType('RevocationKind', {
  description: 'What an administrator took from somebody.',
  values: {
    GUARDIAN_LINK: { description: 'That they stand for a child.' },
    MEMBERSHIP_ENDED: { description: 'Their membership in a role, for good.' },
    MEMBERSHIP_SUSPENDED: { description: 'Their membership in a role, which has not been restored.' },
  } as const,
});

export const RevocationType = builder.objectRef<Revocation>('Revocation').implement({
  description:
    'That an administrator has sent somebody away. Whoever was leaves no link behind that lets them in: they ask, and an ' +
    'administrator decides. To leave by oneself, or with one’s child, is no revocation.',
  fields: (t) => ({
    kind: t.field({ type: RevocationKindEnum, description: 'What was taken.', resolve: ({ kind }) => kind }),
    role: t.field({ type: RoleEnum, description: 'In which role they were there.', resolve: ({ role }) => role }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why, as the administrator wrote; null: no word.',
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', description: 'When.' }),
    revokedBy: t.field({
      type: UserType,
      nullable: true,
      description: 'Which administrator; null: it was not kept in version 0.1.',
      resolve: ({ revokedBy, organizationId }, _args, ctx) =>
        revokedBy ? ctx.load(personOf, { userId: revokedBy, organizationId }) : null,
    }),
  }),
});

showChild(RevocationType, 'For which child they stood. Null: it was the whole membership.');
