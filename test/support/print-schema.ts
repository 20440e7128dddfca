import { writeFileSync } from 'node:fs';
import { printSchema } from 'graphql';
import { schema } from '../../src/schema.ts';

/** The contract as the code prints it. */
export const printed = `${printSchema(schema)}\n`;

if (import.meta.main) writeFileSync(new URL('../../schema/schema.graphql', import.meta.url), printed);
