import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idOf } from '../src/graphql/ids.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce, follow, kinds, type Newsroom, openNewsroom } from './support/newsroom.ts';
import { askIn, counts, pollFor, pollIn, postedPoll, votersFor, votes } from './support/polls.ts';
import { inDatabase } from './support/sql.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: Newsroom;
/** The chat of the group’s staff and guardians. */
let families: string;
/** Everything that the server has logged. */
const log: Json[] = [];

beforeAll(async () => {
  app = await startTestApp({ onLog: (line) => log.push(line) });
  room = await openNewsroom(app.world);
  families = await app.world.chat(room.teacher, room.school, room.groupId);
});
afterAll(() => app[Symbol.asyncDispose]());

const idsOf = async (...people: Person[]) => (await Promise.all(people.map((one) => app.world.userId(one)))).toSorted();
const childHere = () => app.world.child(room.school, room.groupId);
const parentHere = async () => app.world.guardian(room.school, await childHere());
/** What the tables hold of who chose what: how often each answer. */
const written = (id: string) =>
  inDatabase(
    app,
    (sql) => sql<{ position: number; kept: number; counted: number }[]>`
    select o.position, o.vote_count as kept, (
      select count(*)::int from poll_votes v where v.poll_id = o.poll_id and v.position = o.position) as counted
    from poll_options o where o.poll_id = ${idOf('Poll', id)} order by o.position`,
  );

test('a vote takes the place of the former one, and is taken back', async () => {
  const { teacher, guardian } = room;
  const { id } = await pollIn(teacher, families, { options: ['A', 'B', 'C'] });
  expect(await votes(guardian, id, [1])).toMatchObject({
    voterCount: 1,
    options: [{ voteCount: 1, viewerHasChosen: true }, { voteCount: 0 }, { voteCount: 0 }],
    viewerElectors: [{ child: null, hasVoted: true, canVote: true, positions: [1] }],
  });
  for (let turn = 0; turn < 2; turn++) expect(counts(await votes(guardian, id, [3]))).toEqual([0, 0, 1]);
  expect(counts(await votes(teacher, id, [3]))).toEqual([0, 0, 2]);
  for (let turn = 0; turn < 2; turn++)
    expect(await guardian.does('RetractVote', { pollId: id })).toMatchObject({
      voterCount: 1,
      viewerElectors: [{ hasVoted: false, positions: [] }],
    });
  expect(counts(await pollFor(guardian, id))).toEqual([0, 0, 1]);
});

test('one answer is chosen, or where several may be any of them; only those that there are', async () => {
  const { teacher, guardian } = room;
  const options = ['A', 'B', 'C'];
  const { id: single } = await pollIn(teacher, families, { options });
  const { id: multiple } = await pollIn(teacher, families, { options, multiple: true });
  for (const positions of [[], [1, 2], [0], [4], [-1], [13]])
    expect(await votes(guardian, single, positions)).toMatchObject({ code: 'INVALID_INPUT', field: /^positions/ });
  expect(await votes(guardian, multiple, [1, 4])).toMatchObject({ field: 'positions' });
  expect(counts(await votes(guardian, single, [2, 2]))).toEqual([0, 1, 0]);
  expect(counts(await votes(guardian, multiple, [1, 3]))).toEqual([1, 0, 1]);
  expect(counts(await votes(guardian, multiple, [3, 2, 3]))).toEqual([0, 1, 1]);
  expect(await pollFor(teacher, multiple)).toMatchObject({ voterCount: 1 });
  const [child] = (await guardian.run('ViewerChildren')).viewer.children.nodes;
  expect(await votes(guardian, single, [1], [child.id])).toMatchObject({ field: 'childIds' });
});

test.each([
  { results: 'ALWAYS', before: [1, 0], own: [1, 1], closed: [1, 1] },
  { results: 'AFTER_VOTE', before: [null, null], own: [1, 1], closed: [1, 1] },
  { results: 'AFTER_CLOSE', before: [null, null], own: [null, null], closed: [1, 1] },
])('how votes stand is shown $results, with who chose what, to the creator no earlier', async ({
  results,
  before,
  own,
  closed,
}) => {
  const { teacher, guardian } = room;
  const other = await parentHere();
  const { id } = await pollIn(teacher, families, { results });
  await votes(other, id, [1]);
  const sees = async (person: Person, expected: (number | null)[]) => {
    const poll = await pollFor(person, id);
    expect(counts(poll)).toEqual(expected);
    expect(poll.viewerCanSeeResults).toBe(expected[0] !== null);
    // To families it is not told who: whom they do not find among the names would be a guardian who is hidden from them (§4.11).
    const named = person === teacher ? expected : expected.map(() => null);
    expect((await votersFor(person, id)).map((list) => list?.length ?? null)).toEqual(named);
  };
  for (const person of [teacher, guardian]) await sees(person, before);
  expect(counts(await votes(guardian, id, [2]))).toEqual(own);
  await sees(guardian, own);
  expect(await pollFor(teacher, id)).toMatchObject({ voterCount: 2 });
  await sees(teacher, results === 'ALWAYS' ? own : before);
  await guardian.does('RetractVote', { pollId: id });
  await sees(guardian, before);
  await votes(guardian, id, [2]);
  await teacher.does('ClosePoll', { pollId: id });
  for (const person of [teacher, guardian]) await sees(person, closed);
});

test('twenty votes of one person at once count once, each way of counting', async () => {
  const { teacher, guardian } = room;
  const { id: named } = await pollIn(teacher, families);
  const { id: anonymous } = await pollIn(teacher, families, { anonymous: true });
  const { id: several } = await pollIn(teacher, families, { multiple: true, options: ['A', 'B', 'C'] });
  const cast = await atOnce(20, (index) => votes(guardian, named, [1 + (index % 2)]));
  expect(new Set(cast.map(answer))).toEqual(new Set(['Poll']));
  const final = await atOnce(20, (index) => votes(guardian, anonymous, [1 + (index % 2)]));
  expect(final.map(answer).toSorted()).toEqual(['Poll', ...Array(19).fill('VOTE_IS_FINAL')]);
  await atOnce(20, (index) => votes(guardian, several, index % 2 ? [1, 2] : [2, 3]));
  const poll = await pollFor(guardian, named);
  expect(poll.voterCount).toBe(1);
  expect(counts(poll).toSorted()).toEqual([0, 1]);
  expect((await written(anonymous)).map(({ kept }) => kept).toSorted()).toEqual([0, 1]);
  expect((await pollFor(guardian, several)).voterCount).toBe(1);
  for (const id of [named, several]) for (const { kept, counted } of await written(id)) expect(kept).toBe(counted);
});

test('twenty people at once are all counted, who votes anew and who takes it back among them, and nobody after the end', async () => {
  const { teacher } = room;
  const people = await atOnce(20, parentHere);
  const options = ['A', 'B', 'C', 'D'];
  const { id: named } = await pollIn(teacher, families, { options, multiple: true });
  const { id: anonymous } = await pollIn(teacher, families, { options, anonymous: true });
  await atOnce(20, async (index) => {
    await Promise.all([
      votes(people[index], named, [1 + (index % 4)]),
      votes(people[index], anonymous, [1 + (index % 4)]),
    ]);
    if (index % 2) return votes(people[index], named, [1, 2, 3, 4].slice(0, 1 + (index % 3)));
    return index % 4 ? people[index].does('RetractVote', { pollId: named }) : null;
  });
  expect((await pollFor(teacher, anonymous)).voterCount).toBe(20);
  expect(counts(await pollFor(teacher, anonymous))).toEqual([5, 5, 5, 5]);
  expect((await pollFor(teacher, named)).voterCount).toBe(15);
  for (const { kept, counted } of await written(named)) expect(kept).toBe(counted);

  const { id: closing } = await pollIn(teacher, families);
  const [ended, ...cast] = await atOnce(21, (index) =>
    index ? votes(people[index - 1], closing, [1]) : teacher.does('ClosePoll', { pollId: closing }),
  );
  const { length: taken } = cast.filter((one) => answer(one) === 'Poll');
  expect(new Set(cast.map(answer)).difference(new Set(['Poll', 'INVALID_STATE']))).toEqual(new Set());
  expect(counts(ended)[0]).toBe(taken);
  expect(counts(await pollFor(teacher, closing))).toEqual([taken, 0]);
});

test('a vote is told to who sees how votes stand in the chat, else to the voter’s own devices', async () => {
  const { teacher, guardian } = room;
  const other = await parentHere();
  const polls = [
    await pollIn(teacher, families),
    await pollIn(teacher, families, { anonymous: true }),
    await pollIn(teacher, families, { results: 'AFTER_VOTE' }),
    await pollIn(teacher, families, { results: 'AFTER_CLOSE' }),
  ].map(({ id }) => id);
  await using own = await follow(guardian, 'ViewerEvents');
  await using others = await follow(other, 'ViewerEvents');
  await using chat = await follow(other, 'ChatEvents', { chatId: families });
  for (const id of polls) await votes(guardian, id, [1]);
  await votes(guardian, polls[0] ?? '', [1]);
  await guardian.does('RetractVote', { pollId: polls[0] });
  const last = await app.world.post(room.administrator, room.community);
  await app.world.message(teacher, families);
  for (const stream of [own, others]) while ((await stream.nextOf('PostPublished')).post.id !== last);
  await chat.nextOf('MessageSent');
  const told = ({ delivered }: typeof own) =>
    delivered.filter(({ kind }) => kind === 'POLL_VOTED').map(({ pollId }) => pollId);
  expect(told(own)).toEqual([...polls, polls[0]]);
  expect(told(others)).toEqual([polls[0], polls[0]]);
  expect(kinds(chat)).toEqual(['POLL_VOTED', 'POLL_VOTED', 'MESSAGE_SENT']);
  expect(chat.delivered[0]).toMatchObject({ poll: { id: polls[0], state: 'OPEN' } });
});

test('families learn how many chose what, and of nobody who; a LIMITED guardian is not named as who asks (edge case 11)', async () => {
  const { teacher, guardian } = room;
  const hidden = await parentHere();
  const [childId] = (await hidden.run('ViewerChildren')).viewer.children.nodes.map(({ id }: Json) => id);
  const { id } = await pollIn(teacher, families);
  const { id: ofChildren } = await pollIn(teacher, families, { electorate: 'CHILD' });
  const { pollId } = await postedPoll(room.administrator, room.groupChannel);
  const own = await pollIn(hidden, families);
  const all = [id, ofChildren, pollId];
  for (const one of all) for (const person of [hidden, guardian]) await votes(person, one, [1]);
  await hidden.does('SetGuardianContactVisibility', { guardianLinkId: hidden.linkId, contactVisibility: 'LIMITED' });
  await teacher.does('ClosePoll', { pollId: ofChildren });
  const everybody = await idsOf(hidden, guardian);
  for (const one of all) {
    for (const person of [guardian, hidden]) {
      const { node } = await person.run('PollVoters', { id: one, first: 1 });
      expect(node.options[0]).toMatchObject({ voteCount: 2, voters: null });
    }
    expect((await votersFor(teacher, one))[0]).toEqual(everybody);
  }
  expect((await pollFor(guardian, own.id)).creator).toBeNull();
  for (const person of [teacher, hidden]) expect((await pollFor(person, own.id)).creator).not.toBeNull();
  const { node } = await teacher.run('PollVoters', { id: ofChildren });
  expect(node.options[0].voters.nodes.map(({ child }: Json) => child?.id)).toContain(childId);
});

test('who is one of the staff, and a LIMITED guardian elsewhere, is named among colleagues', async () => {
  const both = await app.world.teacher(room.school, room.groupId);
  const link = await app.world.guardian(room.school, await app.world.child(room.school, room.otherGroupId), both);
  await both.does('SetGuardianContactVisibility', { guardianLinkId: link.linkId, contactVisibility: 'LIMITED' });
  const { id } = await pollIn(room.teacher, families);
  await votes(both, id, [1]);
  for (const person of [room.teacher, both]) expect((await votersFor(person, id))[0]).toEqual(await idsOf(both));
});

test('voters come page by page', async () => {
  const people = await atOnce(5, parentHere);
  const { id } = await pollIn(room.teacher, families);
  await atOnce(5, (index) => votes(people[index], id, [2]));
  const query = `query ($id: ID!, $after: String) { node(id: $id) { ... on Poll { options {
    voters(first: 2, after: $after) { totalCount nodes { user { id } } pageInfo { hasNextPage endCursor } } } } } }`;
  const found: string[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const [, { voters }]: Json = (await room.teacher.send(query, { id, after })).data.node.options;
    found.push(...voters.nodes.map(({ user }: Json) => user.id));
    expect(voters.totalCount).toBe(5);
    ({ hasNextPage: more, endCursor: after } = voters.pageInfo);
  }
  expect(found.toSorted()).toEqual(await idsOf(...people));
});

describe('in a poll for children', () => {
  test('each guardian sees, changes and takes back their own vote alone, and the child counts once, at the end', async () => {
    const { teacher } = room;
    const childId = await childHere();
    const [mother, father] = [
      await app.world.guardian(room.school, childId),
      await app.world.guardian(room.school, childId),
    ];
    const { id } = await pollIn(teacher, families, { electorate: 'CHILD' });
    const untold = { voterCount: null, viewerCanSeeResults: false, viewerCanVote: { allowed: true } };
    await using told = await follow(father, 'ViewerEvents');
    expect(await votes(mother, id, [1])).toMatchObject({
      ...untold,
      options: [
        { voteCount: null, viewerHasChosen: true },
        { voteCount: null, viewerHasChosen: false },
      ],
      viewerElectors: [{ child: { id: childId }, hasVoted: true, canVote: true, positions: [1] }],
    });
    const unasked = { viewerElectors: [{ child: { id: childId }, hasVoted: false, canVote: true, positions: [] }] };
    expect(await pollFor(father, id)).toMatchObject({
      ...untold,
      ...unasked,
      options: [{ viewerHasChosen: false }, {}],
    });
    expect(await father.does('RetractVote', { pollId: id })).toMatchObject(unasked);
    expect(await pollFor(mother, id)).toMatchObject({ viewerElectors: [{ hasVoted: true }] });
    expect(await votes(father, id, [2])).toMatchObject({ viewerElectors: [{ positions: [2] }] });
    expect(await pollFor(mother, id)).toMatchObject({ viewerElectors: [{ positions: [1] }] });
    expect(await pollFor(teacher, id)).toMatchObject({ voterCount: 1, viewerCanSeeResults: false });
    await atOnce(20, (index) => votes(index % 2 ? mother : father, id, [1 + (index % 2)]));
    await votes(mother, id, [1]);
    await votes(father, id, [2]);
    await mother.does('RetractVote', { pollId: id });
    await votes(mother, id, [1]);
    for (const { kept, counted } of await written(id)) expect(kept).toBe(counted);
    // The latest.
    expect(counts(await teacher.does('ClosePoll', { pollId: id }))).toEqual([1, 0]);
    expect(await votersFor(teacher, id)).toEqual([await idsOf(mother), []]);
    expect(await pollFor(father, id)).toMatchObject({ voterCount: 1, viewerElectors: [{ positions: [2] }] });
    while ((await told.nextOf('PollChanged')).kind !== 'POLL_CLOSED');
    expect(kinds(told).filter((kind) => kind === 'POLL_VOTED').length).toBeGreaterThan(0);
  });

  test('a LIMITED guardian’s vote counts where no other has voted for the child, and else not, whoever came last', async () => {
    const { teacher } = room;
    const childId = await childHere();
    const [mother, father] = [
      await app.world.guardian(room.school, childId),
      await app.world.guardian(room.school, childId),
    ];
    await father.does('SetGuardianContactVisibility', { guardianLinkId: father.linkId, contactVisibility: 'LIMITED' });
    const { id: both } = await pollIn(teacher, families, { electorate: 'CHILD' });
    const { id: alone } = await pollIn(teacher, families, { electorate: 'CHILD' });
    await votes(mother, both, [1]);
    for (const id of [both, alone]) await votes(father, id, [2]);
    for (const [id, expected] of [
      [both, [1, 0]],
      [alone, [0, 1]],
    ] as const) {
      await teacher.does('ClosePoll', { pollId: id });
      expect(await pollFor(mother, id)).toMatchObject({ voterCount: 1, viewerElectors: [{ hasVoted: id === both }] });
      expect(counts(await pollFor(mother, id))).toEqual(expected);
    }
  });

  test('who has two votes for each, in one way or another; another group’s child has none', async () => {
    const { teacher, school, otherGroupId } = room;
    const children = [await childHere(), await childHere()] as const;
    const elsewhere = await app.world.child(school, otherGroupId);
    const parent = await app.world.guardian(school, children[0]);
    for (const childId of [children[1], elsewhere]) await app.world.guardian(school, childId, parent);
    const { id } = await pollIn(teacher, families, { electorate: 'CHILD' });
    const electors = (await pollFor(parent, id)).viewerElectors.map(({ child }: Json) => child.id);
    expect(electors.toSorted()).toEqual([...children].toSorted());
    const others = await childHere();
    for (const childIds of [[elsewhere], [others], [children[0], others], []])
      expect(await votes(parent, id, [1], childIds)).toMatchObject({ code: 'INVALID_INPUT', field: 'childIds' });
    const chosen = (poll: Json) =>
      children.map((one) => poll.viewerElectors.find(({ child }: Json) => child.id === one).positions);
    expect(chosen(await votes(parent, id, [1], [children[0]]))).toEqual([[1], []]);
    // Those who have no vote yet, then all.
    expect(chosen(await votes(parent, id, [2]))).toEqual([[1], [2]]);
    expect(chosen(await votes(parent, id, [2]))).toEqual([[2], [2]]);
    expect(chosen(await parent.does('RetractVote', { pollId: id, childIds: [children[1]] }))).toEqual([[2], []]);
    expect(chosen(await parent.does('RetractVote', { pollId: id }))).toEqual([[], []]);
  });

  test('the staff have no vote, but as guardians', async () => {
    const { teacher } = room;
    const both = await app.world.teacher(room.school, room.groupId);
    await app.world.guardian(room.school, await childHere(), both);
    const { id } = await pollIn(teacher, families, { electorate: 'CHILD', results: 'AFTER_VOTE' });
    expect(await pollFor(teacher, id)).toMatchObject({
      viewerCanVote: { allowed: false, reason: 'NOT_CONCERNED' },
      viewerElectors: [],
      viewerCanSeeResults: false,
    });
    expect(answer(await votes(teacher, id, [1]))).toBe('FORBIDDEN');
    expect(answer(await votes(both, id, [1]))).toBe('Poll');
  });

  test('the community’s asks for all children, a group’s channel for its own', async () => {
    const { administrator, guardian, otherGuardian, community, groupChannel, unverified } = room;
    const all = await postedPoll(administrator, community, { electorate: 'CHILD' });
    const some = await postedPoll(administrator, groupChannel, { electorate: 'CHILD' });
    for (const person of [guardian, otherGuardian]) expect(answer(await votes(person, all.pollId, [1]))).toBe('Poll');
    expect(answer(await votes(guardian, some.pollId, [1]))).toBe('Poll');
    expect(answer(await votes(otherGuardian, some.pollId, [1]))).toBe('NOT_FOUND');
    expect(answer(await votes(administrator, some.pollId, [1]))).toBe('FORBIDDEN');
    expect(answer(await votes(unverified, all.pollId, [1]))).toBe('FORBIDDEN');
    expect(counts(await administrator.does('ClosePoll', { pollId: all.pollId }))).toEqual([2, 0]);
  });

  test('whose child has moved on votes for it no more; what was cast stays', async () => {
    const childId = await childHere();
    const parent = await app.world.guardian(room.school, childId);
    await app.world.guardian(room.school, await childHere(), parent);
    const { id } = await pollIn(room.teacher, families, { electorate: 'CHILD' });
    await votes(parent, id, [1]);
    const moved = await room.administrator.does('TransferChild', { input: { childId, groupId: room.otherGroupId } });
    expect(moved.movement).toBeTruthy();
    expect(await votes(parent, id, [2], [childId])).toMatchObject({ field: 'childIds' });
    await votes(parent, id, [2]);
    expect(counts(await room.teacher.does('ClosePoll', { pollId: id }))).toEqual([1, 1]);
  });

  test('no vote is anonymous, for then nobody could tell which one counts', async () => {
    const refused = { code: 'INVALID_INPUT', field: 'anonymous' };
    expect(await askIn(room.teacher, families, { electorate: 'CHILD', anonymous: true })).toMatchObject(refused);
  });
});

describe('of an anonymous poll', () => {
  test('a vote is final, and nobody is told who has voted, whoever they are', async () => {
    const { teacher, guardian, administrator, groupChannel } = room;
    const other = await parentHere();
    const { pollId: id } = await postedPoll(administrator, groupChannel, { anonymous: true });
    expect(await votes(guardian, id, [1])).toMatchObject({
      voterCount: 0,
      options: [
        { voteCount: null, viewerHasChosen: null },
        { voteCount: null, viewerHasChosen: null },
      ],
      viewerElectors: [{ hasVoted: true, canVote: false, positions: null }],
      viewerCanVote: { allowed: false, reason: 'FINAL' },
    });
    for (const position of [1, 2]) expect(answer(await votes(guardian, id, [position]))).toBe('VOTE_IS_FINAL');
    for (const person of [guardian, other])
      expect(answer(await person.does('RetractVote', { pollId: id }))).toBe('VOTE_IS_FINAL');
    await votes(other, id, [2]);
    const ids = await idsOf(guardian, other);
    for (const person of [administrator, teacher, room.head]) {
      const { node } = await person.run('PollVoters', { id });
      expect(node.options).toMatchObject([
        { voteCount: null, voters: null },
        { voteCount: null, voters: null },
      ]);
      expect(await pollFor(person, id)).toMatchObject({ viewerElectors: [{ hasVoted: false }] });
      const about = JSON.stringify(await pollFor(person, id));
      expect(ids.filter((one) => about.includes(one))).toEqual([]);
    }
    const { organization } = await administrator.run('AuditLog', { organizationId: room.school.id, first: 100 });
    expect(JSON.stringify(organization.auditLog.nodes)).not.toContain(id);
  });

  test('nothing moves below five votes, nor between every five; the end is exact, unless fewer than five have voted', async () => {
    const { teacher, guardian } = room;
    const people = await atOnce(12, parentHere);
    const { id } = await pollIn(teacher, families, { anonymous: true });
    const { id: small } = await pollIn(teacher, families, { anonymous: true });
    await using told = await follow(guardian, 'ViewerEvents');
    const seen = [];
    for (const [index, person] of people.entries()) {
      await votes(person, id, [1 + (index % 2)]);
      if (index < 4) await votes(person, small, [1]);
      const [mine, theirs] = [await pollFor(person, id), await pollFor(guardian, id)];
      expect(counts(mine)).toEqual(counts(theirs));
      seen.push([theirs.voterCount, ...counts(theirs)]);
    }
    const [none, five, ten] = [
      [0, null, null],
      [5, 3, 2],
      [10, 5, 5],
    ];
    expect(seen).toEqual([...Array(4).fill(none), ...Array(5).fill(five), ...Array(3).fill(ten)]);
    for (const pollId of [id, small]) await teacher.does('ClosePoll', { pollId });
    expect(await pollFor(guardian, id)).toMatchObject({
      voterCount: 12,
      options: [{ voteCount: 6 }, { voteCount: 6 }],
    });
    expect(await pollFor(guardian, small)).toMatchObject({ voterCount: 4, viewerCanSeeResults: false });
    expect(counts(await pollFor(guardian, small))).toEqual([null, null]);
    while ((await told.nextOf('PollChanged')).pollId !== small);
    expect(kinds(told).filter((kind) => kind.startsWith('POLL'))).toEqual(['POLL_CLOSED', 'POLL_CLOSED']);
  });

  /**
   * Two polls with the same voters in the same order, who choose otherwise but so that the sums are the same: where the whole
   * database holds the same of both, nobody can find out from it who chose what.
   */
  async function twins(input: object) {
    const people = await atOnce(4, parentHere);
    const chosen = { one: [[1, 2], [3], [1], [2, 3]], other: [[3], [1, 2], [2, 3], [1]] };
    const kept = [];
    for (const choices of [chosen.one, chosen.other]) {
      const poll = await pollIn(room.teacher, families, {
        question: 'Which?',
        options: ['A', 'B', 'C'],
        multiple: true,
        ...input,
      });
      for (const [index, person] of people.entries()) await votes(person, poll.id, choices[index] ?? []);
      expect((await written(poll.id)).map(({ kept: count }) => count)).toEqual([2, 2, 2]);
      kept.push(await everythingAbout(idOf('Poll', poll.id), idOf('Message', poll.chatMessage.id)));
    }
    return kept as [string[], string[]];
  }

  /** All rows of all tables that name a poll or its message, without what differs between any two. */
  const everythingAbout = (pollId: string, messageId: string): Promise<string[]> =>
    inDatabase(app, async (sql) => {
      const tables = await sql<{ name: string }[]>`
        select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') order by 1`;
      const found: { table: string; row: string; version: number }[] = [];
      for (const { name } of tables) {
        const rows = await sql<{ row: string; version: string }[]>`
          select to_jsonb(t)::text as row, t.xmin::text as version from ${sql.unsafe(name)} t
          where to_jsonb(t)::text ~ ${`${pollId}|${messageId}`}`;
        for (const { row, version } of rows) found.push({ table: name, row, version: Number(version) });
      }
      expect(new Set(found.map(({ table }) => table)).size).toBeGreaterThanOrEqual(5);
      // Of those of the polls also which were written in one transaction; others are written again, as the log's are placed.
      const versions = [...new Set(found.filter(({ table }) => table.includes('.poll')).map(({ version }) => version))];
      const order = versions.toSorted((one, other) => one - other);
      return found
        .map(({ table, row, version }) => {
          const said = row
            .replaceAll(pollId, 'POLL')
            .replaceAll(messageId, 'MESSAGE')
            .replaceAll(/"\d{4}-\d\d-\d\dT[^"]+"/g, 'TIME')
            .replaceAll(/"(number|place|id|client_message_id|last_number)": ("[^"]*"|\d+)/g, '')
            .replaceAll(table.endsWith('log_events') ? /"position": \d+/g : /^$/g, '');
          return `${table} ${table.includes('.poll') ? order.indexOf(version) : ''} ${said}`;
        })
        .toSorted();
    });

  test('the whole database holds nothing by which to find out who chose what', async () => {
    const [one, other] = await twins({ anonymous: true });
    expect(one.filter((row) => row.startsWith('public.poll_voters'))).toHaveLength(4);
    expect(one.filter((row) => row.startsWith('public.poll_votes'))).toEqual([]);
    expect(other).toEqual(one);
    // The same look at what is not anonymous does find it.
    const [named, otherwise] = await twins({});
    expect(otherwise).not.toEqual(named);
  });

  test('no answer’s row tells which transaction counted it, so that the last voter’s choice is not known by it either', async () => {
    const people = [await parentHere(), await parentHere()];
    const { id } = await pollIn(room.teacher, families, { anonymous: true, options: ['A', 'B', 'C'] });
    for (const [index, person] of people.entries()) {
      expect(answer(await votes(person, id, [1 + 2 * index]))).toBe('Poll');
      const versions = await inDatabase(
        app,
        (sql) => sql`select distinct xmin::text, xmax::text from poll_options where poll_id = ${idOf('Poll', id)}`,
      );
      expect(versions).toHaveLength(1);
    }
  });

  test('the log names the operation and who asked, and nothing of what was asked, at its most talkative', async () => {
    const voter = await parentHere();
    const { id } = await pollIn(room.teacher, families, { anonymous: true, options: ['Zanzibar', 'Samarkand'] });
    log.length = 0;
    const answers = [await votes(voter, id, [2]), await votes(voter, id, [1]), await votes(voter, id, [7])];
    expect(answers.map(answer)).toEqual(['Poll', 'VOTE_IS_FINAL', 'INVALID_INPUT']);
    await expect.poll(() => log.filter(({ operation }) => operation === 'Vote').length).toBe(3);
    for (const line of log.filter(({ operation }) => operation === 'Vote'))
      expect(Object.keys(line).toSorted()).toEqual([
        'failed',
        'hostname',
        'kind',
        'level',
        'ms',
        'msg',
        'operation',
        'pid',
        'time',
        'viewer',
      ]);
    expect(JSON.stringify(log)).not.toMatch(/Zanzibar|Samarkand|position/);
  });
});
