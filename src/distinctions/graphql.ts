import { UserType } from '../accounts/graphql.ts';
import { builder } from '../graphql/builder.ts';
import { PositionEnum, RoleEnum } from '../memberships/graphql.ts';
import { type Distinction, distinctionOf } from './queries.ts';

const DistinctionType = builder.objectRef<Distinction>('Distinction').implement({
  description:
    'What tells a person apart from others of the same name: as what they are known in the organization, or were last.',
  fields: (t) => ({
    role: t.field({
      type: RoleEnum,
      description: 'As what they belong to it: as an employee, who has several roles.',
      resolve: ({ role }) => role,
    }),
    position: t.field({
      type: PositionEnum,
      nullable: true,
      description: 'An employee’s position; null where none is given, and for other roles.',
      resolve: ({ position }) => position,
    }),
  }),
});

builder.objectField(UserType, 'distinction', (t) =>
  t.field({
    type: DistinctionType,
    nullable: true,
    description:
      'To be shown beside the name: another person of the organization bears the same, or one that looks the same, as «Е» for ' +
      '«Ё» or Latin letters for Cyrillic ones. Null: nobody does whom everybody there may know of, or the person is shown outside ' +
      'of an organization.',
    resolve: ({ id, namesakeIn }, _args, ctx) =>
      namesakeIn ? ctx.load(distinctionOf, { userId: id, organizationId: namesakeIn }) : null,
  }),
);
