/** A process that runs the one writing statement of `joinBroadcast` for many people, through postgres.js and nothing else. */
import { fillPlaceholders, type SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import postgres from 'postgres';
import { joining } from '../../../src/broadcast-attendance/commands.ts';
import { obey } from '../processes/orders.ts';
import { type Done, inFlight } from './once.ts';

interface Attending {
  readonly databaseUrl: string;
  readonly connections: number;
  readonly atOnce: number;
  readonly broadcastId: string;
  readonly userIds: readonly string[];
  /** Whether each takes the broadcast's row for itself first, as one who counts the viewers in it would. */
  readonly locking: boolean;
}

const statement = new PgDialect().sqlToQuery(joining satisfies SQL);

const orders = {
  async attend({ databaseUrl, connections, atOnce, broadcastId, userIds, locking }: Attending): Promise<Done> {
    const sql = postgres(databaseUrl, { max: connections, fetch_types: false, onnotice: () => {} });
    const attend = async (by: postgres.ISql, userId: string) => {
      // Boundary: Drizzle's parameters are unknown; these are texts.
      const values = fillPlaceholders(statement.params, { broadcastId, userId }) as string[];
      const joined = await by.unsafe(statement.sql, values, { prepare: true });
      if (joined.length !== 1) throw new Error('the statement answered no row');
    };
    try {
      return await inFlight(userIds, Array(atOnce).fill(sql), async (_, userId) => {
        if (!locking) return attend(sql, userId);
        await sql.begin(async (tx) => {
          await tx`select id from broadcasts where id = ${broadcastId} for update`;
          await attend(tx, userId);
        });
      });
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
};

export type AttenderOrders = typeof orders;

obey(orders);
