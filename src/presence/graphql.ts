import { UserType } from '../accounts/graphql.ts';
import type { PersonName } from '../accounts/tables.ts';
import { accompany } from '../audiences/queries.ts';
import { ChatMemberType } from '../chat-members/graphql.ts';
import { ChatType, whichChat } from '../chats/graphql.ts';
import { chatById } from '../chats/queries.ts';
import { InvalidState, NotFound, RateLimited } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { idOf } from '../graphql/ids.ts';
import { momentUnion } from '../graphql/live.ts';
import type { Presence } from '../signals/room.ts';
import { startTyping, stopTyping } from './commands.ts';
import { metIn } from './queries.ts';

const PersonPresence = builder.objectRef<Presence<PersonName>['people'][number]>('PersonPresence').implement({
  description: 'What somebody who takes part in a chat does now.',
  fields: (t) => ({
    user: t.field({ type: UserType, description: 'The person.', resolve: ({ person }) => person }),
    isOnline: t.exposeBoolean('isOnline', { description: 'Whether a device of theirs is connected.' }),
    isTyping: t.exposeBoolean('isTyping', {
      description: 'Whether they write in this chat. A message of theirs ends it, too: clients do so by themselves.',
    }),
  }),
});

const ChatPresence = builder.objectRef<Presence<PersonName>>('ChatPresence').implement({
  description: 'What some of those who take part in a chat do now. It has no place in the log, and is told once.',
  fields: (t) => ({
    startsAnew: t.exposeBoolean('startsAnew', {
      description:
        'Whether all that was told before is void: whoever is not told of from here on is offline and does not write. So the ' +
        'first one, and again after the connection was too slow or those who take part have changed.',
    }),
    people: t.field({
      type: [PersonPresence],
      description: 'Those of whom something is told, at most 20: more follow at once. Never the viewer.',
      resolve: ({ people }) => people,
    }),
  }),
});

const ChatPresenceEvent = momentUnion(
  'ChatPresenceEvent',
  'Who is there and who writes, or the end of the stream.',
  ChatPresence,
);

builder.subscriptionField('chatPresence', (t) =>
  t.field({
    type: ChatPresenceEvent,
    description:
      'Who of those who take part in a chat is online and who writes: first what is now, then each change, within a second. Of ' +
      'those alone whom the viewer meets: a guardian whose contacts are LIMITED is hidden from other families (§4.11). Nothing of ' +
      'it is kept, so there is no `after`: subscribe anew. It ends when the viewer takes part no longer.',
    args: { chatId: t.arg.id(whichChat) },
    subscribe: async (_root, args, ctx) => {
      const chat = await ctx.load(chatById, idOf('Chat', args.chatId));
      if (!chat) throw new NotFound();
      return accompany(ctx, chat.audienceId, ctx.services.presence.rooms.at(chat.id));
    },
    resolve: (told) => told,
  }),
);

const typingErrors = { types: [InvalidState, RateLimited] };

builder.mutationField('startTyping', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Tells the others in a chat (`chatPresence`) that the viewer writes there, for 6 seconds: call it again every 3 to 5 while ' +
      'they do; within 3 it changes nothing. Who may write there. Sending the message ends it for those who receive that, so ' +
      '`stopTyping` is for who gives up. At most 60 calls of the two a minute and chat.',
    errors: typingErrors,
    input: { chatId: t.input.id(whichChat) },
    resolve: (_root, { input }, { db, viewer, services: { presence } }) =>
      startTyping(db, viewer, idOf('Chat', input.chatId), presence),
  }),
);

builder.mutationField('stopTyping', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description: 'Tells the others that the viewer writes no longer. Repeating it changes nothing.',
    errors: typingErrors,
    input: { chatId: t.input.id(whichChat) },
    resolve: (_root, { input }, { db, viewer, services: { presence } }) =>
      stopTyping(db, viewer, idOf('Chat', input.chatId), presence),
  }),
);

builder.objectField(ChatMemberType, 'isOnline', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether a device of theirs is connected now; `chatPresence` tells of changes.',
    resolve: ({ user }, _args, { services: { presence } }) => presence.attendance.isHere(user.id),
  }),
);

builder.objectField(ChatType, 'viewerCounterpartIsOnline', (t) =>
  t.boolean({
    perViewer: true,
    nullable: true,
    description:
      'Of a DIRECT chat in which the viewer takes part: whether a device of the other is connected now. Null for all others.',
    resolve: async ({ id, kind }, _args, ctx) => {
      const otherId = kind === 'DIRECT' ? await ctx.load(metIn, id) : null;
      return otherId === null ? null : ctx.services.presence.attendance.isHere(otherId);
    },
  }),
);
