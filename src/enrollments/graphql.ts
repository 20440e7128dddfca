import { ChildType } from '../children/graphql.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { decisionInput, MovementType, PlannedMovementType } from '../movements/graphql.ts';
import { enrollChild, graduateChild, type MovedChild, transferChild, withdrawChild } from './commands.ts';

const MoveChildPayload = builder.objectRef<MovedChild>('MoveChildPayload').implement({
  description: 'What became of a decision about a child’s place.',
  fields: (t) => ({
    child: t.field({ type: ChildType, description: 'The child, as it is now.', resolve: ({ child }) => child }),
    movement: t.field({
      type: MovementType,
      nullable: true,
      description: 'The journal’s entry. Null: it waits for its day, or it was so already.',
      resolve: ({ movement }) => movement,
    }),
    plannedMovement: t.field({
      type: PlannedMovementType,
      nullable: true,
      description: 'The plan. Null: the decision counts from today or an earlier day.',
      resolve: ({ plannedMovement }) => plannedMovement,
    }),
  }),
});

const errors = { types: [InvalidState] };
const whichChild = { required: true, description: 'Which child.' } as const;
const whichGroup = { required: true, description: 'Into which group; not «Staff».' } as const;

builder.mutationField('enrollChild', (t) =>
  t.fieldWithInput({
    type: MoveChildPayload,
    description:
      'Gives a child a place in a group (§2.1.12); its guardians reach what is the group’s. Administrators. A repeat changes ' +
      'nothing.',
    errors,
    input: {
      childId: t.input.id(whichChild),
      groupId: t.input.id(whichGroup),
      ...decisionInput(t.input),
    },
    resolve: (_root, { input }, ctx) =>
      enrollChild(ctx.db, ctx.viewer, {
        ...input,
        childId: idOf('Child', input.childId),
        groupId: idOf('Group', input.groupId),
      }),
  }),
);

builder.mutationField('transferChild', (t) =>
  t.fieldWithInput({
    type: MoveChildPayload,
    description:
      'Moves a child into another group (§2.1.12). Its guardians follow at once: what is the old group’s ends for them, what ' +
      'is the new one’s begins. Administrators. A repeat changes nothing.',
    errors,
    input: {
      childId: t.input.id(whichChild),
      groupId: t.input.id(whichGroup),
      ...decisionInput(t.input),
    },
    resolve: (_root, { input }, ctx) =>
      transferChild(ctx.db, ctx.viewer, {
        ...input,
        childId: idOf('Child', input.childId),
        groupId: idOf('Group', input.groupId),
      }),
  }),
);

builder.mutationField('graduateChild', (t) =>
  t.fieldWithInput({
    type: MoveChildPayload,
    description:
      'The child has finished here (§2.1.12). Whoever has no other child here is a member no longer. Administrators. A ' +
      'repeat changes nothing.',
    errors,
    input: { childId: t.input.id(whichChild), ...decisionInput(t.input) },
    resolve: (_root, { input }, ctx) =>
      graduateChild(ctx.db, ctx.viewer, { ...input, childId: idOf('Child', input.childId) }),
  }),
);

builder.mutationField('withdrawChild', (t) =>
  t.fieldWithInput({
    type: MoveChildPayload,
    description:
      'The child leaves before it has finished (§2.1.12). Whoever has no other child here is a member no longer; ' +
      '`enrollChild` brings child and family back. Administrators. A repeat changes nothing.',
    errors,
    input: { childId: t.input.id(whichChild), ...decisionInput(t.input) },
    resolve: (_root, { input }, ctx) =>
      withdrawChild(ctx.db, ctx.viewer, { ...input, childId: idOf('Child', input.childId) }),
  }),
);
