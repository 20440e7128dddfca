import { resolveCursorConnection } from '@pothos/plugin-relay';
import { and, asc, desc, gt, lt, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { InvalidInput } from '../errors.ts';
import { uuid } from './ids.ts';

/** The most items a page holds. */
export const pageCap = 100;
/** How many it holds unless told. */
export const defaultPage = 20;

export interface PageArguments {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

/** A page to read: newest first; `inverted` reads from the far end. Ids order by creation, so an id is a full cursor. */
export interface Page {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
  readonly inverted: boolean;
}

/**
 * A connection over rows that are ordered by id, or by what `cursorOf` says, newest first. `count` runs only when `totalCount`
 * is selected; `cursors` is what cursors look like. @throws InvalidInput for a page size outside 1…100 or a cursor that is not from here
 */
export async function connection<Row extends { id: string }>(
  args: PageArguments,
  read: (page: Page) => Promise<readonly Row[]>,
  count: () => Promise<number>,
  cursorOf: (row: Row) => string = ({ id }) => id,
  cursors: RegExp = uuid,
) {
  for (const field of ['first', 'last'] as const) {
    const size = args[field];
    if (size != null && (size < 1 || size > pageCap)) throw new InvalidInput(field, 'INVALID_PAGE', { max: pageCap });
  }
  for (const field of ['after', 'before'] as const) {
    const cursor = args[field];
    if (cursor && !cursors.test(cursor)) throw new InvalidInput(field, 'INVALID_CURSOR');
  }
  const page = await resolveCursorConnection<Promise<Row[]>>(
    { args, defaultSize: defaultPage, maxSize: pageCap, toCursor: cursorOf },
    async ({ before, after, limit, inverted }) => [...(await read({ before, after, limit, inverted }))],
  );
  return { ...page, totalCount: count };
}

/** The WHERE and ORDER BY of a page, on the id column. */
export function paged(id: AnyPgColumn, page: Page): { where: SQL | undefined; orderBy: SQL; limit: number } {
  return {
    where: and(page.after ? lt(id, page.after) : undefined, page.before ? gt(id, page.before) : undefined),
    orderBy: page.inverted ? asc(id) : desc(id),
    limit: page.limit,
  };
}
