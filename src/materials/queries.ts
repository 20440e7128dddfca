import { and, isNull, or } from 'drizzle-orm';
import { contains } from '../database/contains.ts';
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

/** The materials of groups that are there: `canReadMaterial`, for a list. */
export const materialsOf = listsOf(
  materials,
  materials.groupId,
  ({ search }: MaterialFilter, viewer) =>
    and(
      isNull(materials.removedAt),
      search ? contains(materials.title, search) : undefined,
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
