/** A server that tells a school's events to its members, whoever made it. */
import type { Expected } from '../load/verdict.ts';
import type { Server } from '../processes/server.ts';

export interface Published {
  /** When, by the bench's clock: for Homeroom when it was committed, for others before they were told. */
  readonly at: number;
  readonly count: number;
}

export interface Broadcaster extends AsyncDisposable {
  readonly server: Server;
  /** The id that all subscriptions must have, where one message goes to everybody. */
  readonly id: string | null;
  /** Sends events for all members; a burst is one transaction, or one turn. */
  publish(count: number): Promise<Published>;
  /** The places of the last events. */
  latest(count: number): Promise<number[]>;
  /** What was to be heard since it began. */
  expected(): Promise<Expected>;
}
