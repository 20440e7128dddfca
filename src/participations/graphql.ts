import { UserType } from '../accounts/graphql.ts';
import type { JoinTicket } from '../conferencing/conferencing.ts';
import { builder } from '../graphql/builder.ts';
import { isPresent, type Participation } from './queries.ts';

const instant = (value: string | null): Date | null => (value === null ? null : new Date(value));

export const ParticipationType = builder.objectRef<Participation>('Participation').implement({
  description: 'Somebody’s part in a meeting or a call: that they were let in, and when they were there.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique among those who take part. Not readable by `node`.' }),
    identity: t.string({
      description:
        'Who they are in the LiveKit room: the `identity` of that participant. LiveKit itself knows no more of them, so clients ' +
        'here whom to name. Whose identity is in no list is a guardian who is not named to this viewer (§4.11).',
      resolve: ({ id }) => id,
    }),
    user: t.field({ type: UserType, description: 'The person.', resolve: ({ user }) => user }),
    admittedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When they were first let in. Null: never, as who came in person, or they were sent out.',
      resolve: ({ admittedAt }) => instant(admittedAt),
    }),
    joinedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When they were first connected, by LiveKit’s own account. Null: never, or it is not told yet.',
      resolve: ({ joinedAt }) => instant(joinedAt),
    }),
    leftAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When they were last connected. Null: they are, or never were.',
      resolve: ({ leftAt }) => instant(leftAt),
    }),
    isPresent: t.boolean({ description: 'Whether they are connected now.', resolve: isPresent }),
    inPerson: t.exposeBoolean('inPerson', {
      description: 'Whether whoever runs a HYBRID meeting has noted that they are there in person.',
    }),
  }),
});

export const JoinTicketType = builder.objectRef<JoinTicket>('JoinTicket').implement({
  description:
    'With this the viewer, and nobody else, enters one room of the LiveKit server: `room.connect(url, token)` in LiveKit’s client ' +
    'libraries. One connection of a person is in a room: another device takes over.',
  fields: (t) => ({
    url: t.exposeString('url', { description: 'Where to connect: `wss://…`.' }),
    token: t.exposeString('token', { description: 'LiveKit’s access token. A secret: show and keep it nowhere.' }),
    identity: t.exposeString('identity', { description: 'Who the viewer is to others in the room.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'Until when it opens the door: five minutes. Who is in stays in, as long as they may be there and the session lasts that ' +
        'asked for it; join again for another.',
    }),
  }),
});
