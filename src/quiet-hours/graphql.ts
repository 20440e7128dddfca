import { UserType, ViewerType } from '../accounts/graphql.ts';
import { userById } from '../accounts/queries.ts';
import type { Database } from '../database/connect.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { liveEvent } from '../graphql/live.ts';
import type { Viewer } from '../viewer.ts';
import { resetQuietHours, setQuietHours, turnOffQuietHours } from './commands.ts';
import { ownQuietHours } from './queries.ts';
import type { QuietHoursRow } from './tables.ts';

const QuietHoursType = builder.objectRef<QuietHoursRow>('QuietHours').implement({
  description: 'When somebody is not to be disturbed, every day. All null: never quiet.',
  fields: (t) => ({
    from: t.string({
      nullable: true,
      description: 'From what time of day: `21:30`.',
      resolve: ({ from }) => from?.slice(0, 5) ?? null,
    }),
    until: t.string({
      nullable: true,
      description: 'Until what time of day, on the next day if it is not behind `from`.',
      resolve: ({ until }) => until?.slice(0, 5) ?? null,
    }),
    timeZone: t.string({
      nullable: true,
      description: 'By the clock of which time zone, as in `Europe/Moscow`.',
      resolve: ({ from, timeZone }) => (from === null ? null : timeZone),
    }),
  }),
});

const ownOf = (ctx: Context): Promise<QuietHoursRow | null> => ctx.load(ownQuietHours, ctx.viewer.userId);

builder.objectField(ViewerType, 'quietHours', (t) =>
  t.field({
    perViewer: true,
    type: QuietHoursType,
    nullable: true,
    description:
      'When the viewer is not to be disturbed, in place of what their institutions say (`Organization.quietFrom`). It delays ' +
      'notifications, never access. Null: as the institutions say.',
    resolve: (_viewer, _args, ctx) => ownOf(ctx),
  }),
);

builder.mutationField('setQuietHours', (t) =>
  t.fieldWithInput({
    type: ViewerType,
    description:
      'Says when the viewer is not to be disturbed, wherever it comes from: notifications wait until it is over, except those of ' +
      'what is URGENT. It takes the place of what their institutions say; nobody else learns of it.',
    errors: {},
    input: {
      from: t.input.string({ required: true, description: 'From what time of day: `21:30`.' }),
      until: t.input.string({
        required: true,
        description: 'Until what time of day: another than `from`; before it means on the next day.',
      }),
      timeZone: t.input.string({
        required: true,
        description: 'By the clock of which time zone, as in `Europe/Moscow`; most clients know their own.',
      }),
    },
    resolve: async (_root, { input }, ctx) => {
      await setQuietHours(ctx.db, ctx.viewer, input);
      return ctx.viewer;
    },
  }),
);

/** A mutation that takes nothing. */
function choice(name: string, description: string, command: (db: Database, viewer: Viewer) => Promise<void>): void {
  builder.mutationField(name, (t) =>
    t.field({
      type: ViewerType,
      description,
      resolve: async (_root, _args, ctx) => {
        await command(ctx.db, ctx.viewer);
        return ctx.viewer;
      },
    }),
  );
}

choice(
  'turnOffQuietHours',
  'Lets the viewer be notified at any time, whatever their institutions say. Repeating it changes nothing.',
  turnOffQuietHours,
);
choice(
  'resetQuietHours',
  'Lets the viewer follow the quiet hours of their institutions again. Repeating it changes nothing.',
  resetQuietHours,
);

const QuietHoursChanged = liveEvent('QuietHoursChanged', {
  concerns: 'PERSON',
  kinds: { QUIET_HOURS_CHANGED: 'The viewer has chosen other quiet hours, here or on another device.' },
  description: 'The viewer’s own quiet hours are others now. For their own devices.',
  subject: { name: 'user', type: UserType, by: userById, canSee: (viewer, user) => user.id === viewer.userId },
});

builder.objectField(QuietHoursChanged, 'quietHours', (t) =>
  t.field({
    perViewer: true,
    type: QuietHoursType,
    nullable: true,
    description: 'What the viewer has chosen, as it is now. Null: to follow their institutions.',
    resolve: (_event, _args, ctx) => ownOf(ctx),
  }),
);
