import { describe, expect, test } from 'vitest';
import { startTestApp } from './support/app.ts';
import { applicationOf } from './support/world.ts';

describe.each([
  { database: 'Postgres', embedded: false },
  { database: 'the embedded database', embedded: true },
])('on $database', ({ embedded }) => {
  test('a school opens its space, invites its staff, hears who asks to join, and confirms them', async () => {
    await using app = await startTestApp({ embedded });
    const { world } = app;

    // The institution applies; the operator hears of it, asks for a change, and approves.
    const operator = await world.operator();
    const queue = operator.subscribe('ViewerEvents', { after: (await operator.run('Viewer')).viewer.cursor });
    const applicant = await world.person('Petrova');
    const administratorPhone = '+79175550101';
    const wish = applicationOf('Kindergarten «Ryabinka»', 'KINDERGARTEN', administratorPhone);
    const submitted = await applicant.does('SubmitOrganizationApplication', { input: wish });
    expect(submitted).toMatchObject({ state: 'SUBMITTED', administrator: { phone: administratorPhone } });
    expect(await queue.nextOf('OrganizationApplicationChanged')).toMatchObject({
      __typename: 'OrganizationApplicationChanged',
      application: { id: submitted.id, state: 'SUBMITTED' },
    });
    const back = await operator.does('RequestOrganizationApplicationChanges', {
      applicationId: submitted.id,
      reason: 'The address is incomplete.',
    });
    expect(back).toMatchObject({ state: 'CHANGES_REQUESTED', reason: 'The address is incomplete.' });
    wish.organization.address = 'Moscow, Lesnaya street 7';
    const again = await applicant.does('ResubmitOrganizationApplication', {
      input: { ...wish, applicationId: submitted.id },
    });
    expect(again).toMatchObject({ state: 'SUBMITTED', address: 'Moscow, Lesnaya street 7' });
    const approved = await operator.does('ApproveOrganizationApplication', { applicationId: submitted.id });
    expect(approved.state).toBe('APPROVED');
    const organizationId: string = approved.organization.id;

    // The administrator signs in by the phone that the application named, and finds everything there.
    const administrator = await world.person(undefined, administratorPhone);
    const { organization } = await administrator.run('Organization', { id: organizationId });
    expect(organization).toMatchObject({
      name: 'Kindergarten «Ryabinka»',
      state: 'ACTIVE',
      viewerCanUpdate: true,
      viewerCanDecideJoinRequests: true,
      groups: { nodes: [{ kind: 'STAFF' }] },
      chats: { nodes: [] },
    });
    expect(organization.channels.nodes.map((channel: { kind: string }) => channel.kind).sort()).toEqual([
      'COMMUNITY',
      'STAFF',
    ]);

    // She invites the staff; one redeems the link and is a member at once.
    const invited = await administrator.does('CreateInvite', {
      input: { groupId: organization.groups.nodes[0].id, role: 'EMPLOYEE', position: 'EDUCATOR', maxUses: 2 },
    });
    expect(await world.anonymous().does('InvitePreview', { code: invited.inviteCode })).toEqual({
      organizationName: 'Kindergarten «Ryabinka»',
      groupName: 'Сотрудники',
      role: 'EMPLOYEE',
    });
    const educator = await world.person('Ivanova');
    const redeemed = await educator.does('RedeemInvite', { code: invited.inviteCode });
    expect(redeemed.membership).toMatchObject({ role: 'EMPLOYEE', position: 'EDUCATOR', state: 'ACTIVE' });

    // Another asks to join; the administrator hears it the moment it arrives and approves; the asker hears the answer.
    const requests = administrator.subscribe('JoinRequestSubmitted', {
      organizationId,
      after: (await administrator.run('Viewer')).viewer.cursor,
    });
    const cook = await world.person('Smirnova');
    const answers = cook.subscribe('JoinRequestDecided', { after: (await cook.run('Viewer')).viewer.cursor });
    const request = await cook.does('SubmitJoinRequest', {
      input: { organizationId, role: 'EMPLOYEE', position: 'OTHER', note: 'I am the new cook.' },
    });
    expect(await requests.next()).toMatchObject({
      joinRequest: {
        id: request.id,
        state: 'PENDING',
        requester: { displayName: 'Smirnova Test' },
        contact: { phone: cook.phone },
      },
    });
    const decided = await administrator.does('ApproveJoinRequest', { joinRequestId: request.id });
    expect(decided.state).toBe('APPROVED');
    expect(await answers.next()).toMatchObject({ joinRequest: { id: request.id, state: 'APPROVED' } });

    // The educator asks for confirmation of the status «employee», and gets it.
    const membershipId: string = redeemed.membership.id;
    expect((await educator.run('Members', { organizationId })).organization.members).toBeNull();
    const verification = await educator.does('SubmitVerification', {
      membershipId,
      evidence: 'Order 15-К of 1 September',
    });
    expect(verification.state).toBe('PENDING');
    const confirmed = await administrator.does('ConfirmVerification', { verificationId: verification.id });
    expect(confirmed).toMatchObject({ state: 'VERIFIED', viewerCanDecide: true });
    const members = (await educator.run('Members', { organizationId })).organization.members;
    expect(members.totalCount).toBe(3);
    const { chats } = (await educator.run('Organization', { id: organizationId })).organization;
    expect(chats.nodes).toMatchObject([{ kind: 'HEAD_STAFF' }]);

    // She becomes the head, and a further administrator; now the first one may go.
    expect(await administrator.does('AppointHead', { membershipId })).toMatchObject({ position: 'HEAD' });
    expect(await administrator.does('LeaveOrganization', { organizationId })).toMatchObject({ code: 'LAST_ADMIN' });
    expect(await educator.does('GrantAdministrator', { membershipId })).toMatchObject({ state: 'ACTIVE' });
    expect(await administrator.does('LeaveOrganization', { organizationId })).toMatchObject({
      memberships: [{ state: 'ENDED', endedBy: 'LEFT' }],
    });
    expect(await requests.next()).toMatchObject({ __typename: 'AccessEnded', reason: 'MEMBERSHIP_CHANGED' });
    expect((await requests.done).closed).toBeNull();

    // The audit log tells all of it.
    const { auditLog } = (await educator.run('AuditLog', { organizationId, first: 100 })).organization;
    const actions = auditLog.nodes.map((entry: { action: string }) => entry.action);
    expect(actions).toEqual(
      expect.arrayContaining([
        'application.approve',
        'administrator.grant',
        'invite.create',
        'invite.redeem',
        'joinRequest.submit',
        'joinRequest.approve',
        'verification.submit',
        'verification.confirm',
        'head.appoint',
        'membership.leave',
      ]),
    );
  });
});
