import type { GroupRow } from '../groups/tables.ts';
import type { Viewer } from '../viewer.ts';
import type { MaterialRow } from './tables.ts';

type Place = Pick<GroupRow, 'organizationId' | 'id'>;

/** Reads a group's materials (§1.3): whoever leads, works in the group, learns there or has a child there. */
export const canReadMaterials = (viewer: Viewer, { organizationId, id }: Place): boolean =>
  viewer.leads(organizationId) || viewer.isOfGroup(id);

/** Adds, changes and removes a group's materials: its confirmed staff and administrators. */
export const canKeepMaterials = (viewer: Viewer, { organizationId, id }: Place): boolean =>
  viewer.administers(organizationId) || viewer.teaches(id);

/** Sees one, until it is removed. */
export const canReadMaterial = (
  viewer: Viewer,
  { organizationId, groupId, removedAt }: Pick<MaterialRow, 'organizationId' | 'groupId' | 'removedAt'>,
): boolean => removedAt === null && canReadMaterials(viewer, { organizationId, id: groupId });
