import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { PlannedMovementType } from '../movements/graphql.ts';
import { cancelPlannedMovement } from './commands.ts';

builder.mutationField('cancelPlannedMovement', (t) =>
  t.fieldWithInput({
    type: PlannedMovementType,
    description: 'Takes back what is planned, before its day. Administrators. A repeat changes nothing.',
    errors: { types: [InvalidState] },
    input: { plannedMovementId: t.input.id({ required: true, description: 'Which plan.' }) },
    resolve: (_root, { input }, ctx) =>
      cancelPlannedMovement(ctx.db, ctx.viewer, idOf('PlannedMovement', input.plannedMovementId)),
  }),
);
