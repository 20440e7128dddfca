/** What the bench tells the servers that Homeroom is compared with, and what all of them start from. */
import { readFileSync } from 'node:fs';

/** A real message of Homeroom's, as it stood on the wire. The others send the same bytes, but for the cursor. */
export interface Sample {
  readonly text: string;
  readonly id: string;
  readonly cursor: string;
  readonly event: Readonly<Record<string, unknown>>;
}

export type PeerOrders = {
  /** Who may come: tokens of members of the one school. */
  admit(tokens: readonly string[]): void;
  learn(sample: Sample): void;
  /** Sends an event to everybody for each cursor, all in one turn. */
  publish(cursors: readonly string[]): void;
};

export const port = Number(process.env.PORT);
export const hostname = process.env.HOST;

/** Homeroom's own schema: the same document is the same work. */
export const typeDefs = (): string => readFileSync(new URL('../../../schema/schema.graphql', import.meta.url), 'utf8');

/** The token in what a client connects with. */
export const tokenIn = (params: Readonly<Record<string, unknown>> | undefined): string =>
  String(params?.authorization).replace(/^Bearer /, '');
