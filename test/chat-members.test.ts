import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from './support/app.ts';
import {
  absentChat,
  absentUser,
  allowGuardianChats,
  type ChatRoom,
  capacitiesFor,
  chatDeed,
  chatDeeds,
  chatFor,
  custom,
  direct,
  idOfUser,
  idsOf,
  membersFor,
  move,
  openChatRoom,
  say,
  talk,
} from './support/chat-room.ts';
import type { Json } from './support/client.ts';
import { answer, atOnce, follow, kinds } from './support/newsroom.ts';
import type { Person } from './support/world.ts';

let app: TestApp;
let room: ChatRoom;

beforeAll(async () => {
  app = await startTestApp();
  room = await openChatRoom(app);
});
afterAll(() => app[Symbol.asyncDispose]());

const namesOf = async (reader: Person, chatId: string, people: Readonly<Record<string, Person>>): Promise<string[]> => {
  const ids = new Map(
    await Promise.all(Object.entries(people).map(async ([name, who]) => [await idOfUser(who), name] as const)),
  );
  const { nodes } = await membersFor(reader, chatId);
  return nodes.map(({ user, capacity }: Json) => `${ids.get(user.id) ?? '?'} ${capacity}`).toSorted();
};

const outOfReach = { code: 'INVALID_INPUT', field: 'userIds', message: expect.any(String) };

describe('who begins a chat with whom', () => {
  test('an administrator and the head with anybody who belongs there and may write', async () => {
    const { school, administrator, head, teacher, guardian, otherGuardian, pupil, unverified, stranger, foreigner } =
      room;
    for (const leader of [administrator, head]) {
      for (const other of [teacher, guardian, otherGuardian]) {
        expect(answer(await direct(leader, school, other))).toBe('Chat');
        expect(answer(await custom(leader, school, [other]))).toBe('Chat');
      }
      for (const other of [unverified, stranger, foreigner])
        expect(await direct(leader, school, other)).toMatchObject(outOfReach);
    }
    expect(answer(await custom(head, school, [pupil]))).toBe('Chat');
    expect(await direct(head, school, pupil)).toMatchObject(outOfReach);
  });

  test('confirmed staff with colleagues and the families of their groups, and everybody else is answered for alike', async () => {
    const { school, teacher, colleague, otherTeacher, head, guardian, neighbour, otherGuardian, unverified } = room;
    const { pupil, otherPupil, stranger, foreigner } = room;
    for (const other of [colleague, otherTeacher, head, guardian, neighbour])
      expect(answer(await direct(teacher, school, other))).toBe('Chat');
    expect(answer(await custom(teacher, school, [pupil, colleague]))).toBe('Chat');
    const absent = { organizationId: school.id, kind: 'CUSTOM', name: 'Talk', userIds: [absentUser()] };
    const nobody = await teacher.does('CreateChat', { input: absent });
    expect(nobody).toMatchObject(outOfReach);
    expect(await teacher.does('CreateChat', { input: { ...absent, userIds: ['nonsense'] } })).toEqual(nobody);
    for (const other of [otherGuardian, otherPupil, unverified, stranger, foreigner]) {
      expect(await direct(teacher, school, other)).toEqual(nobody);
      expect(await custom(teacher, school, [colleague, other])).toEqual(nobody);
    }
    for (const family of [guardian, otherGuardian, pupil])
      expect(await direct(colleague, school, family)).toEqual(nobody);
  });

  test('unverified staff, students and families with nobody, and who is elsewhere finds no such organization', async () => {
    const { school, elsewhere, unverified, pupil, guardian, teacher, colleague, stranger, foreigner } = room;
    for (const person of [unverified, pupil, guardian]) {
      expect(answer(await direct(person, school, teacher))).toBe('FORBIDDEN');
      expect(answer(await custom(person, school, [teacher]))).toBe('FORBIDDEN');
    }
    for (const person of [stranger, foreigner]) expect(answer(await direct(person, school, teacher))).toBe('NOT_FOUND');
    expect(answer(await direct(teacher, elsewhere, foreigner))).toBe('NOT_FOUND');
    const { organization } = await teacher.run('Organization', { id: school.id });
    expect(organization.id).toBe(school.id);
    expect(answer(await direct(colleague, school, colleague))).toBe('INVALID_INPUT');
  });

  test('where the institution allows it, a guardian between two with the staff of their child’s group', async () => {
    await using own = await startTestApp();
    const { school, guardian, teacher, otherTeacher, colleague, head, administrator, neighbour, unverified, pupil } =
      await openChatRoom(own);
    await allowGuardianChats(own);
    expect(await direct(guardian, school, teacher)).toMatchObject({
      kind: 'DIRECT',
      viewerCanWrite: { allowed: true },
    });
    const nobody = await direct(guardian, school, otherTeacher);
    expect(nobody).toMatchObject(outOfReach);
    for (const other of [colleague, head, administrator, neighbour, unverified, pupil])
      expect(await direct(guardian, school, other)).toEqual(nobody);
    expect(answer(await custom(guardian, school, [teacher]))).toBe('FORBIDDEN');
    expect(answer(await direct(pupil, school, teacher))).toBe('FORBIDDEN');
  });

  test('a pair has one direct chat, also when twenty begin it at once from both sides', async () => {
    const { school, teacher, world } = room;
    const other = await world.staff(school);
    const made = await atOnce(20, (index) =>
      index % 2 ? direct(teacher, school, other) : direct(other, school, teacher),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect((await membersFor(teacher, made[0].id)).totalCount).toBe(2);
  });

  test('a custom chat is made once by a key, also when twenty ask at once; the key is for that wish alone', async () => {
    const { school, colleague, teacher } = room;
    const input = { idempotencyKey: 'the-first-wish', name: 'Repairs' };
    const made = await atOnce(20, () => custom(colleague, school, [teacher], input));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const otherwise = await custom(colleague, school, [teacher], { ...input, name: 'Holidays' });
    expect(otherwise).toMatchObject({ code: 'INVALID_INPUT', field: 'idempotencyKey' });
    expect((await custom(teacher, school, [colleague], input)).id).not.toBe(made[0].id);
  });

  test('sizes and ids are looked at', async () => {
    const { school, teacher, colleague } = room;
    const wish = { organizationId: school.id, kind: 'CUSTOM', name: 'Talk' };
    const create = (input: object) => teacher.does('CreateChat', { input: { ...wish, userIds: [], ...input } });
    const userIds = await idsOf([colleague]);
    const cases: [object, string][] = [
      [{ name: ' ' }, 'name'],
      [{ name: null }, 'name'],
      [{ name: 'x'.repeat(101) }, 'name'],
      [{ userIds: Array.from({ length: 501 }, absentUser) }, 'userIds'],
      [{ idempotencyKey: 'short' }, 'idempotencyKey'],
      [{ kind: 'DIRECT', name: null }, 'userIds'],
      [{ kind: 'DIRECT', userIds }, 'userIds'],
      [{ kind: 'DIRECT', name: null, userIds: [...userIds, absentUser()] }, 'userIds'],
      [{ kind: 'HEAD_STAFF', userIds }, 'kind'],
    ];
    for (const [input, field] of cases) expect(await create(input)).toMatchObject({ code: 'INVALID_INPUT', field });
    expect(await create({ userIds: [...userIds, ...userIds, await idOfUser(teacher)] })).toMatchObject({
      kind: 'CUSTOM',
    });
    expect(answer(await create({ organizationId: 'nonsense' }))).toBe('NOT_FOUND');
  });

  test('five hundred people and whoever begins are one too many', async () => {
    const { school, teacher } = room;
    const many = Array.from({ length: 500 }, absentUser);
    const wish = { organizationId: school.id, kind: 'CUSTOM', name: 'Talk', userIds: many };
    const refused = await teacher.does('CreateChat', { input: wish });
    expect(refused).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('500') });
  });
});

describe('students', () => {
  test('a chat with students has a supervisor of theirs, who cannot leave it nor be taken out, and can be replaced', async () => {
    const { school, head, teacher, colleague, otherTeacher, pupil, otherPupil, guardian } = room;
    const [pupilId = '', teacherId = ''] = await idsOf([pupil, teacher]);
    const refused = { code: 'INVALID_INPUT', field: 'supervisorId' };
    for (const supervisor of [colleague, otherTeacher, guardian, pupil]) {
      const supervisorId = await idOfUser(supervisor);
      expect(await custom(head, school, [pupil, colleague, otherTeacher, guardian], { supervisorId })).toMatchObject(
        refused,
      );
    }
    expect(await custom(head, school, [pupil], { supervisorId: teacherId })).toMatchObject(refused);
    expect(await custom(head, school, [pupil, otherPupil, teacher], { supervisorId: teacherId })).toMatchObject(
      refused,
    );
    const chatId = await talk(head, school, [pupil, teacher, colleague], { supervisorId: teacherId });
    expect(await capacitiesFor(pupil, chatId)).toEqual(['STUDENT']);
    const needed = { code: 'SUPERVISOR_NEEDED' };
    expect(await teacher.does('LeaveChat', { chatId })).toMatchObject(needed);
    expect(await head.does('RemoveChatMember', { chatId, userId: teacherId })).toMatchObject(needed);
    for (const unfit of [colleague, guardian, pupil])
      expect(await head.does('UpdateChat', { input: { chatId, supervisorId: await idOfUser(unfit) } })).toMatchObject(
        refused,
      );
    await head.does('UpdateChat', { input: { chatId, supervisorId: await idOfUser(head) } });
    expect(await head.does('LeaveChat', { chatId })).toMatchObject(needed);
    expect(answer(await teacher.does('LeaveChat', { chatId }))).toBe('Chat');
    expect(await capacitiesFor(pupil, chatId)).toEqual(['STUDENT']);
    await head.does('RemoveChatMember', { chatId, userId: pupilId });
    expect(answer(await head.does('LeaveChat', { chatId }))).toBe('Chat');
  });

  test('students come into a chat only when its supervisor answers for each of them', async () => {
    const { school, teacher, colleague, pupil, otherPupil, head } = room;
    const [pupilId = '', otherPupilId = '', teacherId = ''] = await idsOf([pupil, otherPupil, teacher]);
    const chatId = await talk(head, school, [teacher, colleague]);
    const add = (userId: string) => head.does('AddChatMembers', { chatId, userIds: [userId] });
    expect(await add(pupilId)).toMatchObject({ code: 'SUPERVISOR_NEEDED' });
    await head.does('UpdateChat', { input: { chatId, supervisorId: teacherId } });
    expect(answer(await add(pupilId))).toBe('Chat');
    expect(await add(otherPupilId)).toMatchObject({ code: 'SUPERVISOR_NEEDED' });
    await head.does('UpdateChat', { input: { chatId, supervisorId: await idOfUser(head) } });
    expect(answer(await add(otherPupilId))).toBe('Chat');
  });

  const endings: Record<string, (room: ChatRoom, supervisor: Json) => Promise<Json>> = {
    'their assignment': ({ administrator }, { assignmentId }) =>
      administrator.does('EndStaffAssignment', { input: { staffAssignmentId: assignmentId } }),
    'their confirmed status': ({ administrator }, { verificationId }) =>
      administrator.does('RevokeVerification', { verificationId, reason: 'Mistake.' }),
    'their employment': ({ administrator }, { membershipId }) =>
      administrator.does('EndMembership', { membershipId, reason: 'Moved.' }),
    'their membership, for a while,': ({ administrator }, { membershipId }) =>
      administrator.does('SuspendMembership', { membershipId, reason: 'Inquiry.' }),
  };
  for (const [what, end] of Object.entries(endings)) {
    test(`when ${what} ends, students are out at once, and back when another answers for them`, async () => {
      const { world, school, head, pupil, groupId } = room;
      const supervisor = await world.teacher(school, groupId);
      const chatId = await talk(head, school, [pupil, supervisor], { supervisorId: await idOfUser(supervisor) });
      const stream = await follow(pupil, 'ChatEvents', { chatId });
      expect(answer(await end(room, supervisor))).not.toBe('FORBIDDEN');
      const ended = await stream.nextOf('AccessEnded');
      expect(ended).toMatchObject({ reason: 'MEMBERSHIP_CHANGED' });
      await stream.done;
      expect(await chatFor(pupil, chatId)).toMatchObject({ viewerCanWrite: { allowed: false, reason: 'LEFT' } });
      expect(answer(await say(pupil, chatId))).toBe('FORBIDDEN');
      const between = await say(head, chatId);
      await head.does('UpdateChat', { input: { chatId, supervisorId: await idOfUser(head) } });
      expect(await capacitiesFor(pupil, chatId)).toEqual(['STUDENT']);
      expect(await say(pupil, chatId)).toMatchObject({ number: between.number + 1 });
    });
  }
});

describe('the institution’s own chats', () => {
  test('are left by a student, and by families, with the group; and nothing of any chat stays with who has no child here', async () => {
    const { world, school, groupId, otherGroupId, administrator, teacher, colleague } = room;
    const childId = await world.child(school, groupId);
    const guardian = await world.guardian(school, childId);
    const learner = await world.person('Learner');
    const made = await administrator.does('CreateInvite', { input: { role: 'STUDENT', childId } });
    await learner.does('RedeemInvite', { code: made.inviteCode });
    const chatId = await talk(teacher, school, [learner, guardian, colleague]);
    const stands = async () => [await capacitiesFor(learner, chatId), await capacitiesFor(guardian, chatId)];
    expect(await stands()).toEqual([['STUDENT'], ['GUARDIAN']]);
    await move(school, childId, otherGroupId);
    expect(await stands()).toEqual([[], []]);
    await move(school, childId, groupId);
    expect(await stands()).toEqual([['STUDENT'], ['GUARDIAN']]);
    await administrator.does('ArchiveGroup', { groupId: otherGroupId });
    await administrator.does('RestoreGroup', { groupId: otherGroupId });
    await administrator.does('WithdrawChild', { input: { childId } });
    expect(await chatFor(guardian, chatId)).toBeNull();
    expect((await guardian.run('Chats', { past: true })).viewer.chats).toMatchObject({ totalCount: 0, nodes: [] });
    await administrator.does('EnrollChild', { input: { childId, groupId } });
    expect(await stands()).toEqual([['STUDENT'], ['GUARDIAN']]);
  });

  test('of a group that is put away are read and not written, until it is back', async () => {
    const { world, school, administrator } = room;
    const groupId = await world.group(school);
    const teacher = await world.teacher(school, groupId);
    const chatId = await world.chat(teacher, school, groupId);
    await say(teacher, chatId);
    const stream = await follow(teacher, 'ChatEvents', { chatId });
    await administrator.does('ArchiveGroup', { groupId });
    expect(await stream.next()).toMatchObject({ __typename: 'AccessEnded' });
    const read = { messages: { nodes: [{ number: 1 }] } };
    const refused = { allowed: false, reason: 'LEFT' };
    expect(await chatFor(teacher, chatId)).toMatchObject({ ...read, state: 'READ_ONLY', viewerCanWrite: refused });
    expect(answer(await say(teacher, chatId))).toBe('FORBIDDEN');
    await administrator.does('RestoreGroup', { groupId });
    await world.assign(school, teacher.membershipId, groupId);
    expect(await chatFor(teacher, chatId)).toMatchObject({ ...read, state: 'ACTIVE' });
    expect(await say(teacher, chatId)).toMatchObject({ number: 2 });
  });

  test('follow their causes: nobody puts people in, takes them out, leaves, names or closes them', async () => {
    const { school, head, administrator, teacher, guardian, colleague, groupChat, world } = room;
    const staffRoom = await world.chat(head, school);
    const between = (await direct(head, school, teacher)).id;
    const deeds = chatDeeds(await idOfUser(colleague));
    const names = [
      'AddChatMembers',
      'RemoveChatMember',
      'UpdateChat',
      'LeaveChat',
      'MakeChatReadOnly',
      'ReopenChat',
      'ArchiveChat',
    ];
    const places: [string, Person[]][] = [
      [staffRoom, [head, teacher]],
      [groupChat, [teacher, guardian]],
      [between, [head, teacher]],
    ];
    for (const [chatId, people] of places)
      for (const person of people)
        for (const name of names) {
          const refused = await chatDeed(person, name, chatId, deeds[name] ?? {});
          expect([name, answer(refused)]).toEqual([name, 'INVALID_INPUT']);
        }
    expect(answer(await administrator.does('LeaveChat', { chatId: groupChat }))).toBe('NOT_FOUND');
    expect(await chatFor(head, groupChat)).toBeNull();
  });

  test('have those in them whom their causes name', async () => {
    await using own = await startTestApp();
    const { school, administrator, head, teacher, guardian, neighbour, unverified, groupChat, world, ...others } =
      await openChatRoom(own);
    const { colleague, otherTeacher, otherGuardian, pupil } = others;
    const all = {
      administrator,
      head,
      teacher,
      guardian,
      neighbour,
      unverified,
      colleague,
      otherTeacher,
      otherGuardian,
      pupil,
    };
    expect(await namesOf(teacher, groupChat, all)).toEqual([
      'guardian GUARDIAN',
      'neighbour GUARDIAN',
      'teacher EMPLOYEE',
    ]);
    expect(await namesOf(head, await world.chat(head, school), all)).toEqual([
      'colleague EMPLOYEE',
      'head EMPLOYEE',
      'otherTeacher EMPLOYEE',
      'teacher EMPLOYEE',
    ]);
  });
});

describe('a custom chat is managed', () => {
  test('by who made it and the leaders in it, and when who made it is gone by any staff in it', async () => {
    const { school, teacher, colleague, guardian, head, neighbour, unverified, stranger, foreigner, otherTeacher } =
      room;
    const chatId = await talk(teacher, school, [colleague, guardian, head]);
    const [neighbourId = '', teacherId = ''] = await idsOf([neighbour, teacher]);
    const managing = [
      'AddChatMembers',
      'RemoveChatMember',
      'UpdateChat',
      'MakeChatReadOnly',
      'ReopenChat',
      'ArchiveChat',
    ];
    const deeds = chatDeeds(neighbourId);
    for (const person of [colleague, guardian])
      for (const name of managing)
        expect([name, answer(await chatDeed(person, name, chatId, deeds[name] ?? {}))]).toEqual([name, 'FORBIDDEN']);
    const outside = [otherTeacher, neighbour, unverified, stranger, foreigner, room.administrator];
    for (const person of outside) {
      for (const [name, values] of Object.entries(deeds))
        expect([name, answer(await chatDeed(person, name, chatId, values))]).toEqual([name, 'NOT_FOUND']);
      expect(answer(await say(person, chatId))).toBe('NOT_FOUND');
      expect(await chatFor(person, chatId)).toBeNull();
      for (const name of ['MessageSent', 'ChatEvents']) {
        const stream = person.subscribe(name, { chatId });
        await stream.done;
        expect(stream.errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
      }
    }
    for (const [name, values] of Object.entries(deeds))
      expect([name, answer(await chatDeed(teacher, name, absentChat(), values))]).toEqual([name, 'NOT_FOUND']);
    expect(await teacher.does('AddChatMembers', { chatId, userIds: [neighbourId] })).toMatchObject({
      viewerCanManage: true,
    });
    expect(await head.does('UpdateChat', { input: { chatId, name: 'By the head' } })).toMatchObject({
      name: 'By the head',
    });
    await teacher.does('LeaveChat', { chatId });
    expect(answer(await chatDeed(teacher, 'UpdateChat', chatId, { name: 'Back' }))).toBe('FORBIDDEN');
    expect(await chatFor(colleague, chatId)).toMatchObject({ viewerCanManage: true });
    expect(await chatFor(guardian, chatId)).toMatchObject({ viewerCanManage: false });
    expect(await colleague.does('UpdateChat', { input: { chatId, name: 'Ours' } })).toMatchObject({ name: 'Ours' });
    await colleague.does('AddChatMembers', { chatId, userIds: [teacherId] });
    expect(await chatFor(colleague, chatId)).toMatchObject({ viewerCanManage: false });
    expect(await chatFor(teacher, chatId)).toMatchObject({ viewerCanManage: true });
  });

  test('by any staff in it also when who made it is there as a guardian alone', async () => {
    const { world, school, groupId, administrator, teacher, colleague } = room;
    const maker = await world.staff(school);
    await world.guardian(school, await world.child(school, groupId), maker);
    const chatId = await talk(maker, school, [teacher, colleague]);
    await administrator.does('RevokeVerification', { verificationId: maker.verificationId, reason: 'Mistake.' });
    expect(await chatFor(maker, chatId)).toMatchObject({ viewerCapacities: ['GUARDIAN'], viewerCanManage: false });
    expect(await chatFor(colleague, chatId)).toMatchObject({ viewerCanManage: true });
  });

  test('who has left it is shown no more who takes part', async () => {
    const { school, teacher, colleague, neighbour } = room;
    const chatId = await talk(teacher, school, [colleague, neighbour]);
    expect((await membersFor(colleague, chatId)).totalCount).toBe(3);
    await colleague.does('LeaveChat', { chatId });
    expect(await membersFor(colleague, chatId)).toMatchObject({ totalCount: 0, nodes: [] });
    expect((await membersFor(teacher, chatId)).totalCount).toBe(2);
  });

  test('nobody brings in whom they may not talk to', async () => {
    const { school, teacher, colleague, otherGuardian, unverified, stranger, foreigner } = room;
    const chatId = await talk(teacher, school, [colleague]);
    const add = (userIds: readonly string[]) => teacher.does('AddChatMembers', { chatId, userIds });
    const nobody = await add([absentUser()]);
    expect(nobody).toMatchObject(outOfReach);
    for (const id of ['nonsense', ...(await idsOf([otherGuardian, unverified, stranger, foreigner]))])
      expect(await add([id])).toEqual(nobody);
    expect((await membersFor(teacher, chatId)).totalCount).toBe(2);
  });

  test('frozen it is read, reopened it is written, put away it stays so', async () => {
    const { school, teacher, colleague, neighbour } = room;
    const chatId = await talk(teacher, school, [colleague]);
    await say(teacher, chatId);
    await teacher.does('MakeChatReadOnly', { chatId });
    expect(await chatFor(colleague, chatId)).toMatchObject({ viewerCanWrite: { allowed: false, reason: 'READ_ONLY' } });
    for (const person of [teacher, colleague]) expect(answer(await say(person, chatId))).toBe('INVALID_STATE');
    const userIds = await idsOf([neighbour]);
    expect(answer(await teacher.does('AddChatMembers', { chatId, userIds }))).toBe('INVALID_STATE');
    await teacher.does('ReopenChat', { chatId });
    expect(answer(await say(colleague, chatId))).toBe('Message');
    await teacher.does('ArchiveChat', { chatId });
    expect(await chatFor(colleague, chatId)).toMatchObject({
      state: 'ARCHIVED',
      viewerCanWrite: { allowed: false, reason: 'ARCHIVED' },
      messages: { nodes: [{ number: 2 }, { number: 1 }] },
    });
    for (const name of ['MakeChatReadOnly', 'ReopenChat', 'UpdateChat'])
      expect([name, answer(await chatDeed(teacher, name, chatId, name === 'UpdateChat' ? { name: 'X' } : {}))]).toEqual(
        [name, 'INVALID_STATE'],
      );
    expect(answer(await say(colleague, chatId))).toBe('INVALID_STATE');
  });

  test('to do again what is done changes nothing, and nobody hears of it', async () => {
    const { school, teacher, colleague, neighbour } = room;
    const chatId = await talk(teacher, school, [colleague, neighbour]);
    const [neighbourId = '', colleagueId = ''] = await idsOf([neighbour, colleague]);
    const deeds: [string, object][] = [
      ['AddChatMembers', { userIds: [colleagueId] }],
      ['UpdateChat', { name: 'Once', historyVisibility: 'ALL' }],
      ['UpdateChat', { supervisorId: colleagueId }],
      ['RemoveChatMember', { userId: neighbourId }],
      ['MakeChatReadOnly', {}],
      ['ReopenChat', {}],
      ['ArchiveChat', {}],
    ];
    for (const [name, values] of deeds) {
      const once = await chatDeed(teacher, name, chatId, values);
      const stream = await follow(teacher, 'ChatEvents', { chatId });
      expect(await chatDeed(teacher, name, chatId, values)).toEqual(once);
      await teacher.does('SaveChatDraft', { chatId, text: `After ${name}` });
      const marked = await stream.next();
      expect([name, values, marked.kind]).toEqual([name, values, 'CHAT_DRAFT_SAVED']);
      await stream[Symbol.asyncDispose]();
    }
    await colleague.does('LeaveChat', { chatId });
    expect(answer(await colleague.does('LeaveChat', { chatId }))).toBe('Chat');
  });

  test('what was done to it stands in the audit log, also who answers for the students', async () => {
    const { school, administrator, teacher, colleague } = room;
    const chatId = await talk(teacher, school, [colleague]);
    const supervisorId = await idOfUser(colleague);
    await teacher.does('UpdateChat', { input: { chatId, supervisorId } });
    const { organization } = await administrator.run('AuditLog', { organizationId: school.id, first: 1 });
    expect(organization.auditLog.nodes[0]).toMatchObject({ action: 'chat.update' });
    expect(JSON.stringify(organization.auditLog.nodes[0])).toContain(supervisorId);
  });
});

describe('who takes part follows what people are', () => {
  test('families are in a chat while somebody in it answers for them', async () => {
    const { world, school, groupId, otherGroupId, administrator, colleague } = room;
    const teacher = await world.teacher(school, groupId);
    const childId = await world.child(school, groupId);
    const guardian = await world.guardian(school, childId);
    const between = (await direct(teacher, school, guardian)).id;
    const chatId = await talk(teacher, school, [guardian, colleague]);
    const stands = async () => [
      await capacitiesFor(guardian, between),
      await capacitiesFor(teacher, between),
      await capacitiesFor(guardian, chatId),
    ];
    const [there, gone] = [
      [['GUARDIAN'], ['EMPLOYEE'], ['GUARDIAN']],
      [[], [], []],
    ];
    expect(await stands()).toEqual(there);
    await move(school, childId, otherGroupId);
    expect(await stands()).toEqual(gone);
    await move(school, childId, groupId);
    expect(await stands()).toEqual(there);
    await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: teacher.assignmentId } });
    expect(await stands()).toEqual(gone);
    await world.assign(school, teacher.membershipId, groupId);
    expect(await stands()).toEqual(there);
    await administrator.does('RevokeVerification', { verificationId: teacher.verificationId, reason: 'Mistake.' });
    expect(await capacitiesFor(guardian, chatId)).toEqual([]);
    expect(await chatFor(teacher, chatId)).toBeNull();
    const asked = await teacher.does('SubmitVerification', { membershipId: teacher.membershipId, evidence: 'Order 3' });
    await administrator.does('ConfirmVerification', { verificationId: asked.id });
    expect(await stands()).toEqual(there);
    await administrator.does('SuspendMembership', { membershipId: guardian.membershipId, reason: 'Inquiry.' });
    expect(await chatFor(guardian, between)).toBeNull();
    expect(await capacitiesFor(teacher, between)).toEqual([]);
    await administrator.does('RestoreMembership', { membershipId: guardian.membershipId });
    expect(await stands()).toEqual(there);
    await administrator.does('RevokeGuardianLink', { guardianLinkId: guardian.linkId, reason: 'Court order.' });
    expect(await chatFor(guardian, between)).toBeNull();
    expect(await chatFor(guardian, chatId)).toBeNull();
    expect(await capacitiesFor(teacher, between)).toEqual([]);
  });

  test('the families of a chat of the head’s are out when another becomes head, and those of an administrator’s with the grant', async () => {
    await using own = await startTestApp();
    const { world, school, administrator, head, guardian, colleague } = await openChatRoom(own);
    const second = await world.secondAdministrator(school);
    const chats = [
      await talk(head, school, [guardian]),
      (await direct(head, school, guardian)).id,
      await talk(second, school, [guardian]),
      (await direct(second, school, guardian)).id,
    ];
    const stands = () => Promise.all(chats.map(async (id) => (await capacitiesFor(guardian, id))?.length));
    expect(await stands()).toEqual([1, 1, 1, 1]);
    await administrator.does('AppointHead', { membershipId: colleague.membershipId });
    expect(await stands()).toEqual([0, 0, 1, 1]);
    await administrator.does('RevokeAdministrator', { grantId: second.grantId });
    expect(await stands()).toEqual([0, 0, 0, 0]);
  });

  test('of two colleagues the one who stays reads their chat on, and writes no more', async () => {
    const { world, school, administrator, colleague } = room;
    const former = await world.staff(school);
    const { id: chatId } = await direct(former, school, colleague);
    await say(former, chatId);
    await administrator.does('EndMembership', { membershipId: former.membershipId, reason: 'Moved.' });
    expect(await chatFor(former, chatId)).toBeNull();
    expect(await chatFor(colleague, chatId)).toMatchObject({
      viewerCapacities: [],
      viewerCanWrite: { allowed: false, reason: 'LEFT' },
      messages: { nodes: [{ number: 1 }] },
    });
    expect(answer(await say(colleague, chatId))).toBe('FORBIDDEN');
    const { viewer } = await colleague.run('Chats', { past: true, first: 100 });
    expect(viewer.chats.nodes.map(({ id }: Json) => id)).toContain(chatId);
  });

  test('one who works here and has a child here is there as both, ends as each by itself, and speaks as they choose', async () => {
    const { world, school, groupId, administrator, guardian, groupChat } = room;
    const both = await world.teacher(school, groupId);
    await world.guardian(school, await world.child(school, groupId), both);
    expect(await capacitiesFor(both, groupChat)).toEqual(['EMPLOYEE', 'GUARDIAN']);
    expect(await namesOf(guardian, groupChat, { both })).toEqual(
      expect.arrayContaining(['both EMPLOYEE', 'both GUARDIAN']),
    );
    expect(await say(both, groupChat)).toMatchObject({ capacity: 'EMPLOYEE' });
    const asked = await say(both, groupChat, { capacity: 'GUARDIAN' });
    expect(asked).toMatchObject({ capacity: 'GUARDIAN' });
    expect(await say(both, groupChat)).toMatchObject({ capacity: 'GUARDIAN' });
    expect(await say(both, groupChat, { capacity: 'STUDENT' })).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'capacity',
    });
    expect(await say(both, groupChat, { acknowledgementRequired: true })).toMatchObject({ capacity: 'EMPLOYEE' });
    const stream = await follow(both, 'MessageSent', { chatId: groupChat });
    await administrator.does('EndStaffAssignment', { input: { staffAssignmentId: both.assignmentId } });
    expect(await capacitiesFor(both, groupChat)).toEqual(['GUARDIAN']);
    expect(await say(both, groupChat, { capacity: 'EMPLOYEE' })).toMatchObject({ field: 'capacity' });
    expect(await say(both, groupChat)).toMatchObject({ capacity: 'GUARDIAN' });
    expect(
      (await chatFor(guardian, groupChat)).messages.nodes.map(({ capacity }: Json) => capacity).slice(0, 5),
    ).toEqual(['EMPLOYEE', 'GUARDIAN', 'GUARDIAN', 'EMPLOYEE', 'GUARDIAN'].toReversed());
    await administrator.does('RevokeGuardianLink', { guardianLinkId: Object(both).linkId, reason: 'Court order.' });
    expect((await stream.nextOf('AccessEnded')).reason).toBe('MEMBERSHIP_CHANGED');
    expect(kinds(stream)).toEqual(['MessageSent', 'AccessEnded']);
  });

  test('a guardian of two children of one group stays when one of them leaves', async () => {
    const { world, school, groupId, otherGroupId, groupChat } = room;
    const [first, second] = [await world.child(school, groupId), await world.child(school, groupId)];
    const guardian = await world.guardian(school, first);
    await world.guardian(school, second, guardian);
    const stream = await follow(guardian, 'MessageSent', { chatId: groupChat });
    await move(school, first, otherGroupId);
    expect(await say(guardian, groupChat)).toMatchObject({ capacity: 'GUARDIAN' });
    expect(await stream.next()).toMatchObject({ __typename: 'MessageSent' });
    await move(school, second, otherGroupId);
    expect(await stream.next()).toMatchObject({ __typename: 'AccessEnded' });
  });
});
