/**
 * A process that is a crowd of devices: connects them, checks every delivery to every one of them, and can lose them all at
 * once. It runs nicer than the servers, so that on few cores it takes what they leave.
 */
import { setPriority } from 'node:os';
import { now } from '../clock.ts';
import { obey } from '../processes/orders.ts';
import { percentile } from '../statistics.ts';
import { Device, type Host } from './device.ts';
import { Gate } from './gate.ts';
import { Arrivals, Cursors } from './record.ts';
import { Stream, type Subscribing } from './stream.ts';
import { type Expected, judge, type Member, type Verdict } from './verdict.ts';

setPriority(10);

/** People who subscribe to the same. */
export interface Party extends Subscribing {
  readonly name: string;
  /** Asked in turn, one each connection. */
  readonly urls: readonly string[];
  readonly people: readonly { readonly token: string; readonly audiences: readonly string[] }[];
  /** How often each subscribes, on their one socket. */
  readonly times: number;
  /** Whether arrivals are kept, for latencies. */
  readonly timed: boolean;
}

interface Joined {
  readonly devices: readonly Device[];
  readonly members: readonly Member[];
  readonly arrivals: Arrivals | null;
}

export interface Latencies {
  readonly count: number;
  readonly first: number;
  readonly p50: number;
  readonly p99: number;
  readonly last: number;
}

const parties = new Map<string, Joined>();
const arrivalsOf = new Map<Device, Arrivals>();
const cursors = new Cursors();
const gate = new Gate(100);
let delivered = 0;
let misaddressed = 0;
let goal: { readonly deliveries: number; readonly reached: () => void } | null = null;
const losses: Record<string, number> = {};
const gaveUp: string[] = [];
/** Those who are on their way for the first time. */
const underway = new Set<Device>();
let allArrived: () => void = () => {};

function arrived(device: Device): void {
  underway.delete(device);
  if (underway.size === 0) allArrived();
}

const host: Host = {
  cursors,
  turn: () => gate.enter(),
  opened: arrived,
  delivered: (device, stream, text, cursor) => {
    const index = stream.take(text, cursor, cursors);
    delivered++;
    arrivalsOf.get(device)?.add(index, now());
    if (goal && delivered >= goal.deliveries) goal.reached();
  },
  misaddressed: () => {
    misaddressed++;
  },
  gaveUp: (device, why) => {
    gaveUp.push(why);
    arrived(device);
  },
  lost: (how) => {
    losses[how] = (losses[how] ?? 0) + 1;
  },
};

const partiesNamed = (name: string | null): Joined[] =>
  name === null ? [...parties.values()] : [parties.get(name)].filter((party) => party !== undefined);
const devicesOf = (name: string | null): Device[] => partiesNamed(name).flatMap(({ devices }) => devices);

const latenciesOf = (all: readonly number[]): Latencies => ({
  count: all.length,
  first: percentile(all, 0),
  p50: percentile(all, 0.5),
  p99: percentile(all, 0.99),
  last: percentile(all, 1),
});

const orders = {
  /** Connects and subscribes everybody; done when each has said so, or was turned away for good. */
  async join(party: Party): Promise<void> {
    const arrivals = party.timed ? new Arrivals() : null;
    const joining = party.people.map(({ token, audiences }) => {
      const streams = Array.from({ length: party.times }, () => new Stream(party));
      const device = new Device(party.urls, token, streams, host);
      if (arrivals) arrivalsOf.set(device, arrivals);
      return { device, members: streams.map((stream) => ({ audiences, stream })) };
    });
    const devices = joining.map(({ device }) => device);
    parties.set(party.name, { devices, members: joining.flatMap(({ members }) => members), arrivals });
    if (devices.length === 0) return;
    await new Promise<void>((resolve) => {
      allArrived = resolve;
      for (const device of devices) {
        underway.add(device);
        void device.arrive();
      }
    });
  },

  /** How many are not connected now, of a party or of all. */
  absent: (name: string | null): number => devicesOf(name).filter(({ state }) => state !== 'open').length,

  /** Waits until so many deliveries have come since the process began; false when they do not. */
  async reach(wanted: { deliveries: number; withinMs: number }): Promise<boolean> {
    if (delivered >= wanted.deliveries) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const patience = setTimeout(resolve, wanted.withinMs, false);
    goal = { deliveries: wanted.deliveries, reached: () => resolve(true) };
    const reached = await promise;
    goal = null;
    clearTimeout(patience);
    return reached;
  },

  /** How many deliveries have come since the process began. */
  delivered: (): number => delivered,

  /** How long after their publication some events arrived at a party, each given as its position and the time. */
  latencies({ party, published }: { party: string; published: readonly (readonly [number, number])[] }): Latencies {
    const arrivals = parties.get(party)?.arrivals;
    const indexes = cursors.indexesOf(published.map(([position]) => position));
    const all = published.flatMap(([, at], order) =>
      (arrivals?.of(indexes[order] ?? -1) ?? []).map((time) => time - at),
    );
    return latenciesOf(all);
  },

  /** How much later the same events came to one party than to another, to whom each comes once. */
  lag({ of, behind, positions }: { of: string; behind: string; positions: readonly number[] }): Latencies {
    const [late, early] = [parties.get(of)?.arrivals, parties.get(behind)?.arrivals];
    const lags = cursors.indexesOf(positions).flatMap((index) => {
      const [lateAt, earlyAt] = [late?.of(index)[0], early?.of(index)[0]];
      return lateAt === undefined || earlyAt === undefined ? [] : [lateAt - earlyAt];
    });
    return latenciesOf(lags);
  },

  /** What a party, or everybody, has heard beside what was to be heard. */
  judge({ party, expected }: { party: string | null; expected: Expected }): Verdict {
    const members = partiesNamed(party).flatMap(({ members }) => members);
    return { ...judge(members, expected, cursors), misaddressed, gaveUp: gaveUp.length };
  },

  /** How connections were lost, and why devices gave up. */
  losses: (): { losses: Readonly<Record<string, number>>; gaveUp: readonly string[] } => ({
    losses,
    gaveUp: [...new Set(gaveUp)],
  }),

  /** All connections are lost at once. */
  cut: (name: string | null): void => {
    for (const device of devicesOf(name)) device.cut();
  },

  pause: (name: string): void => {
    for (const device of devicesOf(name)) device.pause();
  },

  resume: (name: string): void => {
    for (const device of devicesOf(name)) device.resume();
  },

  /** Goes for good, and is forgotten. */
  leave: (name: string): void => {
    for (const device of devicesOf(name)) {
      device.leave();
      arrivalsOf.delete(device);
    }
    parties.delete(name);
  },
};

export type CrowdOrders = typeof orders;

obey(orders);
