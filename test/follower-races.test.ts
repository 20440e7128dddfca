import { expect, test } from 'vitest';
import { NotFound } from '../src/errors.ts';
import type { Hub, Stay } from '../src/log/hub.ts';
import {
  accessBegan,
  accessEnded,
  arrive,
  caughtUp,
  type Feed,
  hubAtStart,
  Listener,
  openLog,
  school,
  stay,
  TestRenderer,
  tell,
  write,
} from './support/log-followers.ts';
import { eventually } from './support/waiting.ts';

const group = crypto.randomUUID();
const newcomer = crypto.randomUUID();

/** Once its lanes hand on what happens in so many audiences, whoever is here has caught up. */
const hears = (hub: Hub, { readers = 1, lanes = 1, audiences = 1 } = {}) =>
  eventually(() => expect(hub.size).toBe(readers + lanes + audiences));

const asked = ({ asked }: TestRenderer) => eventually(() => expect(asked).not.toEqual([]));

test('an event that only its showing reveals to be for each alone is shown so once, however long that takes', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const person = await arrive(hub);
  const renderer = new TestRenderer(async ({ position }, bytes) => (position === 3 ? null : bytes));
  const feed = await person.follow({ renderer });
  await hears(hub);
  const shown = Promise.withResolvers<void>();
  const alone = feed.alone.bind(feed);
  feed.alone = async (delivery) => {
    const payload = await alone(delivery);
    await shown.promise;
    return payload;
  };
  tell(hub, {}, {}, {}, {});
  await eventually(() => expect(feed.shownAlone).toEqual([3]));
  // What is told meanwhile must not make it ask again.
  const personal = { audienceId: person.userId };
  tell(hub, {}, personal, accessBegan(person.userId, group), {});
  shown.resolve();
  expect(await feed.take(6)).toEqual([1, 2, 3, 4, 5, 8]);
  expect(feed.shownAlone).toEqual([3]);
});

test('an event that is being shown when a new history begins is not told: to read anew is all that is left', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const shown = Promise.withResolvers<void>();
  const renderer = new TestRenderer((_event, bytes) => shown.promise.then(() => bytes));
  const person = await arrive(hub);
  tell(hub, {}, {}, {});
  const feed = await person.follow({ renderer, after: 0 });
  await asked(renderer);
  hub.restart({ epoch: crypto.randomUUID(), position: 100 });
  shown.resolve();
  expect(await feed.rest()).toEqual([{ ending: 'RESYNC_REQUIRED', position: 100 }]);
});

/** Somebody whose time in the group the hub has read before the log has come to it, beside a member who always was in it. */
async function followGroup(hub: Hub): Promise<[ahead: Feed, member: Feed]> {
  const people = [await new Listener(hub, newcomer).arrive(), await arrive(hub)];
  const renderer = new TestRenderer();
  const [ahead, member] = await Promise.all(people.map((one) => one.follow({ scope: 'ORGANIZATION', renderer })));
  if (!ahead || !member) throw new Error('two were to follow');
  await hears(hub, { readers: 2, audiences: 2 });
  return [ahead, member];
}

const staysWith =
  (interval: Partial<Stay>) =>
  async (userId: string): Promise<Stay[]> => [stay(school), stay(group, userId === newcomer ? interval : {})];

test('who is known to join a group at a place that the log has yet to reach hears nothing from before it', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log, staysWith({ since: 2 }));
  const [ahead, member] = await followGroup(hub);
  tell(hub, { audienceId: group });
  expect(await member.take(1)).toEqual([1]);
  tell(hub, accessBegan(newcomer, group), { audienceId: group });
  expect(await ahead.take(1)).toEqual([3]);
  expect(await member.take(1)).toEqual([3]);
});

test('who is known to leave a group at a place that the log has yet to reach hears everything from before it', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log, staysWith({ until: 3 }));
  const [ahead, member] = await followGroup(hub);
  tell(hub, { audienceId: group });
  expect(await member.take(1)).toEqual([1]);
  tell(hub, { audienceId: group }, accessEnded(newcomer, group), { audienceId: group }, {});
  expect(await ahead.take(3)).toEqual([1, 2, 5]);
  expect(await member.take(3)).toEqual([2, 4, 5]);
});

test('who loses an audience while an event of it is shown to all there is shown it alone', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log, async () => [stay(school), stay(group)]);
  const person = await arrive(hub);
  const shown = Promise.withResolvers<void>();
  const renderer = new TestRenderer(({ audienceId }, bytes) =>
    audienceId === group ? shown.promise.then(() => bytes) : bytes,
  );
  tell(hub, { audienceId: group }, {});
  const feed = await person.follow({ scope: 'ORGANIZATION', renderer, after: 0 });
  await asked(renderer);
  tell(hub, accessEnded(person.userId, group));
  shown.resolve();
  expect(await feed.take(2)).toEqual([1, 2]);
  expect(feed.shownAlone).toEqual([1]);
});

test('whose session ends while their connection is full hears that alone, once there is room', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const person = await arrive(hub);
  const feed = await person.follow({ capacity: 1, after: 0 });
  tell(hub, {}, {}, {});
  await eventually(() => expect(feed.places).toEqual([1]));
  tell(hub, { kind: 'SESSION_ENDED', audienceId: person.userId, subjectId: person.sessionId }, {});
  expect(await feed.rest()).toMatchObject([
    { kind: 'HAPPENED', position: 1 },
    { ending: 'ACCESS_ENDED', reason: 'SIGNED_OUT', position: 1 },
  ]);
});

test('who closes before they have caught up hears nothing, and leaves nothing behind', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const [leaver, member] = [await arrive(hub), await arrive(hub)];
  tell(hub, {}, {});
  const slow = new TestRenderer(async (_event, bytes) => bytes);
  const feeds = [
    await leaver.follow({ after: 0 }),
    await leaver.follow({ capacity: 1, after: 0 }),
    await leaver.follow({ renderer: slow, after: 0 }),
  ];
  for (const feed of feeds) feed.close();
  const after = await member.follow({ renderer: slow, after: 0 });
  // It began after them, and has done what they were about to do.
  expect(await after.take(2)).toEqual([1, 2]);
  expect(feeds.map(({ places }) => places)).toEqual([[], [], []]);
  after.close();
  expect(hub.reader(leaver.userId)?.watchers).toEqual([]);
  for (const person of [leaver, member]) person.leave();
  expect(hub.size).toBe(0);
});

test('whose cursor is ahead of this process hears nothing from before it, whatever happens until it is reached', async () => {
  await using log = await openLog();
  await write(log, 30);
  await caughtUp(log);
  const hub = hubAtStart(log);
  const person = await arrive(hub);
  const feed = await person.follow({ anchor: person.userId, scope: 'READER', after: 9 });
  await hears(hub);
  tell(hub, {}, { audienceId: person.userId }, {});
  tell(hub, accessBegan(person.userId, crypto.randomUUID()), {}, {});
  await hears(hub, { audiences: 2 });
  tell(hub, {}, {}, {}, {}, {});
  expect(await feed.take(2)).toEqual([10, 11]);
});

test('who follows while access is read anew after a restore is judged by what is found then', async () => {
  await using log = await openLog();
  const reads = [Promise.resolve([stay(school)])];
  const hub = hubAtStart(log, () => reads.at(-1) ?? Promise.resolve([]));
  const person = await arrive(hub);
  const restored = Promise.withResolvers<Stay[]>();
  reads.push(restored.promise);
  hub.restart({ epoch: crypto.randomUUID(), position: 0 });
  const refused = expect(person.follow()).rejects.toThrow(NotFound);
  restored.resolve([]);
  await refused;
  // Who still is in it may follow.
  reads.push(Promise.resolve([stay(school)]));
  const feed = await person.follow();
  tell(hub, {});
  expect(await feed.take(1)).toEqual([1]);
});

test('whose access could not be read after a restore has to come back, and what was read before it counts no more', async () => {
  await using log = await openLog();
  let answer = async (): Promise<Stay[]> => [stay(school)];
  const hub = hubAtStart(log, () => answer());
  const person = await arrive(hub);
  answer = async () => {
    throw new Error('the database is away');
  };
  hub.restart({ epoch: crypto.randomUUID(), position: 0 });
  await eventually(() => expect(person.comeBacks).toBe(1));
  expect(hub.reader(person.userId)).toBe(null);
  answer = async () => [];
  const again = await new Listener(hub, person.userId).arrive();
  await expect(again.follow()).rejects.toThrow(NotFound);
});
