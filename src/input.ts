import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { z } from 'zod';
import { InvalidInput } from './errors.ts';
import type { Locale } from './texts.ts';

const messages = { ru: z.locales.ru(), en: z.locales.en() };

/**
 * The input, checked and normalized by a schema.
 * @throws InvalidInput naming the first field that is wrong
 */
export function valid<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (!issue) throw result.error;
  const field = issue.path.join('.') || 'input';
  throw new InvalidInput(field, (locale: Locale) => {
    const said = messages[locale].localeError(issue as z.core.$ZodRawIssue); // an issue is the raw issue plus its path
    return (typeof said === 'string' ? said : said?.message) ?? issue.message;
  });
}

/** What Postgres and JSON can keep: no NUL, no half of a surrogate pair. */
const keepable = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

/** Up to `max` characters after trimming; of a longer text nothing else is looked at, which would take its time. */
const bounded = (max: number) => z.string().trim().max(max, { abort: true });

/** A name or title: 1 to `max` characters after trimming, on one line, with a letter or digit, without hidden characters. */
export const line = (max: number) =>
  bounded(max)
    .min(1)
    .refine(keepable)
    .regex(/^(?=.*[\p{L}\p{N}])[^\p{Cc}\p{Cf}]*$/u);

/** The same, or nothing. */
export const optionalLine = (max: number) =>
  z
    .preprocess((value) => (typeof value === 'string' && value.trim() === '' ? null : value), line(max).nullish())
    .transform((value) => value ?? null);

/** Something that can be seen: a text of nothing but hidden characters says nothing. */
const visible = /[^\s\p{Cf}\p{Zs}]/u;

/** Free text: up to `max` characters after trimming, new lines and tabs among them; empty to the eye means none. */
export const prose = (max: number) =>
  bounded(max)
    .refine(keepable)
    .regex(/^(?:[^\p{Cc}]|[\n\r\t])*$/u)
    .nullish()
    .transform((value) => (value && visible.test(value) ? value : null));

/** The same, and it must be there. */
export const requiredProse = (max: number) =>
  prose(max).transform((value, ctx) => {
    if (!value) ctx.addIssue({ code: 'too_small', minimum: 1, origin: 'string', inclusive: true, input: value });
    return value ?? '';
  });

/** A client's key for one intended write: 8 to 100 printable characters. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{8,100}$/)
  .nullish()
  .transform((value) => value ?? null);

export const email = z
  .string()
  .max(254, { abort: true })
  .pipe(z.email())
  .nullish()
  .transform((value) => value ?? null);

/** Asked of what is no address at all, too: Zod goes on after a check that has failed. */
function isBare(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && !url.username && !url.password;
}

/** An https address without a name or password in it, in its canonical form. */
export const httpsUrl = z
  .string()
  .max(500, { abort: true })
  .pipe(z.url({ protocol: /^https$/, hostname: z.regexes.domain }).refine(isBare))
  .nullish()
  .transform((value) => (value ? new URL(value).href : null));

/** A person's name as Russian documents write it; the patronymic may be absent. */
export const personName = { familyName: line(100), givenName: line(100), patronymic: optionalLine(100) };

/** A day of the calendar, `2026-09-01`. */
export const day = z.iso.date().refine((value) => value >= '1900' && value < '2200');

/** @throws InvalidInput unless the moment lies in the coming year, where one is given */
export function demandComingYear(field: string, at: Date | null | undefined): void {
  const ahead = at ? at.getTime() - Date.now() : 1;
  if (ahead <= 0 || ahead > 365 * 86_400_000) throw new InvalidInput(field, 'INVALID_FUTURE');
}

/** A time of day, `21:30`. */
export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);

/** An academic year, `2026/27`. */
export const academicYear = z
  .string()
  .regex(/^20\d\d\/\d\d$/)
  .refine((value) => (Number(value.slice(2, 4)) + 1) % 100 === Number(value.slice(5)));

/** The order (§2.1.1) by which the head decides: its number and its day. */
export const order = z.object({ number: line(50), date: day });
export type Order = z.output<typeof order>;

/** Those that a person can have with them; not premium, satellite or freephone numbers, which cost or reach nobody. */
const mobile = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE']);

/**
 * A mobile phone number in E.164; national Russian spelling is understood.
 * @throws InvalidInput
 */
export function phoneNumber(value: string, field = 'phone'): string {
  const parsed = value.length <= 32 ? parsePhoneNumberFromString(value, 'RU') : undefined;
  if (!parsed?.isValid() || parsed.ext || parsed.isNonGeographic() || !mobile.has(parsed.getType() ?? ''))
    throw new InvalidInput(field, 'INVALID_PHONE');
  return parsed.number;
}
