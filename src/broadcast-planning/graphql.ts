import {
  BroadcastType,
  broadcastMutation,
  QuestioningEnum,
  shownBroadcast,
  whichBroadcast,
} from '../broadcasts/graphql.ts';
import { canSchedule } from '../broadcasts/policy.ts';
import { ChannelType } from '../channels/graphql.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import {
  cancelBroadcast,
  rotateStreamKey,
  scheduleBroadcast,
  setBroadcastRecording,
  updateBroadcast,
} from './commands.ts';

builder.objectField(ChannelType, 'viewerCanScheduleBroadcast', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may plan broadcasts here: who leads; as host, verified staff who publish here.',
    resolve: (channel, _args, ctx) => canSchedule(ctx.viewer, channel),
  }),
);

const errors = { types: [InvalidState] };
const said = {
  title: 'What it is called: 1 to 200 characters.',
  description: 'What it is about: up to 2,000 characters.',
  startsAt: 'When it is to start: within a year.',
  hostId: 'The user who speaks and sends the picture: a verified employee who reads the channel.',
  remindBefore: 'How many minutes before the start people are reminded: 0 to 10,080 (a week). Null: not at all.',
  questioning: 'Whether questions are taken.',
};

builder.mutationField('scheduleBroadcast', (t) =>
  t.fieldWithInput({
    type: BroadcastType,
    description:
      'Plans a broadcast for the readers of a channel (§2.1.15). Administrators and the head, for any host; verified staff who ' +
      'publish in the channel, as its host.',
    errors,
    input: {
      channelId: t.input.id({ required: true, description: 'For the readers of which channel.' }),
      title: t.input.string({ required: true, description: said.title }),
      description: t.input.string({ description: said.description }),
      startsAt: t.input.field({ type: 'DateTime', description: `${said.startsAt} Now unless given.` }),
      hostId: t.input.id({ description: `${said.hostId} The viewer unless given; somebody else only by who leads.` }),
      remindBefore: t.input.int({ description: `${said.remindBefore} 15 unless given.` }),
      questioning: t.input.field({ type: QuestioningEnum, description: `${said.questioning} MODERATED unless given.` }),
      idempotencyKey: t.input.string({
        description: 'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first.',
      }),
    },
    resolve: (_root, { input: { channelId, hostId, ...wish } }, ctx) =>
      shownBroadcast(
        ctx,
        scheduleBroadcast(ctx.db, ctx.viewer, {
          ...wish,
          channelId: idOf('Channel', channelId),
          hostId: hostId && idOf('User', hostId),
        }),
      ),
  }),
);

builder.mutationField('updateBroadcast', (t) =>
  t.fieldWithInput({
    type: BroadcastType,
    description:
      'Changes a broadcast; what is left out stays. While it is LIVE only its title, its description and whether questions are ' +
      'taken. Its host, and who leads. Repeating it changes nothing.',
    errors,
    input: {
      broadcastId: t.input.id(whichBroadcast),
      title: t.input.string({ description: said.title }),
      description: t.input.string({ description: `${said.description} Null clears it.` }),
      startsAt: t.input.field({ type: 'DateTime', description: said.startsAt }),
      hostId: t.input.id({ description: `${said.hostId} By who leads. A new host has a new stream key.` }),
      remindBefore: t.input.int({ description: said.remindBefore }),
      questioning: t.input.field({ type: QuestioningEnum, description: said.questioning }),
    },
    resolve: (_root, { input: { broadcastId, hostId, ...changes } }, ctx) =>
      shownBroadcast(
        ctx,
        updateBroadcast(ctx.db, ctx.viewer, idOf('Broadcast', broadcastId), {
          ...changes,
          ...(hostId !== undefined && { hostId: hostId && idOf('User', hostId) }),
        }),
      ),
  }),
);

builder.mutationField('cancelBroadcast', (t) =>
  t.fieldWithInput({
    type: BroadcastType,
    description: 'Calls a planned broadcast off, for good. Its host, and who leads. Repeating it changes nothing.',
    errors,
    input: {
      broadcastId: t.input.id(whichBroadcast),
      reason: t.input.string({ description: 'Why: up to 500 characters.' }),
    },
    resolve: (_root, { input: { broadcastId, ...said } }, ctx) =>
      shownBroadcast(ctx, cancelBroadcast(ctx.db, ctx.viewer, idOf('Broadcast', broadcastId), said)),
  }),
);

broadcastMutation(
  'rotateStreamKey',
  'Replaces the stream key of a broadcast: whoever sends by the old one is cut off within moments. Its host alone. Each call makes a ' +
    'new one.',
  rotateStreamKey,
);

builder.mutationField('setBroadcastRecording', (t) =>
  t.fieldWithInput({
    type: BroadcastType,
    description: 'Says where a broadcast that has ENDED can be seen again. Its host, and who leads.',
    errors,
    input: {
      broadcastId: t.input.id(whichBroadcast),
      url: t.input.string({ description: 'An https address of up to 500 characters; null: nowhere any more.' }),
    },
    resolve: (_root, { input: { broadcastId, ...said } }, ctx) =>
      shownBroadcast(ctx, setBroadcastRecording(ctx.db, ctx.viewer, idOf('Broadcast', broadcastId), said)),
  }),
);
