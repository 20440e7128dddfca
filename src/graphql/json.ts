import { badRequest, type Refusal } from './refusals.ts';

/** Values, names and brackets in one request's JSON; long texts, like a roster in base64, count as one. */
const maxParts = 10_000;
const maxNesting = 32;

const quote = 0x22;
const backslash = 0x5c;

/**
 * JSON that a stranger sent. Its parts are counted before it is parsed, for parsing takes time and memory by their number, and what
 * comes after it even more.
 * @throws Refusal
 */
export function parseJson(text: string): unknown {
  const refused = immodest(text);
  if (refused) throw refused;
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest('The body is not JSON.');
  }
}

function immodest(text: string): Refusal | null {
  let parts = 0;
  let nesting = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      if (at < 0) return badRequest('The body is not JSON.');
    } else if (code === 0x7b || code === 0x5b) {
      if (++nesting > maxNesting) return badRequest(`JSON may be nested ${maxNesting} levels deep.`);
      parts++;
    } else if (code === 0x7d || code === 0x5d) {
      nesting--;
    } else if (code === 0x2c || code === 0x3a) {
      parts++;
    }
    if (parts > maxParts) return badRequest(`JSON may have ${maxParts} names and values.`);
  }
  return null;
}

/** Where the string ends that begins here; -1: nowhere. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}

/** A JSON object as a request brings it: `variables`, say. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
