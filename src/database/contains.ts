import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

/** Whether what somebody seeks occurs in a text, in whatever case; all of its characters stand for themselves. */
export const contains = (text: SQLWrapper, sought: string): SQL =>
  // In a database whose locale is C, only English letters would have a case.
  sql`${text} collate pg_c_utf8 ilike ${`%${sought.replace(/[\\%_]/g, '\\$&')}%`}`;
