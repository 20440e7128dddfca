import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { NatsServers } from '../config-values.ts';
import { type Connection, rows } from '../database/connect.ts';
import type { Line, WakeUp } from './wake-up.ts';

const connectTimeoutMs = 2000;
const retryMs = 500;
/** Two unanswered ones end a connection. */
const pingMs = 5000;

/**
 * By NATS, which only forwards: for installations whose NOTIFY (a lock at each sequencing commit, every listener woken by
 * the one database) has become too much. Without its server events wait for the poll, and nothing fails.
 */
export async function throughNats(connection: Connection, servers: NatsServers, logger: Logger): Promise<WakeUp> {
  const lost = 'NATS is lost: events of other processes wait for the poll';
  const line = await lineThroughNats(connection, servers, logger, { lost });
  return {
    withPlaces: null,
    tell: (position) => void line.tell([String(position)]),
    hear: (onTold, onHearing) => line.hear((text) => onTold(Number(text)), onHearing),
  };
}

/** A connection of its own for each line; `name` tells it from the log's, `lost` is what an outage means. */
export async function lineThroughNats(
  connection: Connection,
  servers: NatsServers,
  logger: Logger,
  { name, lost }: { name?: string; lost: string },
): Promise<Line> {
  const subject = [await subjectOf(connection), ...(name ? [name] : [])].join('.');
  let link: NatsConnection | null = null;

  /** From one connection to its loss. Everything that is wrong is thrown: not reached, refused, lost. */
  const stay = async (stop: AbortSignal, onTold: (text: string) => void, onHearing: () => void): Promise<void> => {
    // Loaded on demand: most installations have no NATS.
    const { connect } = await import('@nats-io/transport-node');
    const opened = await connect({
      ...servers,
      name: 'homeroom',
      // What this process told it has read. And whoever lost the connection comes back here, not inside the client, which
      // would keep what is told meanwhile.
      noEcho: true,
      reconnect: false,
      timeout: connectTimeoutMs,
      pingInterval: pingMs,
    });
    const close = () => void opened.close();
    stop.addEventListener('abort', close);
    try {
      if (stop.aborted) return;
      const lasting = untilLost(opened);
      opened.subscribe(subject, {
        callback: (error, message) => {
          if (!error) onTold(message.string());
        },
      });
      // Nobody waits for this one; who may not publish is told so now.
      opened.publish(subject, '');
      await Promise.race([lasting, opened.flush().then(() => nextTurn())]);
      if (stop.aborted) return;
      link = opened;
      logger.debug({ server: opened.getServer() }, 'NATS answers');
      onHearing();
      await lasting;
    } finally {
      link = null;
      stop.removeEventListener('abort', close);
      await opened.close();
    }
  };

  return {
    tell: async (texts) => {
      // Closed already, and not yet heard of.
      if (link && !link.isClosed()) for (const text of texts) link.publish(subject, text);
    },
    hear: async (onTold, onHearing) => {
      const stop = new AbortController();
      const { signal } = stop;
      let warned = false;
      const staying = (async () => {
        while (!signal.aborted) {
          await stay(signal, onTold, () => {
            warned = false;
            onHearing();
          }).catch((error: unknown) => {
            if (!warned) logger.warn({ err: error }, lost);
            warned = true;
          });
          await sleep(retryMs, undefined, { signal }).catch(() => {});
        }
      })();
      return {
        [Symbol.asyncDispose]: async () => {
          stop.abort();
          // Who is just calling a server that does not answer finds out alone.
          if (link) await staying;
        },
      };
    },
  };
}

/** Several installations may share a server, and this one's database keeps its name through restarts and failovers. */
async function subjectOf({ db }: Connection): Promise<string> {
  const [database] = await rows<{ name: string }>(
    db,
    sql`select s.system_identifier || '.' || d.oid as name
      from pg_control_system() s, pg_database d where d.datname = current_database()`,
  );
  return `homeroom.${database?.name}`;
}

/** Settles with the connection: rejects with what the server refused, or with what ended it. */
async function untilLost(link: NatsConnection): Promise<void> {
  for await (const status of link.status()) if (status.type === 'error') throw status.error;
  const error = await link.closed();
  if (error) throw error;
}
