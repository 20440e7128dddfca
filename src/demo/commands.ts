import { eq } from 'drizzle-orm';
import { signOut } from '../accounts/commands.ts';
import { grantAdministrator } from '../administrators/commands.ts';
import { approveJoinRequest, rejectJoinRequest } from '../admissions/commands.ts';
import { approveOrganizationApplication, submitOrganizationApplication } from '../applications/commands.ts';
import { setOperators } from '../audiences/commands.ts';
import { freshViewer } from '../audiences/queries.ts';
import type { Database, Transaction } from '../database/connect.ts';
import { groups } from '../groups/tables.ts';
import { createInvite, revokeInvite } from '../invites/commands.ts';
import { submitJoinRequest, withdrawJoinRequest } from '../join-requests/commands.ts';
import { transact } from '../log/append.ts';
import { appointHead } from '../memberships/commands.ts';
import { updateOrganization } from '../organizations/commands.ts';
import { redeemInvite } from '../redemptions/commands.ts';
import type { Secret } from '../secrets.ts';
import { confirmVerification, submitVerification } from '../verifications/commands.ts';
import type { Position, Role, Viewer } from '../viewer.ts';
import { enter, nameOf, type Person } from './entering.ts';
import { fillGroups, type GroupName, groupNames, type Posting } from './families.ts';
import { type Cast, guide } from './guide.ts';
import { fillLive } from './live.ts';
import { fillNews } from './news.ts';
import { contentOf, demoMark } from './queries.ts';
import { fillTalk } from './talk.ts';

interface Colleague extends Person {
  readonly evidence: string;
  /** Whether an administrator has looked at the evidence already. */
  readonly confirmed: boolean;
}

/** Who works in groups. */
interface Pedagogue extends Colleague {
  readonly groups: readonly GroupName[];
}

interface Newcomer extends Person {
  readonly role: Role;
  readonly position: Position | null;
  readonly note: string;
}

const phone = (number: number): string => `+791600000${String(number).padStart(2, '0')}`;

const colleague = (number: number, name: string, evidence: string, confirmed = true): Colleague => ({
  phone: phone(number),
  name,
  evidence,
  confirmed,
});

const worksIn = (groups: readonly GroupName[], person: Colleague): Pedagogue => ({ ...person, groups });

const guardian = (number: number, name: string, note: string): Newcomer => ({
  phone: phone(number),
  name,
  role: 'GUARDIAN',
  position: null,
  note,
});

const employee = (number: number, name: string, position: Position, note: string): Newcomer => ({
  phone: phone(number),
  name,
  role: 'EMPLOYEE',
  position,
  note,
});

const kindergartenName = 'Детский сад № 7 «Рябинка»';

const operator: Person = { phone: phone(90), name: 'Громов Павел Андреевич' };
const administrator: Person = { phone: demoMark.phone, name: 'Соколова Анна Викторовна' };
const schoolDirector: Person = { phone: phone(41), name: 'Дмитриев Олег Степанович' };

const head = colleague(2, 'Орлова Марина Сергеевна', 'Заведующий, распоряжение учредителя № 118-р');
const deputy = colleague(3, 'Кузнецова Елена Павловна', 'Заместитель заведующего, приказ № 31-к');
const substitute = 'Принята на время отпуска основного работника, приказ № 63-к, группа «Колокольчик»';

const morozova = colleague(4, 'Морозова Ольга Николаевна', 'Воспитатель группы «Ромашка», приказ № 14-к');
const fyodorova = colleague(6, 'Фёдорова Юлия Александровна', substitute, false);

const musician = colleague(10, 'Зайцев Михаил Юрьевич', 'Музыкальный руководитель, приказ № 8-к');
/** As the register of children has her. */
const parent: Person = { phone: '+79161000002', name: 'Алексеева Вера Борисовна' };

/** Those who came by a link for their position. */
const teams = [
  {
    position: 'EDUCATOR',
    maxUses: 5,
    people: [
      worksIn(['Ромашка', 'Пчёлки'], morozova),
      worksIn(
        ['Василёк', 'Солнышко'],
        colleague(5, 'Васильева Татьяна Игоревна', 'Воспитатель группы «Василёк», приказ № 22-к'),
      ),
      worksIn(['Колокольчик'], fyodorova),
    ],
  },
  {
    position: 'ASSISTANT',
    maxUses: 2,
    people: [
      worksIn(['Пчёлки'], colleague(7, 'Гусева Наталья Петровна', 'Помощник воспитателя, приказ № 40-к')),
      worksIn(['Ромашка'], colleague(8, 'Ахметова Гульнара Рашидовна', 'Помощник воспитателя, приказ № 41-к')),
    ],
  },
  {
    position: 'SPECIALIST',
    maxUses: 3,
    people: [
      worksIn(
        ['Василёк', 'Солнышко', 'Радуга'],
        colleague(9, 'Лебедева Ирина Олеговна', 'Учитель-логопед, приказ № 19-к'),
      ),
      worksIn(groupNames, musician),
      worksIn(['Солнышко', 'Радуга'], colleague(11, 'Киселёва Дарья Андреевна', 'Педагог-психолог, приказ № 27-к')),
    ],
  },
] as const;

/** Asked to join without a link and was let in. */
const cook = employee(12, 'Тихонова Любовь Ивановна', 'OTHER', 'Повар. Ссылка до меня не дошла, прошу принять.');
const cookEvidence = 'Повар, трудовой договор № 52';

const nikolaev = guardian(21, 'Николаев Андрей Викторович', 'Здравствуйте! Я папа Миши Николаева, группа «Ромашка».');
const waiting: readonly Newcomer[] = [
  nikolaev,
  guardian(22, 'Павлова Светлана Юрьевна', 'Мама Алисы Павловой. С понедельника переводимся в группу «Колокольчик».'),
  employee(23, 'Мельникова Вера Константиновна', 'EDUCATOR', 'Выхожу воспитателем в младшую группу, приказ № 71-к.'),
  guardian(24, 'Рахимов Тимур Фаридович', 'Дедушка и опекун Амины Рахимовой, группа «Василёк». Документы принесу.'),
];

const stranger = guardian(25, 'Степанов Игорь Леонидович', 'Добавьте в родительский чат.');
const refusal = 'Ребёнка с такой фамилией в списках нет. Обратитесь к воспитателю или позвоните в детский сад.';
const mistaken = employee(26, 'Крылова Полина Максимовна', 'ASSISTANT', 'Помощник воспитателя из детского сада № 17.');

/** What the rest of the server, and somebody at the terminal, need to know about the demo. */
export interface Demo {
  readonly operatorPhones: readonly string[];
  /** Whom to sign in as, and how; `url` is where the API answers. */
  guide(url: string): string;
}

/**
 * Fills an empty database with one kindergarten, all of it or nothing, through the commands that people use. Null when
 * the database holds somebody's own data, which stays as it is. `prepare` makes what the commands need of the job queue, and is
 * called only for an empty one.
 */
export async function fillDemo(db: Database, secret: Secret, prepare: () => Promise<void>): Promise<Demo | null> {
  if ((await contentOf(db)) === 'NONE') await prepare();
  return transact(db, async (tx) => {
    const content = await contentOf(tx);
    if (content === 'NONE') await fill(tx, secret);
    return content === 'OWN'
      ? null
      : { operatorPhones: [operator.phone], guide: (url) => guide(kindergartenName, cast, url) };
  });
}

/** Each command's own transaction becomes a savepoint of this one. */
async function fill(tx: Transaction, secret: Secret): Promise<void> {
  const present: Viewer[] = [];
  const arrive = async (person: Person): Promise<Viewer> => {
    const viewer = await enter(tx, secret, person);
    present.push(viewer);
    return viewer;
  };
  await setOperators(tx, [operator.phone]);
  const [gromov, sokolova] = [await arrive(operator), await arrive(administrator)];
  const { organizationId, staffGroupId, membershipId } = await open(tx, sokolova, gromov);

  const link = async (input: object) => {
    const made = await createInvite(tx, sokolova, { groupId: staffGroupId, role: 'EMPLOYEE', ...input });
    return { id: made.invite.id, code: made.code ?? '' };
  };
  const confirm = async (employee: Viewer, ofMembership: string, { evidence, confirmed }: Colleague) => {
    const { id } = await submitVerification(tx, employee, { membershipId: ofMembership, evidence });
    if (confirmed) await confirmVerification(tx, sokolova, { verificationId: id });
  };
  const join = async (person: Colleague, code: string) => {
    const viewer = await arrive(person);
    const { membership, joinRequest } = await redeemInvite(tx, viewer, { code });
    const request = joinRequest && (await approveJoinRequest(tx, sokolova, joinRequest.id));
    const id = membership?.id ?? request?.membershipId ?? '';
    await confirm(viewer, id, person);
    return { viewer, membershipId: id };
  };

  const orlova = await join(head, (await link({ intendedPhone: head.phone })).code);
  await appointHead(tx, sokolova, { membershipId: orlova.membershipId, order: order('118-р', 400) });
  const kuznetsova = await join(deputy, (await link({ position: 'DEPUTY_HEAD', intendedPhone: deputy.phone })).code);
  await grantAdministrator(tx, orlova.viewer, { membershipId: kuznetsova.membershipId, order: order('46-од', 9) });
  // Nobody confirms themselves: the second administrator looks at the first one's papers.
  const own = await submitVerification(tx, sokolova, { membershipId, evidence: 'Старший воспитатель, приказ № 5-к' });
  await confirmVerification(tx, kuznetsova.viewer, { verificationId: own.id });

  // A personal link lets its owner in at once; one for many is handed around, so each who uses it is looked at.
  const postings: Posting[] = [];
  const colleagues = new Map<string, Viewer>();
  for (const { position, maxUses, people } of teams) {
    const { code } = await link({ position, maxUses, requiresApproval: true });
    for (const person of people) {
      const { viewer, membershipId } = await join(person, code);
      colleagues.set(person.phone, viewer);
      postings.push({ membershipId, position, groups: person.groups });
    }
  }
  await fillGroups(tx, sokolova, organizationId, postings);
  const voices = {
    administrator: sokolova,
    head: orlova.viewer,
    educator: colleagues.get(morozova.phone) ?? sokolova,
    parent: await arrive(parent),
  };
  await fillNews(tx, organizationId, voices);
  await fillTalk(tx, organizationId, voices);
  await fillLive(tx, organizationId, voices);
  await link({ position: 'OFFICE', expiresAt: new Date(Date.now() + 20 * 60 * 60 * 1000) });
  await revokeInvite(tx, sokolova, (await link({ position: 'ASSISTANT', maxUses: 20 })).id);

  const ask = async ({ role, position, note, ...person }: Newcomer) => {
    const viewer = await arrive(person);
    return { viewer, request: await submitJoinRequest(tx, viewer, { organizationId, role, position, note }) };
  };
  const tikhonova = await ask(cook);
  const { membershipId: cooks } = await approveJoinRequest(tx, sokolova, tikhonova.request.id);
  await submitVerification(tx, tikhonova.viewer, { membershipId: cooks, evidence: cookEvidence });
  const { request: refused } = await ask(stranger);
  await rejectJoinRequest(tx, sokolova, { joinRequestId: refused.id, reason: refusal });
  const krylova = await ask(mistaken);
  await withdrawJoinRequest(tx, krylova.viewer, krylova.request.id);
  for (const person of waiting) await ask(person);

  await applyForSchool(tx, await arrive(schoolDirector));
  for (const viewer of present) await signOut(tx, viewer);
}

/** The kindergarten's application, its approval, and what came of them. */
async function open(tx: Transaction, applicant: Viewer, decider: Viewer) {
  const input = {
    organization: {
      kind: 'KINDERGARTEN',
      name: kindergartenName,
      address: '125319, Москва, ул. Черняховского, д. 7',
    },
    order: order('45-од', 10),
    administrator: { ...nameOf(administrator), phone: administrator.phone, email: 'sokolova@ryabinka.example' },
    idempotencyKey: demoMark.idempotencyKey,
  };
  const application = await submitOrganizationApplication(tx, applicant, input, async () => {});
  const { organizationId } = await approveOrganizationApplication(tx, decider, application.id);
  const [standing] = (await freshViewer(tx, applicant)).standings;
  if (!organizationId || !standing) throw new Error('an approved application has opened nothing');
  await updateOrganization(tx, applicant, organizationId, { website: 'https://ryabinka.example' });
  const [staff] = await tx.select().from(groups).where(eq(groups.organizationId, organizationId));
  if (!staff) throw new Error('the group «Staff» is missing');
  return { organizationId, staffGroupId: staff.id, membershipId: standing.membershipId };
}

/** Waits in the operator's queue. */
const applyForSchool = (tx: Transaction, director: Viewer) =>
  submitOrganizationApplication(
    tx,
    director,
    {
      organization: { kind: 'SCHOOL', name: 'Школа № 12', address: '129344, Москва, ул. Енисейская, д. 12' },
      order: order('103-о', 3),
      administrator: { ...nameOf(schoolDirector), phone: schoolDirector.phone, email: 'office@school12.example' },
    },
    async () => {},
  );

const order = (number: string, daysAgo: number) => ({
  number,
  date: new Date(Date.now() - daysAgo * 24 * 60 * 60 * 1000).toISOString().slice(0, 10),
});

const cast: Cast = [
  ['administrator', administrator],
  ['head', head],
  ['educator', morozova],
  ['educator, not confirmed yet', fyodorova],
  ['music teacher of all groups', musician],
  ['parent of two', parent],
  ['parent who asked to join', nikolaev],
  ['operator of the platform', operator],
];
