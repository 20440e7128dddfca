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
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (!issue) throw result.error;
  const field = issue.path.join('.') || 'input';
  throw new InvalidInput(field, (locale: Locale) => {
    const said = messages[locale].localeError(issue as z.core.$ZodRawIssue); // an issue is the raw issue plus its path
    return (typeof said === 'string' ? said : said?.message) ?? issue.message;
  });
}

/** A name or title: 1 to `max` characters after trimming, on one line. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u);

/** Free text: up to `max` characters after trimming; empty means none. */
export const prose = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .nullish()
    .transform((value) => value || null);

/** A client's key for one intended write: 8 to 100 printable characters. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{8,100}$/)
  .nullish()
  .transform((value) => value ?? null);

export const email = z
  .email()
  .max(254)
  .nullish()
  .transform((value) => value ?? null);

/** A person's name as Russian documents write it; the patronymic may be absent. */
export const personName = { familyName: line(100), givenName: line(100), patronymic: prose(100) };

/** The order (§2.1.1) by which the head decides: its number and its day. */
export const order = z.object({ number: line(50), date: z.iso.date() });
export type Order = z.output<typeof order>;

/**
 * A phone number in E.164; national Russian spelling is understood.
 * @throws InvalidInput
 */
export function phoneNumber(value: string, field = 'phone'): string {
  const parsed = value.length <= 32 ? parsePhoneNumberFromString(value, 'RU') : undefined;
  if (!parsed?.isValid() || parsed.ext) throw new InvalidInput(field, 'INVALID_PHONE');
  return parsed.number;
}
