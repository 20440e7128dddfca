export const refusals = [
  'EMPTY',
  'TYPE_NOT_ALLOWED',
  'CONTENT_MISMATCH',
  'ARCHIVE_TOO_LARGE',
  'IMAGE_TOO_LARGE',
  'UNREADABLE',
] as const;

/**
 * Why a file is not taken. `CONTENT_MISMATCH`: its name promises another type than its content is. `ARCHIVE_TOO_LARGE`: unpacked,
 * or by its number of entries. `UNREADABLE`: damaged, protected by a password, or more than the limits of time and memory allow.
 */
export type Refusal = (typeof refusals)[number];

/** A file is not taken; when reading it failed, `cause` tells operators how. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal, options);
    this.name = new.target.name;
    this.refusal = refusal;
  }
}
