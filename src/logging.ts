import { type Logger, pino } from 'pino';

/**
 * Structured logs, a JSON line each. They name operations and ids, never phones, names or contents. Lines are written some
 * at a time, at the latest after half a second and at the end: a write for each would cost as much as a small operation.
 */
export const createLogger = (level: string): Logger =>
  pino(
    { level, serializers: { err: withoutValues } },
    pino.destination({ sync: false, minLength: 4096, periodicFlush: 500 }),
  );

/**
 * An error as it may be logged. A failed statement's message carries its parameters, which are people's data: what stays
 * is the statement, and what the database said of it without the row it said it about.
 */
function withoutValues(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const { query } = error as { query?: string }; // Drizzle's errors have it
  return {
    type: error.name,
    message: query ? 'a statement failed' : error.message,
    ...(query ? { query } : {}),
    ...('code' in error ? { code: error.code } : {}),
    stack: query ? undefined : error.stack,
    ...(error.cause ? { cause: withoutValues(error.cause) } : {}),
  };
}
