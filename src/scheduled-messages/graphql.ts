import { ViewerType } from '../accounts/graphql.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { connection } from '../graphql/connections.ts';
import { idOf } from '../graphql/ids.ts';
import { MessageStateEnum, MessageType, shownMessage, whichMessage } from '../messages/graphql.ts';
import type { Message } from '../messages/queries.ts';
import { messageInput, wishOf } from '../sending/graphql.ts';
import { cancelScheduledMessage, scheduleMessage } from './commands.ts';
import { pageOfUnsent, sizeOfUnsent } from './queries.ts';

builder.objectField(ViewerType, 'scheduledMessages', (t) =>
  t.connection({
    perViewer: true,
    type: MessageType,
    description: 'What the viewer has scheduled and was not sent, the latest first.',
    args: {
      state: t.arg({
        type: MessageStateEnum,
        description: 'SCHEDULED unless told; FAILED: what could not be sent; CANCELLED: what was taken back.',
      }),
    },
    resolve: ({ userId }, { state, ...page }, ctx) =>
      connection<Message>(
        page,
        (part) => pageOfUnsent(ctx.db, userId, state ?? 'SCHEDULED', part),
        () => sizeOfUnsent(ctx.db, userId, state ?? 'SCHEDULED'),
      ),
  }),
);

builder.mutationField('scheduleMessage', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description:
      'Has a message sent at a time, also when this client or the server is away then. What may be said is asked now and again at its ' +
      'time: whoever may not write there any more finds it FAILED. At most 100 of one’s messages wait. To change one, cancel it ' +
      'and schedule another.',
    errors: { types: [InvalidState] },
    input: {
      ...messageInput(t.input),
      sendAt: t.input.field({ type: 'DateTime', required: true, description: 'When, within a year.' }),
    },
    resolve: (_root, { input }, ctx) => shownMessage(ctx, scheduleMessage(ctx.db, ctx.viewer, wishOf(input))),
  }),
);

builder.mutationField('cancelScheduledMessage', (t) =>
  t.fieldWithInput({
    type: MessageType,
    description: 'Takes back a message that was to be sent, or could not be. Its author. Repeating it changes nothing.',
    errors: { types: [InvalidState] },
    input: { messageId: t.input.id(whichMessage) },
    resolve: (_root, { input }, ctx) =>
      shownMessage(ctx, cancelScheduledMessage(ctx.db, ctx.viewer, idOf('Message', input.messageId))),
  }),
);
