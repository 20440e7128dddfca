import type { ObjectRef, SchemaTypes } from '@pothos/core';
import { encodeCursor } from '../log/cursor.ts';
import type { Ending } from '../log/follower.ts';
import type { LoggedEvent } from '../log/history.ts';
import { builder } from './builder.ts';
import type { Batch } from './context.ts';

/** What subscriptions deliver: events of the log, and at the end the reason for it. */
export type Delivery = LoggedEvent | Ending;

export const LogEvent = builder.interfaceRef<Delivery>('LogEvent').implement({
  description: 'What every subscription delivers has a place in the log.',
  fields: (t) => ({
    cursor: t.field({
      type: 'Cursor',
      description: 'The place of this event. Keep the latest one and pass it as `after` to go on exactly behind it.',
      resolve: (event, _args, ctx) => encodeCursor(ctx.services.hub.epoch, event.position),
    }),
  }),
});

const AccessEndedReason = builder.enumType('AccessEndedReason', {
  description: 'Why a subscription ended.',
  values: {
    MEMBERSHIP_CHANGED: { description: 'The viewer no longer belongs to those who may follow this.' },
    ORGANIZATION_SUSPENDED: { description: 'The organization was suspended by the platform’s operator.' },
    SIGNED_OUT: { description: 'The session was ended by its owner, here or on another device.' },
    SESSION_EXPIRED: { description: 'The session was not used for too long, or is too old: sign in again.' },
  } as const,
});

const AccessEnded = builder.objectRef<Extract<Ending, { ending: 'ACCESS_ENDED' }>>('AccessEnded').implement({
  description: 'The last event of a subscription whose viewer may follow it no longer. Nothing comes after it.',
  interfaces: [LogEvent],
  fields: (t) => ({
    reason: t.field({ type: AccessEndedReason, description: 'Why.', resolve: ({ reason }) => reason }),
  }),
});

const ResyncRequired = builder.objectRef<Extract<Ending, { ending: 'RESYNC_REQUIRED' }>>('ResyncRequired').implement({
  description:
    'The only event of a subscription whose `after` is older than the retained log, or from before a restore: read the ' +
    'state anew, then follow from this event’s `cursor`.',
  interfaces: [LogEvent],
});

const typeByKind = new Map<string, EventRef>();
type SchemaTypesOfBuilder = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer Types> ? Types : SchemaTypes;

type EventRef = ObjectRef<SchemaTypesOfBuilder, LoggedEvent>;

/**
 * Declares the type as which events of some kinds appear in the API. `kinds` says what each means; where there are
 * several, the type tells them apart by its field `change`.
 */
export function liveEvent<Row>(
  name: string,
  options: {
    readonly kinds: Readonly<Record<string, string>>;
    readonly description: string;
    /** The field that shows what it happened to, as it is now. */
    readonly subject: {
      readonly name: string;
      readonly type: ObjectRef<SchemaTypesOfBuilder, Row>;
      readonly by: Batch<string, Row | null>;
    };
  },
): EventRef {
  const { kinds, description, subject } = options;
  const type = builder.objectRef<LoggedEvent>(name).implement({
    description,
    interfaces: [LogEvent],
    fields: (t) => ({
      occurredAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    }),
  });
  // `type` and `by` agree on the row, whatever it is; Pothos cannot say so for a type parameter.
  const subjectType = subject.type as ObjectRef<SchemaTypesOfBuilder, object>;
  const by = subject.by as Batch<string, object | null>;
  builder.objectField(type, subject.name, (t) =>
    t.field({
      type: subjectType,
      description: 'What it happened to, as it is now.',
      resolve: ({ subjectId }, _args, ctx) => ctx.loadExisting(by, subjectId),
    }),
  );
  if (Object.keys(kinds).length > 1) {
    const values = Object.entries(kinds).map(([kind, description]) => [kind, { description }]);
    const change = builder.enumType(name.replace(/d$/, ''), {
      description: `What happened: see ${name}.`,
      values: Object.fromEntries(values) as Record<string, { description: string }>,
    });
    builder.objectField(type, 'change', (t) =>
      t.field({ type: change, description: 'What happened.', resolve: ({ kind }) => kind }),
    );
  }
  for (const kind of Object.keys(kinds)) typeByKind.set(kind, type);
  return type;
}

/** The kinds that these types show; of all types when none are given. */
export const kindsOf = (...types: readonly EventRef[]): ReadonlySet<string> =>
  new Set([...typeByKind].filter(([, type]) => types.length === 0 || types.includes(type)).map(([kind]) => kind));

/** What one subscription may deliver: events of these types (all when none are given), and the endings. */
export function liveUnion(name: string, description: string, ...types: readonly EventRef[]) {
  return builder.unionType(name, {
    description,
    types: () => [...(types.length > 0 ? types : new Set(typeByKind.values())), AccessEnded, ResyncRequired],
    resolveType: (delivery) => {
      // The union's members are what `Delivery` is; Pothos sees their shapes joined.
      const event = delivery as Delivery;
      if ('ending' in event) return event.ending === 'ACCESS_ENDED' ? AccessEnded : ResyncRequired;
      return typeByKind.get(event.kind);
    },
  });
}

/** The `after` of every subscription. */
export const afterDescription =
  'Follow exactly behind this place: first everything missed, then what happens. Without it: from now on. ' +
  'Too old a place is answered with ResyncRequired.';
