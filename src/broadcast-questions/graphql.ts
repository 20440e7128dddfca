import { UserType } from '../accounts/graphql.ts';
import { personOf } from '../accounts/queries.ts';
import { BroadcastType, whichBroadcast } from '../broadcasts/graphql.ts';
import { canRunBroadcast } from '../broadcasts/policy.ts';
import { broadcastById } from '../broadcasts/queries.ts';
import type { Database } from '../database/connect.ts';
import { InvalidState, RateLimited } from '../errors.ts';
import { listed, visible } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import type { Viewer } from '../viewer.ts';
import {
  answerBroadcastQuestion,
  approveBroadcastQuestion,
  askBroadcastQuestion,
  rejectBroadcastQuestion,
  withdrawBroadcastQuestion,
} from './commands.ts';
import { canAsk, canMindQuestion, canSeeAsker, canSeeQuestion, canWithdrawQuestion } from './policy.ts';
import { type Question, questionById, questionsOf } from './queries.ts';
import type { BroadcastQuestionRow } from './tables.ts';

const QuestionStateEnum = builder.enumType('BroadcastQuestionState', {
  description: 'Where a question stands.',
  values: {
    PENDING: { description: 'Waits for whoever runs the broadcast.' },
    SHOWN: { description: 'Shown to all.' },
    ANSWERED: { description: 'Answered, aloud or in writing; shown to all.' },
    REJECTED: { description: 'Not shown.' },
    WITHDRAWN: { description: 'Taken back by who asked.' },
  } as const,
});

const QuestionType = builder.objectRef<Question>('BroadcastQuestion');
builder.node(QuestionType, {
  description:
    'What somebody who watches asks the host. Shown to the channel’s readers; while it waits, was rejected or taken back, to who ' +
    'asked and who runs the broadcast.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: visible(questionById, canSeeQuestion),
  fields: (t) => ({
    broadcast: t.field({
      type: BroadcastType,
      description: 'In which broadcast.',
      resolve: ({ broadcastId }, _args, ctx) => ctx.loadExisting(broadcastById, broadcastId),
    }),
    author: t.field({
      type: UserType,
      nullable: true,
      description: 'Who asks. Null: a guardian who is not named to this viewer (§4.11).',
      resolve: (question, _args, ctx) =>
        ctx.sees(canSeeAsker, question)
          ? ctx.loadExisting(personOf, { userId: question.authorId, organizationId: question.organizationId })
          : null,
    }),
    state: t.field({ type: QuestionStateEnum, description: 'Where it stands.', resolve: ({ state }) => state }),
    text: t.exposeString('text', { description: 'What is asked, as plain text: up to 1,000 characters.' }),
    answer: t.exposeString('answer', {
      nullable: true,
      description: 'What was answered in writing: up to 2,000 characters. Null: aloud, or not yet.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked.' }),
    viewerCanWithdraw: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may take it back.',
      resolve: (question, _args, ctx) => canWithdrawQuestion(ctx.viewer, question),
    }),
    viewerCanMind: t.boolean({
      perViewer: true,
      description: 'Whether the viewer may show, answer and reject it.',
      resolve: (question, _args, ctx) => canMindQuestion(ctx.viewer, question),
    }),
  }),
});

builder.objectFields(BroadcastType, (t) => ({
  questions: t.connection({
    perViewer: true,
    type: QuestionType,
    description: 'Its questions, latest first: those shown, the viewer’s own, and to whoever runs it all.',
    args: { state: t.arg({ type: QuestionStateEnum, description: 'Only in this state.' }) },
    resolve: (broadcast, { state = null, ...page }, ctx) => {
      const runs = canRunBroadcast(ctx.viewer, broadcast);
      return listed(ctx, page, questionsOf, { parentId: broadcast.id, filter: { state, runs } });
    },
  }),
  viewerCanAsk: t.boolean({
    perViewer: true,
    description: 'Whether the viewer may ask the host now.',
    resolve: (broadcast, _args, ctx) => canAsk(ctx.viewer, broadcast),
  }),
}));

/** A question as queries read it. */
const shown = async (ctx: Context, changed: Promise<BroadcastQuestionRow>): Promise<Question> =>
  ctx.loadExisting(questionById, (await changed).id);

const which = { required: true, description: 'Which question.' } as const;
const errors = { types: [InvalidState] };

builder.mutationField('askBroadcastQuestion', (t) =>
  t.fieldWithInput({
    type: QuestionType,
    description:
      'Asks the host of a broadcast that is LIVE, where questions are taken. Where they are MODERATED it waits for who runs it. Who ' +
      'may watch, a few times a minute.',
    errors: { types: [InvalidState, RateLimited] },
    input: {
      broadcastId: t.input.id(whichBroadcast),
      text: t.input.string({ required: true, description: 'What is asked, as plain text: 1 to 1,000 characters.' }),
      idempotencyKey: t.input.string({
        description: 'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first.',
      }),
    },
    resolve: (_root, { input: { broadcastId, ...wish } }, ctx) =>
      shown(
        ctx,
        askBroadcastQuestion(ctx.db, ctx.viewer, idOf('Broadcast', broadcastId), ctx.services.limitQuestions, wish),
      ),
  }),
);

builder.mutationField('answerBroadcastQuestion', (t) =>
  t.fieldWithInput({
    type: QuestionType,
    description:
      'Marks a question as answered and shows it to all; with `answer` also in writing. Who runs the broadcast, also when it is over.',
    errors,
    input: {
      questionId: t.input.id(which),
      answer: t.input.string({ description: 'Up to 2,000 characters; without: it was answered aloud.' }),
    },
    resolve: (_root, { input: { questionId, ...said } }, ctx) =>
      shown(ctx, answerBroadcastQuestion(ctx.db, ctx.viewer, idOf('BroadcastQuestion', questionId), said)),
  }),
);

/** A mutation that takes a question and nothing else. */
function questionMutation(
  name: string,
  description: string,
  command: (db: Database, viewer: Viewer, questionId: string) => Promise<BroadcastQuestionRow>,
): void {
  builder.mutationField(name, (t) =>
    t.fieldWithInput({
      type: QuestionType,
      description: `${description} Repeating it changes nothing.`,
      errors,
      input: { questionId: t.input.id(which) },
      resolve: (_root, { input }, ctx) =>
        shown(ctx, command(ctx.db, ctx.viewer, idOf('BroadcastQuestion', input.questionId))),
    }),
  );
}

questionMutation(
  'approveBroadcastQuestion',
  'Shows a question to all. Who runs the broadcast.',
  approveBroadcastQuestion,
);
questionMutation(
  'rejectBroadcastQuestion',
  'Does not show a question, or no longer. Who runs the broadcast.',
  rejectBroadcastQuestion,
);
questionMutation(
  'withdrawBroadcastQuestion',
  'Takes one’s own question back, unless it was answered or rejected.',
  withdrawBroadcastQuestion,
);

liveEvent('BroadcastQuestionChanged', {
  concerns: 'ORGANIZATION',
  kinds: {
    BROADCAST_QUESTION_SUBMITTED: 'A question waits. For whoever runs the broadcast and who asked.',
    BROADCAST_QUESTION_SHOWN: 'A question is shown to all.',
    BROADCAST_QUESTION_ANSWERED: 'It was answered.',
    BROADCAST_QUESTION_REMOVED: 'It was rejected or taken back; for all only if it was shown before.',
  },
  description: 'A question to the host of a broadcast was asked, decided on or answered.',
  subject: { name: 'question', type: QuestionType, by: questionById, canSee: canSeeQuestion },
});
