/** How long a caller waits for one statement, in milliseconds, counting the wait for a free connection. */
export const statementDeadline = 10_000;

/** The database did not answer within {@link statementDeadline}; whether the statement took effect is unknown. */
export class DeadlineExceeded extends Error {
  readonly code = 'DEADLINE_EXCEEDED';

  constructor() {
    super(`The database did not answer within ${statementDeadline / 1000} seconds.`);
    this.name = 'DeadlineExceeded';
  }
}

/**
 * Settles as `work` does, or rejects with {@link DeadlineExceeded}. `abandon` then releases what `work` holds; the
 * answer, should it still come, is dropped.
 */
export function withDeadline<T>(work: PromiseLike<T>, abandon: () => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new DeadlineExceeded());
      abandon();
    }, statementDeadline);
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

const constraintViolations = new Set(['23503', '23505', '23514', '23P01']);

/**
 * The name of the constraint that refused a statement, or null when the error is anything but a violated foreign key,
 * unique, check or exclusion constraint.
 */
export function constraintOf(error: unknown): string | null {
  for (const cause of causes(error)) {
    if (!constraintViolations.has(codeOf(cause))) continue;
    // postgres.js and PGlite name the same protocol field differently.
    if ('constraint_name' in cause && typeof cause.constraint_name === 'string') return cause.constraint_name;
    if ('constraint' in cause && typeof cause.constraint === 'string') return cause.constraint;
  }
  return null;
}

const unavailable = new Set([
  'DEADLINE_EXCEEDED',
  // postgres.js
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'ANSWER_TIMEOUT',
  // sockets and name resolution; ENOENT is a Unix socket that is not there yet
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  // Postgres: idle in a transaction, transaction, statement and lock timeouts; shutdown, crash, starting up
  '25P03',
  '25P04',
  // Postgres: gave way to another transaction, again and again
  '40001',
  '40P01',
  '55P03',
  '57014',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
]);

/**
 * Whether the database could not be asked or did not answer in time: trying again later may succeed. A write that failed
 * so may nevertheless have been committed.
 */
export function isUnavailable(error: unknown): boolean {
  // Class 08 is connection exceptions, class 53 exhausted resources (connections, memory, disk).
  return causes(error).some((cause) => unavailable.has(codeOf(cause)) || /^(08|53)[0-9A-Z]{3}$/.test(codeOf(cause)));
}

/** The SQLSTATE or system code of an error or of the first of its causes that has one; '' without any. */
export function errorCode(error: unknown): string {
  return causes(error).map(codeOf).find(Boolean) ?? '';
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Drizzle wraps what a driver throws and keeps the original as `cause`. */
function causes(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error && chain.length < 5; cause = cause.cause) chain.push(cause);
  return chain;
}
