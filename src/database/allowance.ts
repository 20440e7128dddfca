import { AsyncLocalStorage } from 'node:async_hooks';
import { OperationTooLarge } from '../errors.ts';
import type { Share } from './shares.ts';

/** What the database may do for one operation. */
export interface Budget {
  readonly statements: number;
  /** How long, all of its statements together. */
  readonly ms: number;
}

/** What one operation may take of the database, and whose share it is taken from. */
class Allowance {
  readonly share: Share;
  #statements: number;
  #ms: number;
  /** What goes on once it is over belongs to nobody. */
  isOver = false;

  constructor(share: Share, { statements, ms }: Budget) {
    this.share = share;
    this.#statements = statements;
    this.#ms = ms;
  }

  /** @throws OperationTooLarge once nothing is left */
  async send<Result>(statement: () => PromiseLike<Result>): Promise<Result> {
    if (--this.#statements < 0 || this.#ms <= 0) throw new OperationTooLarge();
    const began = performance.now();
    try {
      return await statement();
    } finally {
      const ms = performance.now() - began;
      this.#ms -= ms;
      this.share.chargeStatement(ms);
    }
  }
}

const current = new AsyncLocalStorage<Allowance>();

const allowance = (): Allowance | null => {
  const found = current.getStore();
  return found && !found.isOver ? found : null;
};

/** Does one operation's work: what it takes is counted, and limited. */
export function counted<Result>(share: Share, budget: Budget, work: () => Promise<Result>): Promise<Result> {
  const own = new Allowance(share, budget);
  return current.run(own, () =>
    share.operations.through(work).finally(() => {
      own.isOver = true;
    }),
  );
}

/** Does, or begins, what is done for everybody: no operation that happens to be the first to want it pays for it or ends it. */
export const forEverybody = <Result>(work: () => Result): Result => current.exit(work);

/** Takes note of what held the event loop for so long in the course of an operation. */
export const charge = (ms: number): void => allowance()?.share.charge(ms);

/** Sends a statement for the operation in whose course it is. @throws OperationTooLarge */
export function send<Result>(statement: () => PromiseLike<Result>): PromiseLike<Result> {
  const own = allowance();
  return own ? own.share.statements.through(() => own.send(statement)) : statement();
}

/** As {@link send}, within a transaction, which has its place among the person's statements already. */
export function sendWithin<Result>(statement: () => PromiseLike<Result>): PromiseLike<Result> {
  return allowance()?.send(statement) ?? statement();
}

/** Holds one place among the person's statements for a whole transaction. */
export function begin<Result>(transaction: () => Promise<Result>): Promise<Result> {
  return allowance()?.share.statements.through(transaction) ?? transaction();
}
