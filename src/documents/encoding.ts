/** Of UTF-16, and of what is no text at all, NULs and other control characters tell. */
const unprintable = /[^\P{Cc}\t\n\r]/u;

/** What Windows-1251 has for the languages of the Balkans: it appears when MS-DOS text or damaged UTF-8 is read as such. */
const foreign = /[ЂЃѓЉЊЌЋЏђљњќћџЅѕЈј]/u;

/** The text of a file; `guessed` when only the lack of UTF-8 speaks for its encoding. Null when it is none that we read. */
export function decode(bytes: Uint8Array): { text: string; guessed: boolean } | null {
  const text = decodeAs('utf-8', bytes);
  if (text !== null) return unprintable.test(text) ? null : { text, guessed: false };
  const claimsUtf8 = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const guess = claimsUtf8 ? null : decodeAs('windows-1251', bytes);
  if (guess === null || unprintable.test(guess) || foreign.test(guess)) return null;
  return { text: guess, guessed: true };
}

function decodeAs(encoding: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
