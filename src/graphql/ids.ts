import { encodeGlobalID } from '@pothos/plugin-relay';
import { NotFound } from '../errors.ts';

/** A row's id as Postgres writes it. */
export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The API's id of a row. */
export const globalId = encodeGlobalID;

/**
 * The row's id in a global id of this type.
 * @throws NotFound for anything else: an id that names nothing is like one that names nothing visible
 */
export function idOf(typename: string, id: string): string {
  const row = maybeIdOf(typename, id);
  if (row === null) throw new NotFound();
  return row;
}

/** The row's id in a global id of this type, or null. */
export function maybeIdOf(typename: string, id: string): string | null {
  const decoded = parseGlobalId(id);
  return decoded?.typename === typename ? decoded.id : null;
}

/** The id of no row: nothing is ever found by it. */
export const noRow = '00000000-0000-0000-0000-000000000000';

/** The row's id in a global id of this type, or of no row: for filters, where what names nothing finds nothing. */
export const idOrNone = (typename: string, id: string): string => maybeIdOf(typename, id) ?? noRow;

/** Type and row of a global id; null when it is not one. Nothing is thrown on the way: strangers send thousands that are none. */
export function parseGlobalId(id: string): { typename: string; id: string } | null {
  if (id.length > 200) return null;
  const text = Buffer.from(id, 'base64').toString();
  const colon = text.indexOf(':');
  const row = text.slice(colon + 1);
  return colon > 0 && uuid.test(row) ? { typename: text.slice(0, colon), id: row } : null;
}
