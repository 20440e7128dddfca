import { expect, test, vi } from 'vitest';
import { NotFound } from '../src/errors.ts';
import { backfill } from '../src/log/backfill.ts';
import { Follower } from '../src/log/follower.ts';
import { pageOfEvents } from '../src/log/history.ts';
import {
  accessBegan,
  accessEnded,
  arrive,
  caughtUp,
  hubAtStart,
  Listener,
  openLog,
  openProcess,
  placesOf,
  school,
  stay,
  TestRenderer,
  tell,
  write,
} from './support/log-followers.ts';
import { eventually } from './support/waiting.ts';

test('a follower whose connection is full is handed nothing more, and gets all of it in order when there is room', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const renderer = new TestRenderer();
  const [lame, swift] = [await arrive(hub), await arrive(hub)];
  const slow = await lame.follow({ renderer, capacity: 3 });
  const quick = await swift.follow({ renderer });
  tell(hub, {});
  expect([await slow.take(1), await quick.take(1)]).toEqual([[1], [1]]);

  const asked = renderer.asked.length;
  tell(hub, ...Array.from({ length: 10 }, () => ({})));
  expect(await quick.take(10)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(slow.places).toEqual([1, 2, 3, 4]);
  quick.close();
  swift.leave();
  tell(hub, ...Array.from({ length: 10 }, () => ({})));
  // It holds no queue: nothing is rendered for it, and its audience has nobody to hand events to.
  expect(renderer.asked).toHaveLength(asked + 10);
  expect(hub.size).toBe(2);
  expect(await slow.take(20)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2));
  tell(hub, {});
  expect(await slow.take(1)).toEqual([22]);
  expect(slow.places).toEqual(Array.from({ length: 22 }, (_, index) => index + 1));
  slow.close();
  lame.leave();
  expect(hub.size).toBe(0);
});

test('what is not for all is shown to each alone, in its place among what is', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const [one, other] = [await arrive(hub), await arrive(hub)];
  const renderer = new TestRenderer(({ position }, bytes) => (position % 3 === 0 ? null : bytes));
  const feeds = [await one.follow({ renderer }), await other.follow({ renderer, after: 0 })];
  tell(hub, {}, {}, {}, {});
  for (const feed of feeds) expect(await feed.take(4)).toEqual([1, 2, 3, 4]);
  tell(hub, {}, {}, { audienceId: one.userId }, {}, {}, {});
  for (const feed of feeds) {
    expect(await feed.take(5)).toEqual([5, 6, 8, 9, 10]);
    expect(feed.shownAlone).toEqual([3, 6, 9]);
  }
  const own = await one.follow({ renderer, anchor: one.userId, scope: 'READER', after: 4 });
  expect(await own.take(6)).toEqual([5, 6, 7, 8, 9, 10]);
  expect(own.shownAlone).toEqual([6, 9]);
  tell(hub, {}, { audienceId: one.userId }, {});
  expect(await own.take(3)).toEqual([11, 12, 13]);
  expect(own.shownAlone).toEqual([6, 9, 12]);
});

test('an event that takes long to show holds up what is behind it, which then is handed over at once', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const shown = Promise.withResolvers<void>();
  const renderer = new TestRenderer(({ position }, bytes) =>
    position === 3 ? shown.promise.then(() => bytes) : bytes,
  );
  const person = await arrive(hub);
  const feeds = [await person.follow({ renderer }), await person.follow({ renderer })];
  tell(hub, {});
  for (const feed of feeds) expect(await feed.take(1)).toEqual([1]);

  const handed = vi.spyOn(Follower.prototype, 'deliver');
  try {
    tell(hub, {}, {}, {}, {});
    tell(hub, {}, {});
    for (const feed of feeds) expect(await feed.take(1)).toEqual([2]);
    shown.resolve();
    for (const feed of feeds) {
      expect(await feed.take(5)).toEqual([3, 4, 5, 6, 7]);
      expect(feed.turns.slice(-2)).toEqual([[2], [3, 4, 5, 6, 7]]);
    }
    expect(handed.mock.calls.map(([jobs]) => jobs.length)).toEqual([1, 1, 5, 5]);
  } finally {
    handed.mockRestore();
  }
});

test('an event that cannot be shown breaks off whoever would hear it, and nobody else', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const person = await arrive(hub);
  const failure = new Error('the database is away');
  const broken = new TestRenderer(async ({ position }, bytes) => {
    if (position === 2) throw failure;
    return bytes;
  });
  const renderer = new TestRenderer();
  const [live, full] = [
    await person.follow({ renderer: broken }),
    await person.follow({ renderer: broken, capacity: 1 }),
  ];
  const safe = await person.follow({ renderer });
  await eventually(() => expect(hub.size).toBe(4)); // one reader, two lanes, one audience that is heard
  tell(hub, {}, {}, {});
  expect(await live.next()).toMatchObject({ position: 1 });
  await expect(live.next()).rejects.toBe(failure);
  expect(await full.next()).toMatchObject({ position: 1 });
  await expect(full.next()).rejects.toBe(failure);
  expect(await safe.take(3)).toEqual([1, 2, 3]);
  expect([live.places, full.places]).toEqual([[1], [1]]);
  expect(broken.asked).toEqual([1, 2, 3]);
  const late = await person.follow({ renderer: broken, after: 0 });
  expect(await late.next()).toMatchObject({ position: 1 });
  await expect(late.next()).rejects.toBe(failure);
  expect(hub.reader(person.userId)?.watchers).toEqual([safe.follower]);
  safe.close();
  expect(hub.size).toBe(1);
  // They come back behind what they have got.
  expect(await (await person.follow({ renderer, after: 1 })).take(2)).toEqual([2, 3]);
});

test('an event is shown once for a thousand who follow alike, and once more for those who follow otherwise', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const [alike, otherwise] = [new TestRenderer(), new TestRenderer()];
  const people = await Promise.all(Array.from({ length: 20 }, () => arrive(hub)));
  const feeds = await Promise.all(
    people.flatMap((person) => Array.from({ length: 50 }, () => person.follow({ renderer: alike }))),
  );
  const others = await Promise.all(people.slice(0, 2).map((person) => person.follow({ renderer: otherwise })));
  tell(hub, {});
  // From here on all of them have caught up.
  for (const feed of [...feeds, ...others]) await feed.take(1);
  tell(hub, {}, {});
  tell(hub, {});
  for (const feed of [...feeds, ...others]) expect(await feed.take(3)).toEqual([2, 3, 4]);
  for (const { asked } of [alike, otherwise]) expect(asked.filter((place) => place > 1)).toEqual([2, 3, 4]);
});

test('who loses an audience of the organization hears what was told before the end, alone, and nothing after it', async () => {
  await using log = await openLog();
  const group = crypto.randomUUID();
  const hub = hubAtStart(log, async () => [stay(school), stay(group)]);
  const [leaver, member] = [await arrive(hub), await arrive(hub)];
  const shown = Promise.withResolvers<void>();
  const renderer = new TestRenderer(({ audienceId, position }, bytes) =>
    audienceId === group && position > 1 ? shown.promise.then(() => bytes) : bytes,
  );
  const [left, stayed] = [
    await leaver.follow({ scope: 'ORGANIZATION', renderer }),
    await member.follow({ scope: 'ORGANIZATION', renderer }),
  ];
  tell(hub, { audienceId: group });
  expect([await left.take(1), await stayed.take(1)]).toEqual([[1], [1]]);

  tell(hub, { audienceId: group }, {}, { audienceId: group });
  tell(hub, accessEnded(leaver.userId, group), { audienceId: group }, {});
  expect(await left.take(4)).toEqual([2, 3, 4, 7]);
  expect(left.shownAlone).toEqual([2, 4]);
  shown.resolve();
  expect(await stayed.take(5)).toEqual([2, 3, 4, 6, 7]);
  tell(hub, { audienceId: group }, {});
  expect(await stayed.take(2)).toEqual([8, 9]);
  expect(await left.take(1)).toEqual([9]);
  expect(left.places).toEqual([1, 2, 3, 4, 7, 9]);
  expect(stayed.shownAlone).toEqual([]);
});

test('who was let in a moment ago may follow before the log has told of it, and hears from there on', async () => {
  await using log = await openLog();
  const stays: ReturnType<typeof stay>[] = [];
  let reads = 0;
  const hub = hubAtStart(log, async () => {
    reads++;
    return [...stays];
  });
  const person = await arrive(hub);
  await expect(person.follow()).rejects.toThrow(NotFound);
  expect(reads).toBe(2);
  // Committed, and without a place in the log yet.
  stays.push(stay(school, { since: Infinity }));
  const feed = await person.follow();
  expect(reads).toBe(3);
  tell(hub, {}, {});
  tell(hub, accessBegan(person.userId, school), {}, {});
  tell(hub, {});
  expect(await feed.take(3)).toEqual([4, 5, 6]);
  expect(await (await person.follow({ after: 0 })).take(3)).toEqual([4, 5, 6]);
  expect(reads).toBe(3);
});

test('nobody is kept here of whom it cannot be read what they may see', async () => {
  await using log = await openLog();
  let away = true;
  const hub = hubAtStart(log, async () => {
    if (away) throw new Error('the database is away');
    return [stay(school)];
  });
  const person = new Listener(hub);
  const again = new Listener(hub, person.userId);
  const arriving = await Promise.allSettled([person.arrive(), again.arrive()]);
  expect(arriving.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([hub.size, hub.reader(person.userId)]).toEqual([0, null]);
  away = false;
  await person.arrive();
  const feed = await person.follow();
  tell(hub, {});
  expect(await feed.take(1)).toEqual([1]);
});

test('a session that ends while its connection opens is heard of, and ends what it follows', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const phone = new Listener(hub);
  const tablet = new Listener(hub, phone.userId);
  const ended = ({ userId, sessionId }: Listener) => ({
    kind: 'SESSION_ENDED',
    audienceId: userId,
    subjectId: sessionId,
  });
  const since = hub.position;
  tell(hub, {}, { audienceId: phone.userId }, ended(phone), {});
  await phone.arrive(since);
  await tablet.arrive(since);
  expect([phone.sessionEnds, tablet.sessionEnds]).toEqual([1, 0]);

  const feed = await tablet.follow({ after: 0 });
  expect(await feed.take(2)).toEqual([1, 4]);
  tell(hub, {}, ended(tablet), {});
  expect(tablet.sessionEnds).toBe(1);
  expect(await feed.rest()).toMatchObject([{ ending: 'ACCESS_ENDED', reason: 'SIGNED_OUT', position: 4 }]);
});

test('who subscribes when their session has ended, before their connection has, hears that and nothing else', async () => {
  await using log = await openLog();
  const hub = hubAtStart(log);
  const thief = await arrive(hub);
  const owner = await new Listener(hub, thief.userId).arrive();
  tell(hub, {}, { kind: 'SESSION_ENDED', audienceId: thief.userId, subjectId: thief.sessionId }, {});
  for (const after of [0, null]) {
    const feed = await thief.follow({ after });
    tell(hub, {});
    expect(await feed.rest()).toMatchObject([{ ending: 'ACCESS_ENDED', reason: 'SIGNED_OUT' }]);
  }
  const feed = await owner.follow({ after: 0 });
  expect(await feed.take(4)).toEqual([1, 3, 4, 5]);
});

test('many who come back from further than memory reaches are served by few statements, each in order and once', async () => {
  await using log = await openLog();
  await write(log, 900);
  await caughtUp(log);
  const all = await placesOf(log);
  await using late = await openProcess(log.url);
  const select = vi.spyOn(late.db, 'select');
  const people = await Promise.all(Array.from({ length: 20 }, () => arrive(late.hub)));
  const feeds = await Promise.all(
    Array.from({ length: 200 }, (_, turn) => people[turn % 20]?.follow({ after: all[turn] ?? 0 })),
  );
  await write(log, 30);
  for (const [turn, feed] of feeds.entries()) await feed?.take(300 - turn - 1 + 10);
  const now = await placesOf(log);
  for (const [turn, feed] of feeds.entries()) expect(feed?.places).toEqual(now.slice(turn + 1));
  expect(select.mock.calls.length).toBeGreaterThan(0);
  expect(select.mock.calls.length).toBeLessThan(10);
});

test('who is a little behind is served beside somebody who is far behind, and does not wait until they have caught up', async () => {
  await using log = await openLog();
  // Every third is the school's: more than one read returns.
  await write(log, 3 * pageOfEvents + 300);
  await caughtUp(log);
  const all = await placesOf(log);
  const read = backfill(log.db);
  const through = log.hub.position;
  const reads = [0, all.at(-50) ?? 0, all.at(-10) ?? 0].map(async (after) => {
    const page = await read({ epoch: log.hub.epoch, audienceIds: [school], after, through });
    return page?.events.map(({ position }) => position).filter((position) => position > after);
  });
  expect(await Promise.all(reads)).toEqual([all.slice(0, pageOfEvents), all.slice(-49), all.slice(-9)]);
});
