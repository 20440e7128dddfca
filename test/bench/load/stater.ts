/** A process that runs the one statement of `sendMessage` in a loop, through postgres.js and nothing else. */
import { fillPlaceholders } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import { arrayLiteral } from '../../../src/database/arrays.ts';
import { sending } from '../../../src/sending/commands.ts';
import { obey } from '../processes/orders.ts';
import { type Talk, type Told, talk, textOf } from './talk.ts';

interface Stating extends Talk<{ readonly userId: string; readonly sessionId: string }> {
  readonly databaseUrl: string;
  readonly connections: number;
}

const statement = new PgDialect().sqlToQuery(sending(true));
/** What a message of plain text leaves out. */
const plain = {
  fileIds: [],
  replyToId: null,
  mentionedIds: [],
  priority: 'NORMAL',
  acknowledgementRequired: false,
  capacity: null,
};

const orders = {
  async state({ databaseUrl, connections, ...course }: Stating): Promise<Told> {
    const sql = postgres(databaseUrl, { max: connections, fetch_types: false, onnotice: () => {} });
    try {
      return await talk(course, async ({ userId, sessionId }, chatId, clientMessageId) => {
        const said = { ...plain, text: textOf(clientMessageId), clientMessageId, chatId, userId, sessionId };
        const values = fillPlaceholders(statement.params, said).map((value) =>
          Array.isArray(value) ? arrayLiteral(value) : value,
        );
        // Boundary: Drizzle's parameters are unknown; these are texts, arrays' texts, booleans and nulls.
        const [sent] = await sql.unsafe(statement.sql, values as (string | boolean | null)[], { prepare: true });
        if (!sent) throw new Error('the statement answered no row');
        return Number(sent.number);
      });
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
};

export type StaterOrders = typeof orders;

obey(orders);
