import { type Locale, type TextKey, type TextValues, text } from './texts.ts';

/** Something a person may run into and act on. Everything that is not one of these is masked before it leaves. */
export abstract class DomainError extends Error {
  abstract readonly code: string;
  readonly text: TextKey;
  readonly values: TextValues;

  constructor(key: TextKey, values: TextValues = {}) {
    super(text('en', key, values));
    this.name = new.target.name;
    this.text = key;
    this.values = values;
  }

  /** The message in the person's language. */
  messageIn(locale: Locale): string {
    return text(locale, this.text, this.values);
  }
}

/** Absent, or not for this viewer: the two cannot be told apart. */
export class NotFound extends DomainError {
  readonly code = 'NOT_FOUND';
  constructor() {
    super('NOT_FOUND');
  }
}

/** Seen, but not to be done by this viewer. */
export class Forbidden extends DomainError {
  readonly code = 'FORBIDDEN';
}

/** Nobody is signed in, or the session has ended. */
export class Unauthenticated extends DomainError {
  readonly code = 'UNAUTHENTICATED';
  constructor() {
    super('UNAUTHENTICATED');
  }
}

/** A value that is not allowed; `field` names it, `says` tells what is. */
export class InvalidInput extends DomainError {
  readonly code = 'INVALID_INPUT';
  readonly field: string;
  readonly #says: ((locale: Locale) => string) | null;

  constructor(field: string, says: TextKey | ((locale: Locale) => string), values: TextValues = {}) {
    super(typeof says === 'function' ? 'INVALID_STATE' : says, values);
    this.field = field;
    this.#says = typeof says === 'function' ? says : null;
    if (this.#says) this.message = this.#says('en');
  }

  override messageIn(locale: Locale): string {
    return this.#says ? this.#says(locale) : super.messageIn(locale);
  }
}

/** The thing is in a state that does not allow this; `state` is the one it is in. */
export class InvalidState extends DomainError {
  readonly code = 'INVALID_STATE';
  readonly state: string;
  constructor(state: string) {
    super('INVALID_STATE', { state });
    this.state = state;
  }
}

/** This installation has no server that could do it; the message says which is missing. */
export class NotConfigured extends DomainError {
  readonly code = 'NOT_CONFIGURED';
}

/** Too often; allowed again at `retryAt`. */
export class RateLimited extends DomainError {
  readonly code = 'RATE_LIMITED';
  readonly retryAt: Date;
  constructor(retryAt: Date) {
    super('RATE_LIMITED');
    this.retryAt = retryAt;
  }
}

/** One operation that asks for more than any may take. */
export class OperationTooLarge extends DomainError {
  readonly code = 'OPERATION_TOO_LARGE';
  constructor() {
    super('OPERATION_TOO_LARGE');
  }
}
