import { UserType } from '../accounts/graphql.ts';
import type { People } from '../audiences/queries.ts';
import { ChatKindEnum, ChatType, HistoryVisibilityEnum, shownChat, whichChat } from '../chats/graphql.ts';
import { InvalidState } from '../errors.ts';
import { builder } from '../graphql/builder.ts';
import { connection, type PageArguments } from '../graphql/connections.ts';
import type { Context } from '../graphql/context.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { idOf, idOrNone } from '../graphql/ids.ts';
import { RoleEnum } from '../memberships/graphql.ts';
import { OrganizationType } from '../organizations/graphql.ts';
import { addChatMembers, createChat, leaveChat, removeChatMember, SupervisorNeeded, updateChat } from './commands.ts';
import { canBeginChat } from './policy.ts';
import { type ChatMember, membersOfChat } from './queries.ts';

builder.objectType(SupervisorNeeded, {
  name: 'SupervisorNeeded',
  interfaces: [ErrorInterface],
  description:
    '`SUPERVISOR_NEEDED`: there are students in the chat, or are to be, and nobody else answers for them. Appoint a supervisor ' +
    'first: `updateChat(supervisorId)`.',
});

export const ChatMemberType = builder.objectRef<ChatMember>('ChatMember').implement({
  description:
    'Somebody who takes part in a chat, in one capacity. One who works here and has a child here is there as both.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique among those who take part.' }),
    user: t.field({ type: UserType, description: 'The person.', resolve: ({ user }) => user }),
    capacity: t.field({ type: RoleEnum, description: 'As what they take part.', resolve: ({ capacity }) => capacity }),
    since: t.field({ type: 'DateTime', description: 'Since when.', resolve: ({ since }) => new Date(since) }),
    isSupervisor: t.exposeBoolean('isSupervisor', {
      description: 'Whether they answer for the students in the chat; then they cannot leave it.',
    }),
  }),
});

/** A list of people as the viewer meets them. */
export const listOfPeople = <Row extends { id: string }, Values>(
  { db, viewer }: Context,
  args: PageArguments,
  people: People<Row, Values>,
  values: Values,
) =>
  connection(
    args,
    (page) => people.page(db, viewer, values, page),
    () => people.size(db, viewer, values),
  );

builder.objectField(ChatType, 'members', (t) =>
  t.connection({
    perViewer: true,
    type: ChatMemberType,
    description:
      'Who takes part now, whoever came last first, as far as the viewer meets them: a guardian whose contacts are LIMITED is in ' +
      'no list of other families (§4.11). Of a chat that the viewer has left it is empty.',
    resolve: ({ id: chatId }, args, ctx) => listOfPeople(ctx, args, membersOfChat, { chatId }),
  }),
);

builder.objectField(OrganizationType, 'viewerCanCreateChat', (t) =>
  t.boolean({
    perViewer: true,
    description: 'Whether the viewer may begin chats of this kind here (`createChat`).',
    args: { kind: t.arg({ type: ChatKindEnum, required: true, description: 'DIRECT or CUSTOM; of the others: no.' }) },
    resolve: (organization, { kind }, { viewer }) =>
      (kind === 'DIRECT' || kind === 'CUSTOM') && canBeginChat(viewer, organization, kind),
  }),
);

const people =
  'Ids of users. Leaders: anybody who belongs there; confirmed staff: their colleagues, and the families and students of their ' +
  'groups; guardians: the staff of their child’s group.';

builder.mutationField('createChat', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Begins a chat (§2.2.6c, 2.3.3): leaders and confirmed staff; guardians a DIRECT one, where the organization allows it ' +
      '(`guardianChatsAllowed`). With somebody there is one DIRECT chat: a repeat returns it. Students take part in CUSTOM ' +
      'chats only, with a supervisor.',
    errors: { types: [InvalidState] },
    input: {
      organizationId: t.input.id({ required: true, description: 'In which organization.' }),
      kind: t.input.field({ type: ChatKindEnum, required: true, description: 'DIRECT or CUSTOM.' }),
      name: t.input.string({ description: 'Up to 100 characters. Required for CUSTOM, none for DIRECT.' }),
      userIds: t.input.idList({ required: true, description: `${people} For DIRECT exactly one; in all at most 500.` }),
      historyVisibility: t.input.field({
        type: HistoryVisibilityEnum,
        description: 'What of its past those read who come later; FROM_JOIN unless given.',
      }),
      supervisorId: t.input.id({
        description:
          'The user who answers for the students in it: confirmed staff of their group or a leader, one of `userIds` or the ' +
          'viewer. The viewer unless given.',
      }),
      idempotencyKey: t.input.string({
        description:
          'A key of the client’s own for this one wish, 8 to 100 characters: a repeat returns the first chat.',
      }),
    },
    resolve: async (_root, { input: { organizationId, userIds, supervisorId, ...wish } }, ctx) =>
      shownChat(
        ctx,
        await createChat(ctx.db, ctx.viewer, {
          ...wish,
          organizationId: idOf('Organization', organizationId),
          userIds: userIds.map(userIdOf),
          supervisorId: supervisorId ? userIdOf(supervisorId) : null,
        }),
      ),
  }),
);

/** An id that names nobody is like one that names somebody out of reach. */
const userIdOf = (id: string): string => idOrNone('User', id);

const changeErrors = { types: [InvalidState, SupervisorNeeded] };

builder.mutationField('addChatMembers', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Puts people into a CUSTOM chat; who is there stays. They read what is said from now on, or with `historyVisibility: ALL` ' +
      'everything. Those who manage it.',
    errors: changeErrors,
    input: {
      chatId: t.input.id(whichChat),
      userIds: t.input.idList({ required: true, description: `${people} At most 500 in all.` }),
    },
    resolve: async (_root, { input: { chatId, userIds } }, ctx) => {
      const id = idOf('Chat', chatId);
      await addChatMembers(ctx.db, ctx.viewer, id, userIds.map(userIdOf));
      return shownChat(ctx, id);
    },
  }),
);

builder.mutationField('removeChatMember', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Takes somebody out of a CUSTOM chat: they hear nothing more of it, and keep what was said meanwhile. Those who manage it. ' +
      'Repeating it changes nothing.',
    errors: changeErrors,
    input: {
      chatId: t.input.id(whichChat),
      userId: t.input.id({ required: true, description: 'Whom.' }),
    },
    resolve: async (_root, { input: { chatId, userId } }, ctx) => {
      const id = idOf('Chat', chatId);
      await removeChatMember(ctx.db, ctx.viewer, id, userIdOf(userId));
      return shownChat(ctx, id);
    },
  }),
);

builder.mutationField('updateChat', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description: 'Changes a CUSTOM chat; what is left out stays. Those who manage it. Repeating it changes nothing.',
    errors: changeErrors,
    input: {
      chatId: t.input.id(whichChat),
      name: t.input.string({ description: 'Up to 100 characters.' }),
      historyVisibility: t.input.field({
        type: HistoryVisibilityEnum,
        description: 'What of its past those read who came, or come, later.',
      }),
      supervisorId: t.input.id({ description: 'Who answers for the students in it from now on.' }),
    },
    resolve: async (_root, { input: { chatId, supervisorId, ...changes } }, ctx) => {
      const id = idOf('Chat', chatId);
      const supervisor = supervisorId ? { supervisorId: userIdOf(supervisorId) } : {};
      await updateChat(ctx.db, ctx.viewer, id, { ...given(changes), ...supervisor });
      return shownChat(ctx, id);
    },
  }),
);

/** What is null here is as if it were left out. */
const given = (changes: object) => Object.fromEntries(Object.entries(changes).filter(([, value]) => value != null));

builder.mutationField('leaveChat', (t) =>
  t.fieldWithInput({
    type: ChatType,
    description:
      'Leaves a CUSTOM chat: nothing more of it is heard, what was said meanwhile stays readable. The institution’s own chats, and ' +
      'those between two, are not left. Repeating it changes nothing.',
    errors: changeErrors,
    input: { chatId: t.input.id(whichChat) },
    resolve: async (_root, { input }, ctx) => {
      const id = idOf('Chat', input.chatId);
      await leaveChat(ctx.db, ctx.viewer, id);
      return shownChat(ctx, id);
    },
  }),
);
