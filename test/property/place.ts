import { type DocumentNode, execute } from 'graphql';
import { expect } from 'vitest';
import { checkAudiences, viewerOf } from '../../src/audiences/queries.ts';
import { type Database, rows } from '../../src/database/connect.ts';
import { DomainError } from '../../src/errors.ts';
import { type Services, ViewerContext } from '../../src/graphql/context.ts';
import { globalId } from '../../src/graphql/ids.ts';
import { schema } from '../../src/schema.ts';
import type { Json } from '../support/client.ts';
import { type Deed, pick } from './deeds.ts';
import { type Facts, factsOf, known, labelling, operatorIn, storedMembers, written } from './facts.ts';
import type { Child, Group, Membership, School, Somebody } from './model.ts';
import * as model from './model.ts';
import { allowed, asking, byIds, everything, shownTo, thingsOf } from './sights.ts';
import type { Channel, Post } from './telling.ts';
import { meanings, type Wish } from './wishes.ts';

/** A run: the world as the model has it, and the database where the same happens. */
export class Place {
  readonly db: Database;
  readonly world: model.World;
  #facts: Facts | null = null;

  constructor(db: Database, world: model.World) {
    this.db = db;
    this.world = world;
  }

  /** The first school; the second is there to be mixed up with it. */
  get school(): School {
    return pick(this.world.schools, 0);
  }

  actor({ by }: Wish): Somebody {
    const administrator = this.world.people.find((person) => model.administers(this.school, person));
    return by === 0 && administrator ? administrator : pick(this.world.people, by);
  }

  governor({ by }: Wish): Somebody {
    return by === 0 ? operatorIn(this.world) : pick(this.world.people, by);
  }

  group = (index: number): Group =>
    pick(
      this.world.schools.flatMap(({ groups }) => groups),
      index,
    );
  child = (index: number): Child =>
    pick(
      this.world.schools.flatMap(({ children }) => children),
      index,
    );
  membership = (index: number): Membership =>
    pick(
      this.world.schools.flatMap(({ memberships }) => memberships),
      index,
    );

  channel = (index: number): Channel =>
    pick(
      this.world.schools.flatMap(({ channels }) => channels),
      index,
    );
  post = (index: number): Post =>
    pick(
      this.world.schools.flatMap(({ posts }) => posts),
      index,
    );

  /** Who wrote a post, as often as not. */
  writer(wish: Wish): Somebody {
    return wish.how % 2 ? this.post(wish.one).author : this.actor(wish);
  }

  /** What was written down when it was last read. */
  get facts(): Facts {
    if (!this.#facts) throw new Error('nothing has been read yet');
    return this.#facts;
  }

  factOf(kind: 'links' | 'assignments' | 'plans', index: number): string {
    return this.facts[kind].filter(({ organizationId }) => organizationId === this.school.id)[index]?.id ?? '';
  }

  factsOf({ id }: Membership): Facts['memberships'][number] {
    const found = this.facts.memberships.find((fact) => fact.id === id);
    if (!found) throw new Error('a membership is missing');
    return found;
  }

  async grant(wish: Wish, at: number): Promise<void> {
    const deed = meanings[wish.what]?.(this, wish);
    if (!deed) return;
    const when = `${at}. ${wish.what}`;
    await this.perform(deed, when);
    await this.check(when);
    const person = pick(this.world.people, wish.looks);
    if (wish.how % 3 === 0) await this.look(person, when);
    if (wish.how % 3 === 1) await this.lookUp(person, when);
  }

  /** Does a deed; what comes of it must be what the model says. */
  async perform({ expected, done }: Deed, when: string): Promise<void> {
    const [said, found] = [await outcome(async () => expected()), await outcome(() => done(this.db))];
    expect(`${when}: ${found.code}`).toBe(`${when}: ${said.code}`);
    const made = found.value as Json;
    if (said.value instanceof Object) Object.assign(said.value, { id: made.invite?.id ?? made.id, code: made.code });
    await this.learn();
  }

  /** Reads what is written down, and lets the model know the ids that it could not know. */
  async learn(): Promise<void> {
    const [found] = await rows<{ facts: Facts }>(this.db, factsOf(this.world));
    if (!found) throw new Error('there are no facts');
    this.#facts = found.facts;
    for (const school of this.world.schools) {
      const unknown = Map.groupBy(school.memberships, ({ person, role }) => `${person.userId} ${role}`);
      for (const { id, organizationId, userId, role } of found.facts.memberships) {
        const next = organizationId === school.id ? unknown.get(`${userId} ${role}`)?.shift() : undefined;
        if (next) next.id = id;
      }
      for (const { id, organizationId, kind, groupId } of found.facts.channels) {
        const here = school.channels.find((each) => each.kind === kind && (each.group?.id ?? null) === groupId);
        if (here && organizationId === school.id) here.id = id;
      }
      for (const belonging of model.audiencesOf(school)) school.once.add(JSON.stringify(belonging));
    }
  }

  async check(when: string): Promise<void> {
    const label = labelling(this.world);
    expectSame(when, written(this.facts, label), known(this.world, label));
    expectSame(when, await checkAudiences(this.db), []);
    const stored = await rows<model.Belonging>(this.db, storedMembers(this.world));
    const said = ({ kind, subjectId, userId, capacity }: model.Belonging) =>
      `${label(userId)} ${kind} ${subjectId ? label(subjectId) : ''} ${capacity}`;
    const right = this.world.schools.flatMap((school) => model.audiencesOf(school));
    expectSame(when, stored.map(said).sort(), right.map(said).sort());
  }

  /** Asks the API as somebody who knows the id of everything. */
  async lookUp(person: Somebody, when: string): Promise<void> {
    const label = labelling(this.world);
    const things = thingsOf(this.world, this.facts);
    const ids = things.map(({ id }) => id);
    const shown = await this.#ask(person, byIds, {
      ids: ids.slice(0, 100),
      more: ids.slice(100, 200),
      last: ids.slice(200),
    });
    const seen = [...shown.nodes, ...shown.more, ...shown.last].flatMap((node: Json) => (node ? [node.id] : []));
    const visible = things.filter(({ seenBy }) => seenBy(person)).map(({ id }) => id);
    expectSame(`${when}, ${person.name} looks up`, seen.map(label).sort(), visible.map(label).sort());
  }

  /** Asks the API as somebody who reads every list. */
  async look(person: Somebody, when: string): Promise<void> {
    const label = labelling(this.world);
    const shown = await this.#ask(person, everything, { id: globalId('Organization', this.school.id) });
    const right = allowed(this.world, thingsOf(this.world, this.facts), person, label);
    expectSame(`${when}, ${person.name} looks`, shownTo(shown, label), right);
  }

  async #ask(person: Somebody, document: DocumentNode, variableValues: Record<string, unknown>): Promise<Json> {
    const services = { db: this.db } as Services; // nothing that is asked for needs more
    const contextValue = new ViewerContext(services, asking, await viewerOf(this.db, person.userId));
    const { data, errors } = await execute({ schema, document, variableValues, contextValue });
    if (errors) throw errors[0]?.originalError ?? errors[0];
    return data;
  }
}

/** What came of it: its value, or the code of what is in the way. */
async function outcome<Value>(work: () => Promise<Value>): Promise<{ code: string; value: Value | null }> {
  try {
    return { code: 'OK', value: await work() };
  } catch (error) {
    if (error instanceof DomainError || error instanceof model.Refused) return { code: error.code, value: null };
    throw error;
  }
}

/** As `expect`, which takes a hundred times as long to find nothing. */
function expectSame(when: string, found: unknown, right: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(right)) expect({ when, found }).toEqual({ when, found: right });
}
