import { sql } from 'drizzle-orm';
import { grantAdministrator, revokeAdministrator } from '../../src/administrators/commands.ts';
import { assignStaff, endStaffAssignment } from '../../src/assignments/commands.ts';
import { archiveChat, makeChatReadOnly, reopenChat } from '../../src/chat-management/commands.ts';
import {
  addChatMembers,
  createChat,
  leaveChat,
  removeChatMember,
  updateChat,
} from '../../src/chat-members/commands.ts';
import { addChild } from '../../src/children/commands.ts';
import type { Database } from '../../src/database/connect.ts';
import { endMembership, leaveOrganization } from '../../src/departures/commands.ts';
import { cancelPlannedMovement, makeDueMovements } from '../../src/due-movements/commands.ts';
import { enrollChild, graduateChild, transferChild, withdrawChild } from '../../src/enrollments/commands.ts';
import { revokeGuardianLink, setGuardianContactVisibility } from '../../src/guardians/commands.ts';
import { createInvite } from '../../src/invites/commands.ts';
import { appointHead, restoreMembership, suspendMembership } from '../../src/memberships/commands.ts';
import { deleteMessage } from '../../src/message-edits/commands.ts';
import { restoreOrganization, suspendOrganization } from '../../src/organizations/commands.ts';
import { today } from '../../src/organizations/queries.ts';
import { deletePost, draftPost, updatePost } from '../../src/posts/commands.ts';
import { archivePost, publishPost, restorePost } from '../../src/publications/commands.ts';
import { redeemInvite } from '../../src/redemptions/commands.ts';
import { sendMessage } from '../../src/sending/commands.ts';
import { archiveGroup, createGroup, moveGroup, restoreGroup } from '../../src/structure/commands.ts';
import {
  approveSuggestion,
  rejectSuggestion,
  suggestPost,
  withdrawSuggestion,
} from '../../src/suggestions/commands.ts';
import { confirmVerification, revokeVerification, submitVerification } from '../../src/verifications/commands.ts';
import { Viewer } from '../../src/viewer.ts';
import type { Assignment, Child, Group, Invite, Link, Membership, Plan, School, Somebody } from './model.ts';
import * as model from './model.ts';
import type { Chat, Message } from './talking.ts';
import * as talking from './talking.ts';
import type { Channel, Post, PostDeed } from './telling.ts';
import * as telling from './telling.ts';

/** A wish granted twice: by the model, which says what is to come of it, and by the command. */
export interface Deed {
  /** The thing that is made, if any: its id is the database's to give. */
  readonly expected: () => unknown;
  readonly done: (db: Database) => Promise<unknown>;
}

export async function undone(db: Database, work: (tx: Database) => Promise<void>): Promise<void> {
  const over = new Error('over');
  await db
    .transaction(async (tx) => {
      await work(tx);
      throw over;
    })
    .catch((error) => {
      if (error !== over) throw error;
    });
}

export const viewer = ({ userId, sessionId, phone }: Somebody): Viewer =>
  new Viewer({ userId, sessionId, phone, locale: 'ru', isOperator: false, standings: [] });

/** A day to come, by its number; no run is so long that one becomes today. */
const dayOf = (number: number): string =>
  new Date(Date.parse(firstDay) + (number + 2) * 86_400_000).toISOString().slice(0, 10);
const firstDay = today({ timeZone: 'Europe/Moscow' });

export const reason = 'So it was decided.';
export let names = 0;

/** The commands, each beside what the model says of it. */
export const acts = {
  createGroup: (school: School, by: Somebody, parent: Group | null): Deed => ({
    expected: () => model.createGroup(school, by, parent),
    done: (db) =>
      createGroup(db, viewer(by), {
        organizationId: school.id,
        parentId: parent?.id ?? null,
        kind: 'AGE_GROUP',
        name: `Group ${++names}`,
        academicYear: '2026/27',
      }),
  }),
  moveGroup: (group: Group, by: Somebody, parent: Group | null): Deed => ({
    expected: () => model.moveGroup(group, by, parent),
    done: (db) => moveGroup(db, viewer(by), group.id, parent?.id ?? null),
  }),
  archiveGroup: (group: Group, by: Somebody): Deed => ({
    expected: () => model.archiveGroup(group, by),
    done: (db) => archiveGroup(db, viewer(by), group.id),
  }),
  restoreGroup: (group: Group, by: Somebody): Deed => ({
    expected: () => model.restoreGroup(group, by),
    done: (db) => restoreGroup(db, viewer(by), group.id),
  }),
  assignStaff: (
    membership: Membership,
    group: Group,
    by: Somebody,
    position: model.Position,
    day: number | null,
  ): Deed => ({
    expected: () => model.assignStaff(membership, group, by, position, day),
    done: (db) =>
      assignStaff(db, viewer(by), { membershipId: membership.id, groupId: group.id, position, ...onDay(day) }),
  }),
  endStaffAssignment: (assignment: Assignment, id: string, by: Somebody, day: number | null): Deed => ({
    expected: () => model.endStaffAssignment(assignment, by, day),
    done: (db) => endStaffAssignment(db, viewer(by), { staffAssignmentId: id, ...onDay(day) }),
  }),
  addChild: (school: School, by: Somebody): Deed => ({
    expected: () => model.addChild(school, by),
    done: (db) =>
      addChild(db, viewer(by), { organizationId: school.id, familyName: `Child ${++names}`, givenName: 'Misha' }),
  }),
  moveChild: (child: Child, to: Group | null, by: Somebody, kind: keyof typeof movers, day: number | null): Deed => ({
    expected: () => model.moveChild(child, to, by, kind, day),
    done: (db) => movers[kind](db, viewer(by), { childId: child.id, groupId: to?.id, ...onDay(day) }),
  }),
  inviteFamily: (child: Child, by: Somebody, role: 'GUARDIAN' | 'STUDENT', told: Group): Deed => {
    const groupId = child.group ? null : told.id;
    return {
      expected: () => model.inviteFamily(child, by, role, told),
      done: (db) => createInvite(db, viewer(by), { role, childId: child.id, groupId }),
    };
  },
  inviteEmployee: (school: School, by: Somebody): Deed => ({
    expected: () => model.inviteEmployee(school, by),
    done: (db) => createInvite(db, viewer(by), { role: 'EMPLOYEE', groupId: school.groups[0]?.id }),
  }),
  redeemInvite: (invite: Invite, by: Somebody): Deed => ({
    expected: () => model.redeemInvite(invite, by),
    done: (db) => redeemInvite(db, viewer(by), { code: invite.code }),
  }),
  revokeGuardianLink: (link: Link, id: string, by: Somebody): Deed => ({
    expected: () => model.revokeLink(link, by),
    done: (db) => revokeGuardianLink(db, viewer(by), { guardianLinkId: id, reason }),
  }),
  setGuardianContactVisibility: (link: Link, id: string, by: Somebody, limited: boolean): Deed => ({
    expected: () => model.setVisibility(link, by, limited),
    done: (db) =>
      setGuardianContactVisibility(db, viewer(by), {
        guardianLinkId: id,
        contactVisibility: limited ? 'LIMITED' : 'FULL',
      }),
  }),
  suspendMembership: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.changeMembership(m, by, 'SUSPENDED'),
    done: (db) => suspendMembership(db, viewer(by), { membershipId: m.id, reason }),
  }),
  restoreMembership: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.changeMembership(m, by, 'ACTIVE'),
    done: (db) => restoreMembership(db, viewer(by), { membershipId: m.id }),
  }),
  endMembership: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.changeMembership(m, by, 'ENDED'),
    done: (db) => endMembership(db, viewer(by), { membershipId: m.id, reason }),
  }),
  leaveOrganization: (school: School, by: Somebody, role: model.Role | null): Deed => ({
    expected: () => model.leave(school, by, role),
    done: (db) => leaveOrganization(db, viewer(by), { organizationId: school.id, role }),
  }),
  submitVerification: (m: Membership): Deed => ({
    expected: () => model.submitVerification(m),
    done: (db) => submitVerification(db, viewer(m.person), { membershipId: m.id, evidence: 'Order 12' }),
  }),
  confirmVerification: (m: Membership, id: string, by: Somebody): Deed => ({
    expected: () => model.decideVerification(m, by, 'VERIFIED'),
    done: (db) => confirmVerification(db, viewer(by), { verificationId: id }),
  }),
  revokeVerification: (m: Membership, id: string, by: Somebody): Deed => ({
    expected: () => model.decideVerification(m, by, 'REVOKED'),
    done: (db) => revokeVerification(db, viewer(by), { verificationId: id, reason }),
  }),
  grantAdministrator: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.grantAdministrator(m, by),
    done: (db) => grantAdministrator(db, viewer(by), { membershipId: m.id }),
  }),
  revokeAdministrator: (m: Membership, id: string, by: Somebody): Deed => ({
    expected: () => model.revokeAdministrator(m, by),
    done: (db) => revokeAdministrator(db, viewer(by), { grantId: id }),
  }),
  appointHead: (m: Membership, by: Somebody): Deed => ({
    expected: () => model.appointHead(m, by),
    done: (db) => appointHead(db, viewer(by), { membershipId: m.id }),
  }),
  suspendOrganization: (school: School, by: Somebody): Deed => ({
    expected: () => model.setSuspended(school, by, true),
    done: (db) => suspendOrganization(db, viewer(by), school.id, reason),
  }),
  restoreOrganization: (school: School, by: Somebody): Deed => ({
    expected: () => model.setSuspended(school, by, false),
    done: (db) => restoreOrganization(db, viewer(by), school.id),
  }),
  cancelPlannedMovement: (plan: Plan, id: string, by: Somebody): Deed => ({
    expected: () => model.cancelPlan(plan, by),
    done: (db) => cancelPlannedMovement(db, viewer(by), id),
  }),
  draftPost: (channel: Channel, by: Somebody): Deed => ({
    expected: () => telling.draft(channel, by),
    done: (db) => draftPost(db, viewer(by), { channelId: channel.id, text: `Post ${++names}` }),
  }),
  changePost: (post: Post, by: Somebody, deed: PostDeed): Deed => ({
    expected: () => telling.change(post, by, deed),
    done: (db) => changers[deed](db, viewer(by), post.id),
  }),
  createChat: (
    school: School,
    by: Somebody,
    kind: 'DIRECT' | 'CUSTOM',
    people: readonly Somebody[],
    wholePast = false,
    supervisor: Somebody | null = null,
  ): Deed => ({
    expected: () => talking.create(school, by, kind, people, wholePast, supervisor),
    done: async (db) => ({
      id: await createChat(db, viewer(by), {
        organizationId: school.id,
        kind,
        name: kind === 'CUSTOM' ? `Chat ${++names}` : null,
        userIds: people.map(({ userId }) => userId),
        historyVisibility: wholePast ? 'ALL' : 'FROM_JOIN',
        supervisorId: supervisor?.userId,
      }),
    }),
  }),
  addChatMembers: (chat: Chat, by: Somebody, people: readonly Somebody[]): Deed => ({
    expected: () => talking.add(chat, by, people),
    done: (db) =>
      addChatMembers(
        db,
        viewer(by),
        chat.id,
        people.map(({ userId }) => userId),
      ),
  }),
  removeChatMember: (chat: Chat, by: Somebody, person: Somebody): Deed => ({
    expected: () => talking.remove(chat, by, person),
    done: (db) => removeChatMember(db, viewer(by), chat.id, person.userId),
  }),
  leaveChat: (chat: Chat, by: Somebody): Deed => ({
    expected: () => talking.leave(chat, by),
    done: (db) => leaveChat(db, viewer(by), chat.id),
  }),
  appointSupervisor: (chat: Chat, by: Somebody, person: Somebody): Deed => ({
    expected: () => talking.appoint(chat, by, person),
    done: (db) => updateChat(db, viewer(by), chat.id, { supervisorId: person.userId }),
  }),
  closeChat: (chat: Chat, by: Somebody, state: Chat['state']): Deed => ({
    expected: () => talking.become(chat, by, state),
    done: (db) => closers[state](db, viewer(by), chat.id),
  }),
  sendMessage: (chat: Chat, by: Somebody): Deed => ({
    expected: () => talking.send(chat, by),
    done: (db) =>
      sendMessage(db, viewer(by), { chatId: chat.id, text: 'Words', clientMessageId: `message-${++names}` }),
  }),
  deleteMessage: (message: Message, by: Somebody): Deed => ({
    expected: () => talking.takeBack(message, by),
    done: (db) => deleteMessage(db, viewer(by), message.id),
  }),
  letDaysPass: (school: School): Deed => ({
    expected: () => model.daysPass(school, talking.settle),
    done: async (db) => {
      // Nothing but the calendar moves: all that has a day is that much longer ago.
      const here = sql`organization_id = ${school.id}`;
      const earlier = sql`started_on = started_on - 20, ended_on = ended_on - 20`;
      await db.execute(sql`update enrollments set ${earlier} where ${here}`);
      await db.execute(sql`update staff_assignments set ${earlier} where ${here}`);
      await db.execute(sql`update planned_movements set effective_on = effective_on - 20 where ${here}`);
      await makeDueMovements(db);
    },
  }),
};

export const movers = {
  ENROLLED: enrollChild,
  TRANSFERRED: transferChild,
  GRADUATED: graduateChild,
  WITHDRAWN: withdrawChild,
} as const;

const changers: Readonly<Record<PostDeed, (db: Database, by: Viewer, postId: string) => Promise<unknown>>> = {
  suggest: suggestPost,
  withdraw: withdrawSuggestion,
  approve: approveSuggestion,
  reject: (db, by, postId) => rejectSuggestion(db, by, postId, { comment: reason }),
  publish: publishPost,
  archive: archivePost,
  restore: restorePost,
  remove: deletePost,
  edit: (db, by, postId) => updatePost(db, by, postId, { text: `Words ${++names}` }),
};

const closers = { ACTIVE: reopenChat, READ_ONLY: makeChatReadOnly, ARCHIVED: archiveChat } as const;

const onDay = (day: number | null) => (day === null ? {} : { effectiveOn: dayOf(day) });

export function pick<Item>(list: readonly Item[], index: number): Item {
  const item = list[index % list.length];
  if (item === undefined) throw new Error('there is nothing to pick from');
  return item;
}
