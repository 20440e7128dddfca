import { GraphQLError } from 'graphql';
import { isUnavailable } from '../database/failures.ts';
import {
  DomainError,
  Forbidden,
  InvalidInput,
  InvalidState,
  NotConfigured,
  NotFound,
  RateLimited,
  Unauthenticated,
} from '../errors.ts';
import { type Locale, text } from '../texts.ts';
import { builder } from './builder.ts';
import { maxBodyBytes } from './limits.ts';
import { operationNotFound, Refusal, Spoken } from './refusals.ts';

/** What every expected failure has in common. Programs read `__typename` and `code`, people read `message`. */
export const ErrorInterface = builder.interfaceRef<DomainError>('Error').implement({
  description: 'An expected failure. Programs read `__typename` and `code`; `message` is for people.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'Stable, in capitals: `NOT_FOUND`, `INVITE_EXHAUSTED`.' }),
    message: t.string({
      description:
        'One sentence for people, in the viewer’s language (or that of `Accept-Language`): Russian or English.',
      resolve: (error, _args, ctx) => error.messageIn(ctx.locale),
    }),
  }),
});

builder.objectType(NotFound, {
  name: 'NotFound',
  interfaces: [ErrorInterface],
  description: '`NOT_FOUND`: absent, or not for this viewer; the two cannot be told apart.',
});
builder.objectType(Forbidden, {
  name: 'Forbidden',
  interfaces: [ErrorInterface],
  description: '`FORBIDDEN`: the viewer sees the thing but may not do this. `message` says who may.',
});
builder.objectType(InvalidInput, {
  name: 'InvalidInput',
  interfaces: [ErrorInterface],
  description: '`INVALID_INPUT`: a value is not allowed; nothing was changed.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'The input’s field, dots between levels: `administrator.phone`.' }),
  }),
});
builder.objectType(InvalidState, {
  name: 'InvalidState',
  interfaces: [ErrorInterface],
  description: '`INVALID_STATE`: not possible in the state the thing is in; nothing was changed.',
  fields: (t) => ({ currentState: t.exposeString('state', { description: 'The state it is in.' }) }),
});
builder.objectType(NotConfigured, {
  name: 'NotConfigured',
  interfaces: [ErrorInterface],
  description:
    '`NOT_CONFIGURED`: this installation has no server for it; `message` says which. Whoever runs it can add one.',
});
builder.objectType(RateLimited, {
  name: 'RateLimited',
  interfaces: [ErrorInterface],
  description: '`RATE_LIMITED`: too often.',
  fields: (t) => ({ retryAt: t.expose('retryAt', { type: 'DateTime', description: 'When it is allowed again.' }) }),
});

/**
 * An error as it may leave the server: expected ones and refusals with their code, a library's in our words, a lost database as
 * UNAVAILABLE, everything else masked. `report` hears what was masked.
 */
export function presentError(error: unknown, locale: Locale, report: (error: unknown) => void): Spoken {
  if (error instanceof Spoken) return error;
  const given = error instanceof GraphQLError ? error : null;
  const cause = expectedIn(given ? given.originalError : error);
  const where = { nodes: given?.nodes, path: given?.path };
  if (cause instanceof DomainError) {
    const extensions = {
      code: cause.code,
      ...(cause instanceof InvalidInput ? { field: cause.field } : {}),
      ...(cause instanceof RateLimited ? { retryAt: cause.retryAt.toISOString(), http: { status: 429 } } : {}),
      ...(cause instanceof Unauthenticated ? { http: { status: 200 } } : {}),
    };
    return new Spoken(cause.messageIn(locale), { ...where, extensions });
  }
  if (cause instanceof Spoken) return new Spoken(cause.message, { ...where, extensions: cause.extensions });
  // Of the request, and by a library's words, which may repeat it.
  if (given && !given.path && (!cause || cause instanceof GraphQLError)) return misunderstood(given);
  report(cause);
  const code = isUnavailable(cause) ? 'UNAVAILABLE' : 'INTERNAL';
  return new Spoken(text(locale, code), {
    ...where,
    extensions: { code, ...(code === 'UNAVAILABLE' ? { http: { status: 503 } } : {}) },
  });
}

const kib = 1024;

/** What HTTP's status says of a request that Yoga refused. */
const misunderstandings: Readonly<Record<number, string>> = {
  405: 'A mutation comes by POST.',
  406: 'None of the accepted media types can be answered.',
  413: `A body may have ${maxBodyBytes / kib} KB.`,
};

function misunderstood({ extensions }: GraphQLError): Refusal {
  const { http } = extensions;
  if (extensions.code === 'OPERATION_RESOLUTION_FAILURE') return operationNotFound({ http });
  const status = typeof http === 'object' && http !== null && 'status' in http ? Number(http.status) : 400;
  const message = misunderstandings[status] ?? 'The request is not understood.';
  return new Refusal('BAD_REQUEST', message, { extensions: { http } });
}

/** The expected failure that a driver's error was thrown for, as where an operation has used up what it may take; else the error itself. */
function expectedIn(error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof DomainError) return cause;
  return error;
}
