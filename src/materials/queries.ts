import { and, ilike, isNull, or, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { filesAsJson, type ShownFile } from '../files/queries.ts';
import { anyOf, byId, listsOf } from '../graphql/batches.ts';
import { type MaterialRow, materials } from './tables.ts';

/** A material with its file, read in one statement; a removed one has none. */
export type Material = MaterialRow & { readonly files: readonly ShownFile[] };

const more = { files: filesAsJson(materials).as('files') };

export const materialById = byId(materials, more);

export interface MaterialFilter {
  readonly search: string | null;
}

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&');

/** In a database whose locale is C, only English letters would have a case. */
const caseKnown = (text: SQLWrapper): SQL => sql`${text} collate pg_c_utf8`;

/** The materials of groups that are there: `canReadMaterial`, for a list. */
export const materialsOf = listsOf(
  materials,
  materials.groupId,
  ({ search }: MaterialFilter, viewer) =>
    and(
      isNull(materials.removedAt),
      search ? ilike(caseKnown(materials.title), `%${escaped(search)}%`) : undefined,
      or(
        anyOf(
          materials.organizationId,
          viewer.organizationsWhere((id) => viewer.leads(id)),
        ),
        anyOf(materials.groupId, viewer.groups),
      ),
    ),
  more,
);
