import { operatorPhone } from './app.ts';
import { type Json, TestClient } from './client.ts';

/** A signed-in person. */
export interface Person extends TestClient {
  readonly phone: string;
}

/** An organization with somebody in each role of the regulation. */
export interface School {
  readonly id: string;
  readonly staffGroupId: string;
  readonly administrator: Person;
}

let people = 0;

/** Makes people and schools as users would: through the API alone. */
export class World implements AsyncDisposable {
  readonly url: string;
  readonly #codeFor: (phone: string) => string;
  readonly #clients: TestClient[] = [];
  #operator: Promise<Person> | null = null;

  constructor(url: string, codeFor: (phone: string) => string) {
    this.url = url;
    this.#codeFor = codeFor;
  }

  /** Somebody who is not signed in. */
  anonymous(): TestClient {
    return this.#keep(new TestClient(this.url));
  }

  #keep<Client extends TestClient>(client: Client): Client {
    this.#clients.push(client);
    return client;
  }

  /** Signs a person in by phone and code; a new phone each time unless one is given. Who comes first has a name, unless null. */
  async person(name?: string | null, known?: string): Promise<Person> {
    const phone = known ?? `+7916${String(1_000_000 + ++people)}`;
    const familyName = name === undefined && !known ? 'Somebody' : name;
    const visitor = this.anonymous();
    const asked = await visitor.does('RequestSignInCode', { phone });
    if (asked.__typename !== 'SignInCodeRequest') throw new Error(JSON.stringify(asked));
    const signed = await visitor.does('SignIn', { challengeId: asked.challengeId, code: this.#codeFor(phone) });
    if (signed.__typename !== 'SignInPayload') throw new Error(JSON.stringify(signed));
    const person = this.#keep(Object.assign(new TestClient(this.url, signed.token), { phone }));
    if (familyName) await person.does('UpdateProfile', { input: { familyName, givenName: 'Test' } });
    return person;
  }

  operator(): Promise<Person> {
    this.#operator ??= this.person('Operator', operatorPhone);
    return this.#operator;
  }

  /** An approved organization whose administrator has signed in. */
  async school(name = 'Kindergarten 7', kind = 'KINDERGARTEN'): Promise<School> {
    const phone = `+7917${String(1_000_000 + ++people)}`;
    const applicant = await this.person('Applicant');
    const application = await applicant.does('SubmitOrganizationApplication', {
      input: applicationOf(name, kind, phone),
    });
    const approved = await (await this.operator()).does('ApproveOrganizationApplication', {
      applicationId: application.id,
    });
    if (approved.state !== 'APPROVED') throw new Error(JSON.stringify(approved));
    const administrator = await this.person(undefined, phone);
    const id: string = approved.organization.id;
    const { organization } = await administrator.run('Organization', { id });
    return { id, staffGroupId: organization.groups.nodes[0].id, administrator };
  }

  /** A new member, by join request and approval. Returns the person with the membership's id. */
  async member(
    school: School,
    role: 'EMPLOYEE' | 'GUARDIAN' | 'STUDENT',
    person?: Person,
  ): Promise<Person & { membershipId: string }> {
    const who = person ?? (await this.person(role));
    const request = await who.does('SubmitJoinRequest', { input: { organizationId: school.id, role } });
    const approved = await school.administrator.does('ApproveJoinRequest', {
      joinRequestId: request.id,
      despiteRevocations: true,
    });
    if (approved.state !== 'APPROVED') throw new Error(JSON.stringify({ request, approved }));
    return Object.assign(who, { membershipId: String(approved.membership.id) });
  }

  /** An employee whose status is confirmed. */
  async staff(school: School): Promise<Person & { membershipId: string; verificationId: string }> {
    const employee = await this.member(school, 'EMPLOYEE');
    const asked = await employee.does('SubmitVerification', {
      membershipId: employee.membershipId,
      evidence: 'Order 12',
    });
    const { id, state }: Json = await school.administrator.does('ConfirmVerification', { verificationId: asked.id });
    if (state !== 'VERIFIED') throw new Error(JSON.stringify(asked));
    return Object.assign(employee, { verificationId: String(id) });
  }

  /** The head: a verified employee, appointed. */
  async head(school: School): Promise<Person & { membershipId: string }> {
    const employee = await this.staff(school);
    await school.administrator.does('AppointHead', { membershipId: employee.membershipId });
    return employee;
  }

  /** A further administrator, granted by the first. Returns the person with the grant's id. */
  async secondAdministrator(
    school: School,
  ): Promise<Person & { membershipId: string; verificationId: string; grantId: string }> {
    const employee = await this.staff(school);
    const grant = await school.administrator.does('GrantAdministrator', { membershipId: employee.membershipId });
    return Object.assign(employee, { grantId: String(grant.id) });
  }

  /** A group of the academic year, by name; a new one each time unless one is given. */
  async group(school: School, input: object = {}): Promise<string> {
    const made = await school.administrator.does('CreateGroup', {
      input: {
        organizationId: school.id,
        kind: 'AGE_GROUP',
        name: `Group ${++people}`,
        academicYear: '2026/27',
        ...input,
      },
    });
    if (made.__typename !== 'Group') throw new Error(JSON.stringify(made));
    return made.id;
  }

  /** A child, enrolled where a group is given. */
  async child(school: School, groupId?: string, name = `Child ${++people}`): Promise<string> {
    const { administrator } = school;
    const added = await administrator.does('AddChild', {
      input: { organizationId: school.id, familyName: name, givenName: 'Misha' },
    });
    if (!groupId) return added.id;
    const moved = await administrator.does('EnrollChild', { input: { childId: added.id, groupId } });
    if (!moved.movement) throw new Error(JSON.stringify({ added, moved }));
    return added.id;
  }

  /** Somebody who has come by an invite for a child; whom an administrator sent away before, by their decision as well. */
  async guardian(
    school: School,
    childId: string,
    person?: Person,
  ): Promise<Person & { membershipId: string; linkId: string }> {
    const who = person ?? (await this.person('Guardian'));
    const made = await school.administrator.does('CreateInvite', { input: { role: 'GUARDIAN', childId } });
    const redeemed = await who.does('RedeemInvite', { code: made.inviteCode });
    const joinRequestId = redeemed.joinRequest?.id;
    const approved = joinRequestId
      ? await school.administrator.does('ApproveJoinRequest', { joinRequestId, despiteRevocations: true })
      : redeemed;
    const membership = approved.membership ?? approved.joinRequest?.membership;
    if (!membership) throw new Error(JSON.stringify({ made, redeemed, approved }));
    const own = (await who.run('Viewer')).viewer.user.id;
    const { node } = await school.administrator.run('Child', { id: childId });
    const link = node.guardians.nodes.find(({ user }: Json) => user.id === own);
    return Object.assign(who, { membershipId: String(membership.id), linkId: String(link.id) });
  }

  /** The id of a system channel that somebody reads: of the organization, or of a group. */
  async channel(
    reader: Person,
    school: School,
    kind: 'COMMUNITY' | 'STAFF' | 'GROUP',
    groupId?: string,
  ): Promise<string> {
    const { organization } = await reader.run('Channels', { organizationId: school.id, kind, first: 100 });
    const found = organization.channels.nodes.find(
      ({ isSystem, group }: Json) => isSystem && (!groupId || group?.id === groupId),
    );
    if (!found) throw new Error(`no channel ${kind}: ${JSON.stringify(organization)}`);
    return found.id;
  }

  /** A published post. */
  async post(author: Person, channelId: string, text = `Post ${++people}`, input: object = {}): Promise<string> {
    const drafted = await author.does('DraftPost', { input: { channelId, text, ...input } });
    const published = await author.does('PublishPost', { postId: drafted.id });
    if (published.state !== 'PUBLISHED') throw new Error(JSON.stringify({ drafted, published }));
    return published.id;
  }

  /** The chat of a group's staff and guardians, as somebody in it finds it; without a group that of the head and the staff. */
  async chat(reader: TestClient, school: School, groupId?: string): Promise<string> {
    const kind = groupId ? 'GROUP_GUARDIANS' : 'HEAD_STAFF';
    const { viewer } = await reader.run('Chats', { organizationId: school.id, kind, first: 100 });
    const found = viewer.chats.nodes.find(({ group }: Json) => !groupId || group?.id === groupId);
    if (!found) throw new Error(`no chat ${kind}: ${JSON.stringify(viewer)}`);
    return found.id;
  }

  /** A message that was sent. */
  async message(author: Person, chatId: string, text = `Message ${++people}`, input: object = {}): Promise<Json> {
    const sent = await author.does('SendMessage', {
      input: { chatId, text, clientMessageId: `message-${++people}`, ...input },
    });
    if (sent.state !== 'SENT') throw new Error(JSON.stringify(sent));
    return sent;
  }

  /** The id by which others name somebody. */
  async userId(person: TestClient): Promise<string> {
    return (await person.run('Viewer')).viewer.user.id;
  }

  /** A confirmed employee who works in a group. */
  async teacher(
    school: School,
    groupId: string,
  ): Promise<Person & { membershipId: string; verificationId: string; assignmentId: string }> {
    const employee = await this.staff(school);
    const assignmentId = await this.assign(school, employee.membershipId, groupId);
    return Object.assign(employee, { assignmentId });
  }

  async assign(school: School, membershipId: string, groupId: string, position = 'EDUCATOR'): Promise<string> {
    const assigned = await school.administrator.does('AssignStaff', { input: { groupId, membershipId, position } });
    if (!assigned.assignment) throw new Error(JSON.stringify(assigned));
    return assigned.assignment.id;
  }

  /** A link into the group «Staff». */
  async invite(school: School, input: object = {}): Promise<{ id: string; code: string }> {
    const made = await school.administrator.does('CreateInvite', {
      input: { groupId: school.staffGroupId, role: 'EMPLOYEE', ...input },
    });
    if (made.__typename !== 'CreateInvitePayload') throw new Error(JSON.stringify(made));
    return { id: made.invite.id, code: made.inviteCode };
  }

  /** A file of theirs, uploaded and READY. */
  async upload(
    person: TestClient,
    { name = 'notes.txt', bytes = Buffer.from('Tomorrow at nine.') } = {},
  ): Promise<Json> {
    const { file } = await this.send(person, name, bytes);
    const completed = await person.does('CompleteUpload', { fileId: file.id });
    if (completed.state !== 'READY') throw new Error(JSON.stringify(completed));
    return completed;
  }

  /** An upload whose bytes have come and were taken, not yet completed. */
  async send(person: TestClient, name: string, bytes: Buffer<ArrayBuffer>): Promise<Json> {
    const upload = await person.does('CreateUpload', { input: { name, size: bytes.length } });
    if (!upload.uploadPath) throw new Error(JSON.stringify(upload));
    const response = await person.put(upload.uploadPath, bytes);
    if (response.status !== 204) throw new Error(`${response.status}: ${await response.text()}`);
    return upload;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }
}

/** A complete application. */
export const applicationOf = (name: string, kind: string, phone: string) => ({
  organization: { kind, name, address: 'Moscow, Lesnaya 7' },
  order: { number: '12-К', date: '2026-09-01' },
  administrator: {
    familyName: 'Sidorova',
    givenName: 'Anna',
    patronymic: 'Ivanovna',
    phone,
    email: 'anna@example.org',
  },
});
