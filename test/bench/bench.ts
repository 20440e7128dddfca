/** What all scenarios share: one seeded database, one real message, and how to start those that are compared. */
import WebSocket from 'ws';
import { operation } from '../support/operations.ts';
import type { Broadcaster } from './contestants/broadcaster.ts';
import { Contestant } from './contestants/contestant.ts';
import { Homeroom } from './contestants/homeroom.ts';
import { following } from './contestants/parties.ts';
import { Peer, type PeerName } from './contestants/peer.ts';
import type { Sample } from './peers/orders.ts';
import { type BenchDatabase, startDatabase } from './school/database.ts';
import { SchoolLog } from './school/log.ts';
import { type School, seedSchool } from './school/seed.ts';

export type Name = 'homeroom' | PeerName;
export const everybody: readonly Name[] = ['homeroom', 'bare', 'stock', 'mercurius'];

/** Members of the second school who try to follow the first. */
export const intruders = 5;
const strangersOf = (size: number): number => Math.max(5, Math.ceil(size / 100));

export class Bench implements AsyncDisposable {
  readonly database: BenchDatabase;
  readonly school: School;
  /** A second school, whose people are to hear nothing of the first. */
  readonly neighbour: School;
  readonly log: SchoolLog;
  readonly rounds: number;
  readonly #sample: Sample;

  private constructor(rounds: number, database: BenchDatabase, school: School, neighbour: School, sample: Sample) {
    this.rounds = rounds;
    this.database = database;
    this.school = school;
    this.neighbour = neighbour;
    this.log = new SchoolLog(database, school);
    this.#sample = sample;
  }

  /** Seeds schools for scenarios of up to so many people. */
  static async open(people: number, rounds: number): Promise<Bench> {
    const database = await startDatabase();
    try {
      const { connection, sql } = database;
      const school = await seedSchool(connection, sql, 'School 1', people);
      const neighbour = await seedSchool(connection, sql, 'School 2', strangersOf(people) + intruders);
      const sample = await takeSample(database.url, new SchoolLog(database, school));
      return new Bench(rounds, database, school, neighbour, sample);
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a server, and a crowd that follows nothing yet. */
  async contestant(name: Name): Promise<Contestant> {
    return new Contestant(name, await this.#broadcaster(name));
  }

  async #broadcaster(name: Name): Promise<Broadcaster> {
    if (name === 'homeroom') return Homeroom.start(this.database.url, this.log);
    return Peer.start(name, this.school, this.#sample);
  }

  /** Fills a contestant's crowd; among Homeroom's are strangers who follow their own school, and some who try this one. */
  async fill(contestant: Contestant, size: number): Promise<void> {
    await contestant.join(this.school, size);
    if (contestant.name === 'homeroom') await this.addStrangers(contestant, size);
  }

  async addStrangers(contestant: Contestant, size: number): Promise<void> {
    const urls = [contestant.server.url];
    const strangers = this.neighbour.people.slice(intruders, intruders + strangersOf(size));
    await contestant.enter(following('strangers', this.neighbour, strangers, { urls }));
    const intruding = this.neighbour.people.slice(0, intruders);
    await contestant.enter(following('intruders', this.school, intruding, { urls, allowed: false }));
    // So that what they were not to hear is not all they could have heard.
    await new SchoolLog(this.database, this.neighbour).publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.database[Symbol.asyncDispose]();
  }
}

/** Follows the school for one event, and keeps the message as it came. */
async function takeSample(databaseUrl: string, log: SchoolLog): Promise<Sample> {
  await using homeroom = await Homeroom.start(databaseUrl, log);
  return await sampleOf(homeroom, log.school, operation('OrganizationEvents'));
}

/** Follows a server of the school's by a subscription for one event, and keeps the message as it came. */
export async function sampleOf(broadcaster: Broadcaster, school: School, query: string): Promise<Sample> {
  const id = crypto.randomUUID();
  const socket = new WebSocket(broadcaster.server.url.replace('http', 'ws'), 'graphql-transport-ws');
  const say = (message: object) => socket.send(JSON.stringify(message));
  const text = await new Promise<string>((resolve, reject) => {
    const payload = { query, variables: { organizationId: school.id } };
    socket.on('error', reject);
    socket.on('open', () => {
      say({ type: 'connection_init', payload: { authorization: `Bearer ${school.people[0]?.token}` } });
    });
    socket.on('message', async (data) => {
      const { type } = JSON.parse(String(data));
      if (type === 'next') resolve(String(data));
      else if (type === 'connection_ack') {
        say({ id, type: 'subscribe', payload });
        await broadcaster.server.untilAtRest();
        await broadcaster.publish(1);
      } else if (type === 'error') reject(new Error(String(data)));
    });
  });
  socket.terminate();
  const [event] = Object.values<Sample['event'] & { readonly cursor: string }>(JSON.parse(text).payload.data);
  if (!event) throw new Error('a delivery holds nothing');
  return { text, id, cursor: event.cursor, event };
}
