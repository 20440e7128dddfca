import { type SQL, sql } from 'drizzle-orm';

/**
 * The words that somebody seeks, as a tsquery. The Russian configuration takes words in Latin letters for English. In a database
 * whose locale is C only English letters would have a case, so it is taken off before, as it is in what is indexed.
 */
export const wordsSought = (search: SQL): SQL =>
  sql`websearch_to_tsquery('pg_catalog.russian', translate(lower(${search} collate "pg_c_utf8"), 'ё', 'е'))`;
