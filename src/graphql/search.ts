import { z } from 'zod';
import { optionalLine, valid } from '../input.ts';

export const searchDescription =
  'Only those in which these words occur, in any form, Russian or English: up to 200 characters. `"in quotes"` in this order, ' +
  '`or`, and `-` before what must not occur.';

const searchable = z.object({ search: optionalLine(200) });

/** The words sought, or null. @throws InvalidInput */
export const sought = (search: string | null | undefined): string | null => valid(searchable, { search }).search;
