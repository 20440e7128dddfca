/**
 * A LIMITED guardian is not found out by the child's other parent (§4.11): the same school and the same deeds twice, once done by him
 * and once by a hidden guardian of another child. Whatever can be asked, and whatever is told, must be the same.
 *
 * That the two are told apart is one way of being found out; that one of them is found to have acted is another, and has tests beside
 * what it concerns: reactions and who is present are counted as listed, families learn how many voted and not who, each guardian's vote
 * for a child is their own, the sibling's guardians, chats into which somebody hidden comes, events rendered before they were hidden.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../src/schema.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import type { Person } from './support/world.ts';
import { documentOf, documentsOfViewer } from './worlds/asking.ts';
import { Words } from './worlds/sameness.ts';
import { type Deed, deeds, makeThings, openPlace, type Place, type Things } from './worlds/school.ts';

const numRuns = Number(process.env.HOMEROOM_WORLDS_RUNS ?? 2);
/** A run that fails names its seed; with it the same runs are made again. */
const seed = Number(process.env.HOMEROOM_WORLDS_SEED ?? Math.floor(Math.random() * 0x7fffffff));
const longestRun = Number(process.env.HOMEROOM_WORLDS_STEPS ?? 4);
/** Pairs of worlds at a time: while one waits for the database, another thinks. */
const lanes = 2;
const runsWithOneSet = 20;

/** Types of things that what is done here changes, as many in a document as the API's limits allow. */
const documents = [
  ['Message'],
  ['Poll'],
  ['Chat', 'Comment'],
  ['Post'],
  ['Meeting', 'Group', 'Channel'],
  ['Child'],
].map((types) => ({ types, query: documentOf(schema, types) }));
const ofViewer = documentsOfViewer(schema);

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

/** One of the two worlds, and what has been said of it to whom. */
class Side {
  readonly place: Place;
  things: Things;
  readonly #words: Readonly<Record<'mother' | 'other' | 'told', Words>>;
  #heard = 0;

  private constructor(place: Place, things: Things) {
    this.place = place;
    this.things = things;
    this.#words = { mother: new Words(place.known), other: new Words(place.known), told: new Words(place.known) };
  }

  static async open(acts: 'father' | 'stranger'): Promise<Side> {
    const place = await openPlace(app.world, acts);
    const side = new Side(place, await makeThings(app.world, place));
    await side.#everythingTold();
    return side;
  }

  async renew(): Promise<void> {
    this.things = await makeThings(app.world, this.place);
    await this.#everythingTold();
  }

  /** Does something; what is answered, where it is answered to one of those who look. */
  async does(deed: Deed): Promise<Json> {
    const answer = await deeds[deed.kind](this.place, this.things, deed);
    await this.#everythingTold();
    return isOfLookers(deed) ? this.#words[deed.who === 'mother' ? 'mother' : 'other'].of(answer) : null;
  }

  /** Everything that somebody may be answered now. */
  async look(who: 'mother' | 'other'): Promise<Json> {
    const { place, things } = this;
    const person: Person = place.people[who];
    const ids: Readonly<Record<string, readonly string[]>> = {
      Message: things.messages.slice(-4),
      Poll: things.polls.slice(-4),
      Chat: [place.chatId, things.customId],
      Post: [things.postId],
      Comment: things.comments.slice(-4),
      Meeting: [things.meetingId],
      Group: [place.groupId],
      Channel: [place.channelId],
      Child: place.children,
    };
    const ask = async (query: string, variables: object = {}) => {
      const { data, errors } = await person.send(query, variables);
      // An answer that is refused whole would be the same in both.
      if (!data) throw new Error(JSON.stringify(errors));
      return { data, errors };
    };
    const answers = [
      ...ofViewer.map((query) => ask(query)),
      ...documents.map(({ query, types }) => ask(query, Object.fromEntries(types.map((type) => [type, ids[type]])))),
    ];
    return this.#words[who].of(await Promise.all(answers));
  }

  /** What the mother has been told since she was last asked, in its order. */
  told(): Json {
    const { told } = this.place;
    const events = told.delivered.slice(this.#heard);
    this.#heard = told.delivered.length;
    return this.#words.told.of(events);
  }

  /**
   * Waits until the mother has been told everything that has happened, by something of her own that nobody is shown. What an event
   * shows is read when it is delivered: the next deed must not be in it already, in one world and not in the other.
   */
  async #everythingTold(): Promise<void> {
    const { told, people } = this.place;
    await people.mother.does('UpdateProfile', { input: { locale: 'ru' } });
    await told.nextOf('ProfileUpdated');
  }
}

/** A deed of the hidden guardian, or of the teacher, who meets them both by name, is answered to neither of those who look. */
const isOfLookers = ({ kind, who }: Deed): boolean =>
  who !== 'hidden' && !['mention', 'forward', 'pin', 'close', 'bring', 'send', 'leave', 'note'].includes(kind);

class Lane {
  #sides: readonly [Side, Side] | null = null;
  #runs = 0;

  async run(some: readonly Deed[]): Promise<void> {
    const [one, other] = await this.#open();
    try {
      for (const deed of some) {
        const [here, there] = await Promise.all([one.does(deed), other.does(deed)]);
        expect(here).toEqual(there);
        await this.#compare((side) => side.look('mother'));
      }
      await this.#compare(async (side) => side.told());
      await this.#compare((side) => side.look('other'));
    } catch (error) {
      // What has come to differ stays so: the next run begins in worlds that are alike.
      this.#sides = null;
      throw error;
    }
  }

  async #open(): Promise<readonly [Side, Side]> {
    this.#sides ??= await Promise.all([Side.open('father'), Side.open('stranger')]);
    if (++this.#runs % runsWithOneSet === 0) await Promise.all(this.#sides.map((side) => side.renew()));
    return this.#sides;
  }

  async #compare(read: (side: Side) => Promise<Json>): Promise<void> {
    const [here, there] = await Promise.all((this.#sides ?? []).map(read));
    expect(here).toEqual(there);
  }
}

const kinds = Object.keys(deeds) as (keyof typeof deeds)[]; // keys of a constant
const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom(...kinds),
  who: fc.constantFrom('hidden', 'hidden', 'mother', 'other'),
  which: fc.nat(7),
  choice: fc.nat(1),
});

test('whatever a LIMITED guardian does could have been done by another family’s, for all that the other parent can learn', {
  timeout: 900_000,
}, async () => {
  const runs = fc.array(deed, { minLength: 1, maxLength: longestRun, size: 'max' });
  const ended = await Promise.allSettled(
    Array.from({ length: lanes }, (_, index) => {
      const lane = new Lane();
      const property = fc.asyncProperty(runs, (some) => lane.run(some));
      // The first run has each deed once.
      const everything = kinds.map((kind): Deed => ({ kind, who: 'hidden', which: 0, choice: 1 }));
      const examples: [Deed[]][] = index === 0 ? [[everything]] : [];
      return fc.assert(property, { numRuns: Math.ceil(numRuns / lanes), seed: seed + index, examples });
    }),
  );
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
});
