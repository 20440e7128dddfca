import type { ObjectRef } from '@pothos/core';
import { encodeCursor } from '../log/cursor.ts';
import type { LoggedEvent } from '../log/history.ts';
import type { Delivery, Ending, Moment } from '../log/outlet.ts';
import type { Viewer } from '../viewer.ts';
import { builder, type Types } from './builder.ts';
import type { Batch, Context } from './context.ts';
import { globalId } from './ids.ts';

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
    reason: t.field({
      type: AccessEndedReason,
      description: 'Why the viewer may follow it no longer.',
      resolve: ({ reason }) => reason,
    }),
  }),
});

const ResyncRequired = builder.objectRef<Extract<Ending, { ending: 'RESYNC_REQUIRED' }>>('ResyncRequired').implement({
  description:
    'The only event of a subscription whose `after` is older than the retained log, or from before a restore: read the ' +
    'state anew, then follow from this event’s `cursor`.',
  interfaces: [LogEvent],
});

type Concern = 'ORGANIZATION' | 'PERSON';

const events = new Map<string, { type: EventRef; meaning: string; concerns: Concern }>();

type EventRef = ObjectRef<Types, LoggedEvent>;

/**
 * Declares the type as which events of some kinds appear in the API. `kinds` says what each means; where there are
 * several, the field `kind` tells them apart.
 */
export function liveEvent<Row>(
  name: string,
  options: {
    readonly kinds: Readonly<Record<string, string>>;
    readonly description: string;
    /** Whether it happens in an organization, or to a person alone. */
    readonly concerns: Concern;
    /** The field that shows what it happened to, as it is now. */
    readonly subject: {
      readonly name: string;
      readonly type: ObjectRef<Types, Row>;
      readonly by: Batch<string, Row | null>;
      /** Whether whoever looks may see it now: what was told once may be read again, by who has lost the right since. */
    } & (
      | { readonly canSee: (viewer: Viewer, row: Row) => boolean }
      | { readonly sees: (ctx: Context, row: Row) => Promise<boolean> }
    );
  },
): EventRef {
  const { kinds, description, subject, concerns } = options;
  const type = builder.objectRef<LoggedEvent>(name).implement({
    description,
    interfaces: [LogEvent],
    fields: (t) => ({
      occurredAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    }),
  });
  // `type` and `by` agree on the row, whatever it is; Pothos cannot say so for a type parameter.
  const subjectType = subject.type as ObjectRef<Types, object>;
  const by = subject.by as Batch<string, object | null>;
  const sees = async (ctx: Context, row: object): Promise<boolean> =>
    'sees' in subject ? subject.sees(ctx, row as Row) : ctx.sees(subject.canSee, row as Row);
  builder.objectField(type, subject.name, (t) =>
    t.field({
      type: subjectType,
      nullable: true,
      description: 'What it happened to, as it is now. Null: not for this viewer any more.',
      resolve: async ({ subjectId }, _args, ctx) => {
        const row = await ctx.loadExisting(by, subjectId);
        return (await sees(ctx, row)) ? row : null;
      },
    }),
  );
  builder.objectField(type, `${subject.name}Id`, (t) =>
    t.id({
      description: 'The id of what it happened to, also when it is not there, or not for this viewer, any more.',
      resolve: ({ subjectId }) => globalId(subject.type.name, subjectId),
    }),
  );
  for (const [kind, meaning] of Object.entries(kinds)) events.set(kind, { type, meaning, concerns });
  return type;
}

/** Names the kinds of all declared events in the API. Called once, when every domain has declared its own. */
export function nameEventKinds(): void {
  const values = [...events].map(([kind, { meaning }]): [string, { description: string }] => [
    kind,
    { description: meaning },
  ]);
  const EventKind = builder.enumType('EventKind', {
    description: 'What an event of the log tells.',
    values: Object.fromEntries(values),
  });
  builder.interfaceField(LogEvent, 'kind', (t) =>
    t.field({
      type: EventKind,
      nullable: true,
      description: 'What happened. Null: nothing, the subscription ends here.',
      resolve: (event) => ('ending' in event ? null : event.kind),
    }),
  );
}

/** The name of the type as which an event appears; null: none, it belongs to a version that this one does not know. */
export const eventTypeOf = (kind: string): string | null => events.get(kind)?.type.name ?? null;

/** The kinds that a type shows; without a type, all that there are. A newer version beside this one may tell of others. */
export function kindsOf(shown?: EventRef): ReadonlySet<string> {
  let kinds = kindSets.get(shown);
  if (!kinds) {
    kinds = new Set([...events].filter(([, { type }]) => !shown || type === shown).map(([kind]) => kind));
    kindSets.set(shown, kinds);
  }
  return kinds;
}

/** One set for all who follow the same. */
const kindSets = new Map<EventRef | undefined, ReadonlySet<string>>();

/** What a subscription may deliver: events of one type, of all that happens in organizations, or of everything; and its end. */
export function liveUnion(name: string, description: string, only?: EventRef | 'ORGANIZATION') {
  const members = () => {
    if (typeof only === 'object') return [only];
    const shown = [...events.values()].filter(({ concerns }) => !only || concerns === only);
    return new Set(shown.map(({ type }) => type));
  };
  return builder.unionType(name, {
    description,
    types: () => [...members(), AccessEnded, ResyncRequired],
    resolveType: (delivery) => {
      // The union's members are what `Delivery` is; Pothos sees their shapes joined.
      const event = delivery as Delivery;
      if ('ending' in event) return event.ending === 'ACCESS_ENDED' ? AccessEnded : ResyncRequired;
      return events.get(event.kind)?.type;
    },
  });
}

/** What a subscription delivers that is told beside the log, and its end. */
export function momentUnion<Told extends Moment>(name: string, description: string, type: ObjectRef<Types, Told>) {
  return builder.unionType(name, {
    description,
    types: [type, AccessEnded, ResyncRequired],
    resolveType: (delivery) => {
      const told = delivery as Told | Ending; // the union's members; Pothos sees their shapes joined
      if ('momentary' in told) return type;
      return told.ending === 'ACCESS_ENDED' ? AccessEnded : ResyncRequired;
    },
  });
}

/** The `after` of every subscription. */
export const afterDescription =
  'Follow exactly behind this place: first everything missed, then what happens. Without it: from now on. ' +
  'Too old a place is answered with ResyncRequired.';
