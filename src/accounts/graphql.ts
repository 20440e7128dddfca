import { listed } from '../graphql/batches.ts';
import { builder } from '../graphql/builder.ts';
import { ErrorInterface } from '../graphql/errors.ts';
import { globalId, idOf } from '../graphql/ids.ts';
import { liveEvent } from '../graphql/live.ts';
import { encodeCursor } from '../log/cursor.ts';
import type { Viewer } from '../viewer.ts';
import { NameFixed, NameRequired, revokeOtherSessions, revokeSession, signOut, updateProfile } from './commands.ts';
import { sessionById, sessionsOf, userById } from './queries.ts';
import type { PersonName, Session, User } from './tables.ts';

builder.objectType(NameRequired, {
  name: 'NameRequired',
  interfaces: [ErrorInterface],
  description:
    '`NAME_REQUIRED`: nobody joins without a family name and a given name. Tell them with the call, or by `updateProfile`.',
});

builder.objectType(NameFixed, {
  name: 'NameFixed',
  interfaces: [ErrorInterface],
  description:
    '`NAME_FIXED`: a member’s name is the word of the institution, and not changed by oneself. Ask an administrator (`renameMember`).',
});

export const LocaleEnum = builder.enumType('Locale', {
  description: 'A language in which Homeroom speaks.',
  values: { ru: { description: 'Russian.' }, en: { description: 'English.' } } as const,
});

export const UserType = builder.objectRef<PersonName>('User').implement({
  description:
    'A person as others see them: a name. Within an organization it is the name that it has for them, so one person may have ' +
    'several: keep it with the place where it stands, not by `id`. Ways to reach them stand on memberships and join requests.',
  fields: (t) => ({
    id: t.id({ description: 'Names the person; not readable by `node`.', resolve: ({ id }) => globalId('User', id) }),
    familyName: t.exposeString('familyName', { nullable: true, description: 'Family name; null until given.' }),
    givenName: t.exposeString('givenName', { nullable: true, description: 'Given name; null until given.' }),
    patronymic: t.exposeString('patronymic', { nullable: true, description: 'Patronymic, for those who have one.' }),
    displayName: t.string({
      nullable: true,
      description: 'Family name, given name and patronymic in one; null until a name is given.',
      resolve: (user) => [user.familyName, user.givenName, user.patronymic].filter(Boolean).join(' ') || null,
    }),
  }),
});

export const ContactType = builder.objectRef<Pick<User, 'phone' | 'email'>>('Contact').implement({
  description: 'How to reach a person; only for those who may (§3).',
  fields: (t) => ({
    phone: t.exposeString('phone', { description: 'E.164: `+79161234567`.' }),
    email: t.exposeString('email', { nullable: true, description: 'E-mail address, where given.' }),
  }),
});

export const SessionType = builder.objectRef<Session>('Session');
builder.node(SessionType, {
  description: 'One device or browser on which the viewer is signed in. Seen by its owner alone.',
  id: { resolve: ({ id }) => id, description: 'Unique in the whole API.' },
  loadManyWithoutCache: async (ids, ctx) => {
    const found = await Promise.all(ids.map((id) => ctx.load(sessionById, id)));
    return found.map((session) => (session?.userId === ctx.viewer.userId ? session : null));
  },
  fields: (t) => ({
    client: t.exposeString('client', { nullable: true, description: 'What the browser or app called itself.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was signed in.' }),
    usedAt: t.expose('usedAt', { type: 'DateTime', description: 'When it was last used, to the hour.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends at the latest.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was ended; null: it was not.',
    }),
    knowsDevice: t.boolean({
      description:
        'Whether the phone knows the device again: there it gets codes also while strangers ask for too many. Ends with the ' +
        'session’s end, except by time.',
      resolve: ({ deviceHash }) => deviceHash !== null,
    }),
    isCurrent: t.boolean({
      perViewer: true,
      description: 'Whether it is the one asking.',
      resolve: ({ id }, _args, ctx) => id === ctx.viewer.sessionId,
    }),
  }),
});

export const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who is signed in, and everything that is theirs.',
  fields: (t) => ({
    user: t.field({
      type: UserType,
      description: 'The viewer by their own name; an organization may call them otherwise (`Membership.user`).',
      resolve: ({ userId }, _args, ctx) => ctx.loadExisting(userById, userId),
    }),
    contact: t.field({
      type: ContactType,
      description: 'The phone that signs in, and the e-mail address.',
      resolve: ({ userId }, _args, ctx) => ctx.loadExisting(userById, userId),
    }),
    locale: t.field({
      type: LocaleEnum,
      description: 'The language in which the viewer is spoken to.',
      resolve: async ({ userId }, _args, ctx) => (await ctx.loadExisting(userById, userId)).locale,
    }),
    isOperator: t.exposeBoolean('isOperator', { description: 'Whether the viewer operates the platform.' }),
    cursor: t.field({
      type: 'Cursor',
      description:
        'The log’s place now. Read it together with a state, then follow from it: nothing is missed in between, and what ' +
        'happened just before, elsewhere, may come again.',
      resolve: async (_viewer, _args, { services: { hub } }) => encodeCursor(hub.epoch, await hub.currentPosition()),
    }),
    sessions: t.connection({
      perViewer: true,
      type: SessionType,
      description: 'The devices on which the viewer is signed in, newest first.',
      args: {
        includeEnded: t.arg.boolean({ defaultValue: false, description: 'Also those that have ended.' }),
      },
      resolve: ({ userId }, args, ctx) => {
        const idleDays = args.includeEnded ? null : ctx.services.sessionDays.idle;
        return listed(ctx, args, sessionsOf, { parentId: userId, filter: { idleDays } });
      },
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    nullable: true,
    anonymous: true,
    description: 'Who is signed in; null: nobody.',
    resolve: (_root, _args, ctx) => ctx.maybeViewer,
  }),
);

builder.mutationField('signOut', (t) =>
  t.boolean({
    description:
      'Ends this session: its subscriptions end with AccessEnded, its sockets close, and the phone no longer knows the device. ' +
      'Always true.',
    resolve: async (_root, _args, ctx) => {
      await signOut(ctx.db, ctx.viewer);
      ctx.asking.setCookie(null);
      ctx.become(null);
      return true;
    },
  }),
);

builder.mutationField('revokeSession', (t) =>
  t.fieldWithInput({
    type: SessionType,
    description:
      'Ends one of the viewer’s sessions, as after losing a phone; the viewer’s phone no longer knows that device. One that has ' +
      'ended stays so.',
    errors: {},
    input: { sessionId: t.input.id({ required: true, description: 'Which session.' }) },
    resolve: (_root, { input }, ctx) => revokeSession(ctx.db, ctx.viewer, idOf('Session', input.sessionId)),
  }),
);

builder.mutationField('revokeOtherSessions', (t) =>
  t.int({
    description: 'Ends all of the viewer’s sessions but this one; returns how many.',
    resolve: (_root, _args, ctx) => revokeOtherSessions(ctx.db, ctx.viewer),
  }),
);

builder.mutationField('updateProfile', (t) =>
  t.fieldWithInput({
    type: UserType,
    description:
      'Changes what is given of the viewer’s own profile; what is left out stays. The name is theirs to change until they become a ' +
      'member somewhere; after that administrators do (`renameMember`), and to tell the same once more changes nothing.',
    errors: { types: [NameFixed] },
    input: {
      familyName: t.input.string({ description: 'Up to 100 characters.' }),
      givenName: t.input.string({ description: 'Up to 100 characters.' }),
      patronymic: t.input.string({ description: 'Up to 100 characters; null clears it.' }),
      email: t.input.string({ description: 'An e-mail address; null clears it.' }),
      locale: t.input.field({ type: LocaleEnum, description: 'The language to be spoken to in.' }),
    },
    resolve: (_root, { input }, ctx) => updateProfile(ctx.db, ctx.viewer, input),
  }),
);

liveEvent('SessionChanged', {
  concerns: 'PERSON',
  kinds: { SESSION_STARTED: 'The viewer signed in.', SESSION_CLOSED: 'A session of the viewer’s was ended.' },
  description: 'The viewer signed in somewhere, or a session was ended. A sign-in that was not theirs they revoke.',
  subject: {
    name: 'session',
    type: SessionType,
    by: sessionById,
    canSee: (viewer, session) => session.userId === viewer.userId,
  },
});
liveEvent('ProfileUpdated', {
  concerns: 'PERSON',
  kinds: { PROFILE_UPDATED: 'Changed.' },
  description: 'The viewer’s own profile was changed, on this device or another.',
  subject: { name: 'user', type: UserType, by: userById, canSee: (viewer, user) => user.id === viewer.userId },
});
