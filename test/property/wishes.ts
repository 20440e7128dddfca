import fc from 'fast-check';
import { acts, type Deed, type movers, pick } from './deeds.ts';
import type { Place } from './place.ts';

/** What somebody wishes: things are named by their place in lists, so that a wish means something in any school. */
export interface Wish {
  readonly what: string;
  /** Who: 0 is an administrator. */
  readonly by: number;
  readonly one: number;
  readonly two: number;
  /** Which of its variants. */
  readonly how: number;
  /** Who looks at everything afterwards. */
  readonly looks: number;
}

/** Which command a wish names, on what; null where there is nothing to do it to. */
export const meanings: Readonly<Record<string, (place: Place, wish: Wish) => Deed | null>> = {
  createGroup: (place, w) => acts.createGroup(place.school, place.actor(w), w.how % 2 ? place.group(w.one) : null),
  moveGroup: (place, w) => acts.moveGroup(place.group(w.one), place.actor(w), w.how % 4 ? place.group(w.two) : null),
  archiveGroup: (place, w) => acts.archiveGroup(place.group(w.one), place.actor(w)),
  restoreGroup: (place, w) => acts.restoreGroup(place.group(w.one), place.actor(w)),
  assignStaff: (place, w) =>
    acts.assignStaff(
      place.membership(w.one),
      place.group(w.two),
      place.actor(w),
      w.how % 2 ? 'SPECIALIST' : 'EDUCATOR',
      dayWished(w),
    ),
  endStaffAssignment: (place, w) => {
    const assignment = pick(place.school.assignments, w.one);
    const id = place.factOf('assignments', place.school.assignments.indexOf(assignment));
    return acts.endStaffAssignment(assignment, id, place.actor(w), dayWished(w));
  },
  addChild: (place, w) => acts.addChild(place.school, place.actor(w)),
  enrollChild: (place, w) => moved(place, w, 'ENROLLED'),
  transferChild: (place, w) => moved(place, w, 'TRANSFERRED'),
  graduateChild: (place, w) => moved(place, w, 'GRADUATED'),
  withdrawChild: (place, w) => moved(place, w, 'WITHDRAWN'),
  inviteGuardian: (place, w) => acts.inviteFamily(place.child(w.one), place.actor(w), 'GUARDIAN', place.group(w.two)),
  inviteStudent: (place, w) => acts.inviteFamily(place.child(w.one), place.actor(w), 'STUDENT', place.group(w.two)),
  inviteEmployee: (place, w) => acts.inviteEmployee(place.school, place.actor(w)),
  redeemInvite: (place, w) =>
    acts.redeemInvite(pick(place.school.invites.toReversed(), w.one), pick(place.world.people, w.two)),
  redeemInviteOfOld: (place, w) =>
    acts.redeemInvite(pick(place.school.invites, w.one), pick(place.world.people, w.two)),
  revokeGuardianLink: (place, w) => {
    const link = pick(place.school.links, w.one);
    return acts.revokeGuardianLink(link, place.factOf('links', place.school.links.indexOf(link)), place.actor(w));
  },
  setGuardianContactVisibility: (place, w) => {
    const link = pick(place.school.links, w.one);
    const id = place.factOf('links', place.school.links.indexOf(link));
    return acts.setGuardianContactVisibility(link, id, place.actor(w), w.how % 2 === 0);
  },
  suspendMembership: (place, w) => acts.suspendMembership(place.membership(w.one), place.actor(w)),
  restoreMembership: (place, w) => acts.restoreMembership(place.membership(w.one), place.actor(w)),
  endMembership: (place, w) => acts.endMembership(place.membership(w.one), place.actor(w)),
  leaveOrganization: (place, w) =>
    acts.leaveOrganization(place.school, pick(place.world.people, w.one), w.how % 2 ? 'EMPLOYEE' : null),
  submitVerification: (place, w) => acts.submitVerification(place.membership(w.one)),
  confirmVerification: (place, w) => {
    const m = place.membership(w.one);
    const { verificationId } = place.factsOf(m);
    return verificationId ? acts.confirmVerification(m, verificationId, place.actor(w)) : null;
  },
  revokeVerification: (place, w) => {
    const m = place.membership(w.one);
    const { verificationId } = place.factsOf(m);
    return verificationId ? acts.revokeVerification(m, verificationId, place.actor(w)) : null;
  },
  grantAdministrator: (place, w) => acts.grantAdministrator(place.membership(w.one), place.actor(w)),
  revokeAdministrator: (place, w) => {
    const m = pick(
      place.school.memberships.filter(({ grant }) => grant !== 'NONE'),
      w.one,
    );
    return acts.revokeAdministrator(m, place.factsOf(m).grantId, place.actor(w));
  },
  appointHead: (place, w) => acts.appointHead(place.membership(w.one), place.actor(w)),
  suspendOrganization: (place, w) => acts.suspendOrganization(place.school, place.governor(w)),
  restoreOrganization: (place, w) => acts.restoreOrganization(place.school, place.governor(w)),
  cancelPlannedMovement: (place, w) => {
    const plan = pick(place.school.plans, w.one);
    return acts.cancelPlannedMovement(plan, place.factOf('plans', place.school.plans.indexOf(plan)), place.actor(w));
  },
  draftPost: (place, w) => acts.draftPost(place.channel(w.one), place.actor(w)),
  decideOnPost: (place, w) =>
    acts.changePost(place.post(w.one), place.writer(w), pick(['suggest', 'withdraw', 'approve', 'reject'], w.two)),
  changePost: (place, w) =>
    acts.changePost(
      place.post(w.one),
      place.writer(w),
      pick(['publish', 'archive', 'restore', 'remove', 'edit'], w.two),
    ),
  createChat: (place, w) => {
    const people = [pick(place.world.people, w.one), pick(place.world.people, w.two)];
    const kind = w.how % 2 ? 'DIRECT' : 'CUSTOM';
    const [first] = people;
    const supervisor = kind === 'CUSTOM' && w.how % 3 === 0 ? (first ?? null) : null;
    const others = kind === 'DIRECT' && w.how % 3 ? people.slice(0, 1) : people;
    const by = w.looks % 2 ? place.actor(w) : pick(place.world.people, w.looks);
    return acts.createChat(place.school, by, kind, others, w.how % 4 === 0, supervisor);
  },
  addChatMembers: (place, w) => {
    const chat = place.chat(w.one);
    return acts.addChatMembers(chat, place.talker(w, chat), [pick(place.world.people, w.two)]);
  },
  removeChatMember: (place, w) => {
    const chat = place.chat(w.one);
    return acts.removeChatMember(chat, place.talker(w, chat), pick(place.world.people, w.two));
  },
  leaveChat: (place, w) => {
    const chat = place.chat(w.one);
    return acts.leaveChat(chat, place.talker(w, chat));
  },
  appointSupervisor: (place, w) => {
    const chat = place.chat(w.one);
    return acts.appointSupervisor(chat, place.talker(w, chat), pick(place.world.people, w.two));
  },
  closeChat: (place, w) => {
    const chat = place.chat(w.one);
    return acts.closeChat(chat, place.talker(w, chat), pick(['READ_ONLY', 'ACTIVE', 'ARCHIVED'] as const, w.two));
  },
  sendMessage: (place, w) => {
    const chat = place.chat(w.one);
    return acts.sendMessage(chat, place.talker(w, chat));
  },
  sendMessageToo: (place, w) => {
    const chat = place.chat(w.two);
    return acts.sendMessage(chat, place.talker(w, chat));
  },
  deleteMessage: (place, w) => {
    const message = place.message(w.one);
    return acts.deleteMessage(message, place.talker(w, message.chat));
  },
  letDaysPass: (place) => (place.school.suspended ? null : acts.letDaysPass(place.school)),
};

const moved = (place: Place, w: Wish, kind: keyof typeof movers): Deed => {
  const to = kind === 'ENROLLED' || kind === 'TRANSFERRED' ? place.group(w.two) : null;
  return acts.moveChild(place.child(w.one), to, place.actor(w), kind, dayWished(w));
};

/** Mostly at once; else on one of a few days, so that plans meet. */
const dayWished = ({ how }: Wish): number | null => (how % 3 === 2 ? (how >> 2) % 3 : null);

export const wish: fc.Arbitrary<Wish> = fc.record({
  what: fc.constantFrom(...Object.keys(meanings)),
  by: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(16) }),
  one: fc.nat(23),
  two: fc.nat(23),
  how: fc.nat(11),
  looks: fc.nat(15),
});
