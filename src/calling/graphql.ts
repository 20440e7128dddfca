import { CallKindEnum, CallType } from '../calls/graphql.ts';
import { type Call, seenCall } from '../calls/queries.ts';
import { whichChat } from '../chats/graphql.ts';
import type { JoinTicket } from '../conferencing/conferencing.ts';
import type { Database } from '../database/connect.ts';
import { InvalidState, NotConfigured, NotFound, RateLimited } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { JoinTicketType } from '../participations/graphql.ts';
import type { Viewer } from '../viewer.ts';
import { answerCall, declineCall, endCall, type Joined, leaveCall, startCall } from './commands.ts';

/** A call as the viewer sees it after they have done something about it. */
async function shown(ctx: Context, callId: string): Promise<Call> {
  const call = await ctx.load(seenCall, callId);
  if (!call) throw new NotFound();
  return call;
}

interface Entered {
  readonly call: Call;
  readonly ticket: JoinTicket | null;
}
const EnteredType = builder.objectRef<Entered>('JoinCallPayload').implement({
  description: 'A call, and how the viewer enters it.',
  fields: (t) => ({
    call: t.field({ type: CallType, description: 'The call.', resolve: ({ call }) => call }),
    ticket: t.field({
      type: JoinTicketType,
      nullable: true,
      description: 'How to enter it. Null: it is over, when an earlier wish is repeated.',
      resolve: ({ ticket }) => ticket,
    }),
  }),
});

const entered = async (ctx: Context, joining: Promise<Joined>): Promise<Entered> => {
  const { callId, ticket } = await joining;
  return { call: await shown(ctx, callId), ticket };
};

const which = { required: true, description: 'Which call.' } as const;

builder.mutationField('startCall', (t) =>
  t.fieldWithInput({
    type: EnteredType,
    description:
      'Calls those who take part in a chat: in a DIRECT one both may, in others the staff. It rings on their devices (`Call.viewerRings`, ' +
      'told by `viewerEvents`) for 45 seconds. One call of a chat goes on at a time: `Chat.activeCall`. One person may call in one chat a ' +
      'few times a minute.',
    errors: { types: [InvalidState, NotConfigured, RateLimited] },
    input: {
      chatId: t.input.id(whichChat),
      kind: t.input.field({ type: CallKindEnum, required: true, description: 'How.' }),
      idempotencyKey: t.input.string({
        description: 'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first.',
      }),
    },
    resolve: (_root, { input: { chatId, ...wish } }, ctx) => {
      const { db, viewer, services } = ctx;
      const call = { ...wish, chatId: idOf('Chat', chatId) };
      return entered(ctx, startCall(db, viewer, services.conferencing, services.limitCalls, call));
    },
  }),
);

builder.mutationField('answerCall', (t) =>
  t.fieldWithInput({
    type: EnteredType,
    description:
      'Answers a call that rings, or comes into one that goes on, again as well: each time with another ticket. The viewer’s other ' +
      'devices stop ringing. Who takes part in the chat.',
    errors: { types: [InvalidState, NotConfigured] },
    input: { callId: t.input.id(which) },
    resolve: (_root, { input }, ctx) =>
      entered(ctx, answerCall(ctx.db, ctx.viewer, ctx.services.conferencing, idOf('Call', input.callId))),
  }),
);

/** A mutation that takes a call and nothing else. */
function callMutation(
  name: string,
  description: string,
  command: (db: Database, viewer: Viewer, callId: string) => Promise<string>,
): void {
  builder.mutationField(name, (t) =>
    t.fieldWithInput({
      type: CallType,
      description: `${description} Repeating it changes nothing.`,
      errors: { types: [InvalidState] },
      input: { callId: t.input.id(which) },
      resolve: async (_root, { input }, ctx) =>
        shown(ctx, await command(ctx.db, ctx.viewer, idOf('Call', input.callId))),
    }),
  );
}

callMutation(
  'declineCall',
  'Does not want to answer: the viewer’s devices stop ringing. Between two the call is over, and so it is once everybody who was called ' +
    'has declined. Not who called.',
  declineCall,
);

callMutation(
  'leaveCall',
  'Hangs up. The call ends when nobody is left, or one of two; while it rings, when it is who called. Who is not in it is out.',
  leaveCall,
);

callMutation(
  'endCall',
  'Ends a call for everybody: who called, and the staff of the chat; between two, both. One that nobody has answered is MISSED.',
  endCall,
);
