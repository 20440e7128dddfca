import { builder } from './builder.ts';
import { Refusal } from './refusals.ts';

const refuse = (what: string) => {
  throw new Refusal('BAD_USER_INPUT', what);
};

builder.scalarType('DateTime', {
  description:
    'An instant in UTC, ISO 8601 with milliseconds: `2026-09-01T06:30:00.000Z`. Any offset is accepted as input.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const valid =
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(value);
    const instant = new Date(valid ? String(value) : Number.NaN);
    const year = instant.getUTCFullYear();
    return Number.isNaN(year) || year < 1900 || year > 2199
      ? refuse('A DateTime is an ISO 8601 instant with an offset, of the years 1900 to 2199.')
      : instant;
  },
});

builder.scalarType('Date', {
  description: 'A calendar day without a time: `2026-09-01`.',
  serialize: (value) => value,
  parseValue: (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))
      ? value
      : refuse('A Date is a calendar day, year-month-day.'),
});

builder.scalarType('Cursor', {
  description:
    'A place in the log of events. Opaque; one works for every subscription’s `after`. It stays good for as long as the ' +
    'log is retained (7 days by default).',
  serialize: (value) => value,
  parseValue: (value) => (typeof value === 'string' ? value : refuse('A Cursor is a text that this server gave.')),
});

builder.scalarType('JSON', {
  description: 'A JSON object, as in the audit log’s before and after.',
  serialize: (value) => value,
  parseValue: () => refuse('JSON is never input.'),
});

builder.scalarType('Base64', {
  description: 'Bytes in base64 (RFC 4648: `+` and `/`, padded with `=`, no line breaks).',
  serialize: (value) => Buffer.from(value).toString('base64'),
  parseValue: (value) =>
    typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
      ? Buffer.from(value, 'base64')
      : refuse('A Base64 is a text of A-Z, a-z, 0-9, + and /, padded with =.'),
});
