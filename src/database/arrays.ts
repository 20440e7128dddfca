/**
 * An array parameter in Postgres' own notation, `{"a",null,"b"}`, which the server reads as whatever array type the
 * statement asks for. The drivers' encodings need that type first, and so another round trip.
 */
export function arrayLiteral(elements: readonly unknown[]): string {
  return `{${elements.map(element).join(',')}}`;
}

function element(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return arrayLiteral(value);
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (value instanceof Uint8Array) return `"\\\\x${Buffer.from(value).toString('hex')}"`;
  return `"${String(value).replace(/["\\]/g, '\\$&')}"`;
}

/** Reads what {@link arrayLiteral} writes, of one dimension. */
export function arrayParser<T>(parse: (text: string) => T): (literal: string) => (T | null)[] {
  return (literal) =>
    Array.from(literal.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs), ([, quoted, bare]) => {
      if (quoted !== undefined) return parse(quoted.replace(/\\(.)/gs, '$1'));
      return bare === undefined || bare === 'NULL' ? null : parse(bare);
    });
}
