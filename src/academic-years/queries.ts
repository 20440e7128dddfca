import { listsOf } from '../graphql/batches.ts';
import { academicYearRollovers } from './tables.ts';

/** The years that have gone over in organizations; for whoever sees the whole structure. */
export const rolloversOf = listsOf(
  academicYearRollovers,
  academicYearRollovers.organizationId,
  (_filter: null) => undefined,
);
