import { userByPhone } from '../accounts/commands.ts';
import { admit } from '../arrivals/commands.ts';
import { assignStaff } from '../assignments/commands.ts';
import { type ChildEntry, registerChildren } from '../child-rosters/commands.ts';
import type { Transaction } from '../database/connect.ts';
import { enterOrganization } from '../organizations/commands.ts';
import { createGroup } from '../structure/commands.ts';
import type { Position, Viewer } from '../viewer.ts';

/** A parent as the kindergarten's register has them. */
interface Parent {
  readonly phone: string;
  /** Family name, given name, patronymic. */
  readonly name: string;
}

interface DemoChild {
  readonly externalId: string;
  /** Family name, given name, patronymic. */
  readonly name: string;
  readonly birthDate: string;
  readonly group: GroupName;
  readonly parents: readonly Parent[];
}

/** The groups of the kindergarten, and how old their children are. */
export const groupNames = ['Пчёлки', 'Колокольчик', 'Ромашка', 'Василёк', 'Солнышко', 'Радуга'] as const;
export type GroupName = (typeof groupNames)[number];
const ages = [2, 3, 4, 4, 5, 6];
const childrenInGroup = 20;

/** Family names of men and of women. */
const families = (
  'Абрамов Алексеев Андреев Афанасьев Баранов Белов Беляев Богданов Борисов Виноградов Власов Воробьёв Гаврилов Герасимов ' +
  'Голубев Григорьев Давыдов Данилов Егоров Ершов Ефимов Жуков Захаров Зимин Иванов Калинин Карпов Козлов Комаров Котов ' +
  'Кудрявцев Куликов Лазарев Макаров Максимов Мартынов Медведев Назаров Никитин Новиков Осипов Панов Петров Поляков Романов ' +
  'Рыбаков Савельев Сергеев Сидоров Смирнов Соловьёв Сорокин Степанов Тарасов Титов Фролов Чернов Широков Щербаков Яковлев'
).split(' ');

/** What the father is called, and his children after him. */
const fathers = [
  ['Алексей', 'Алексеевич', 'Алексеевна'],
  ['Андрей', 'Андреевич', 'Андреевна'],
  ['Виктор', 'Викторович', 'Викторовна'],
  ['Денис', 'Денисович', 'Денисовна'],
  ['Егор', 'Егорович', 'Егоровна'],
  ['Иван', 'Иванович', 'Ивановна'],
  ['Максим', 'Максимович', 'Максимовна'],
  ['Николай', 'Николаевич', 'Николаевна'],
  ['Павел', 'Павлович', 'Павловна'],
  ['Роман', 'Романович', 'Романовна'],
  ['Сергей', 'Сергеевич', 'Сергеевна'],
] as const;
const mothers = ['Анастасия', 'Вера', 'Дарья', 'Евгения', 'Екатерина', 'Ирина', 'Ксения', 'Марина', 'Наталья', 'Ольга'];
const boys = ['Артём', 'Богдан', 'Василий', 'Глеб', 'Илья', 'Кирилл', 'Лев', 'Марк', 'Михаил', 'Тимофей', 'Фёдор'];
const girls = ['Алиса', 'Варвара', 'Ева', 'Злата', 'Кира', 'Мария', 'Полина', 'София', 'Таисия', 'Ульяна'];
const grandfathers = ['Александрович', 'Борисович', 'Игоревич', 'Львович', 'Олегович', 'Юрьевич'];
const grandfathersOfMothers = ['Александровна', 'Борисовна', 'Игоревна', 'Львовна', 'Олеговна', 'Юрьевна', 'Петровна'];

/** The `n`th of a list that begins anew at its end. */
const nth = <Item>(list: readonly Item[], n: number): Item => list[n % list.length] as Item; // no list here is empty

const phone = (family: number, parent: number): string => `+7916100${String(family * 2 + parent).padStart(4, '0')}`;

/** Those who have written to the kindergarten, so that its register must know their children: by place in the list. */
const known: ReadonlyMap<number, readonly [name: string, parents: readonly Parent[]]> = new Map([
  [40, ['Николаев Михаил Андреевич', [{ phone: phone(40, 0), name: 'Николаева Ирина Олеговна' }]]],
  [60, ['Рахимова Амина Тимуровна', [{ phone: phone(60, 0), name: 'Рахимова Лейла Маратовна' }]]],
  [20, ['Павлова Алиса Денисовна', [{ phone: phone(20, 1), name: 'Павлов Денис Юрьевич' }]]],
]);

/**
 * The kindergarten's children with their parents, always the same: 120 of them in six groups. Every sixth family has two
 * children there, in different groups; every fifth has one parent.
 */
function children(year: number): DemoChild[] {
  return groupNames.flatMap((group, place) =>
    Array.from({ length: childrenInGroup }, (_, seat) => {
      const number = place * childrenInGroup + seat;
      // A child in the upper three groups may have a younger one at home who comes as well.
      const family = number >= 60 && number % 6 === 1 ? number - 60 : number;
      const [name, parents] = known.get(number) ?? [childName(number, family), parentsOf(family)];
      const month = String(1 + (number % 12)).padStart(2, '0');
      const day = String(1 + ((number * 7) % 28)).padStart(2, '0');
      return {
        externalId: `Д-${String(number + 1).padStart(3, '0')}`,
        name,
        birthDate: `${year - (ages[place] ?? 3)}-${month}-${day}`,
        group,
        parents,
      };
    }),
  );
}

function childName(number: number, family: number): string {
  const [, ofBoy, ofGirl] = nth(fathers, family);
  const familyName = nth(families, family);
  // A younger one is not called as the elder.
  const name = number + 3 * Math.floor(number / 60);
  return number % 2 ? `${familyName}а ${nth(girls, name)} ${ofGirl}` : `${familyName} ${nth(boys, name)} ${ofBoy}`;
}

function parentsOf(family: number): Parent[] {
  const familyName = nth(families, family);
  const mother = `${familyName}а ${nth(mothers, family)} ${nth(grandfathersOfMothers, family)}`;
  const father = `${familyName} ${nth(fathers, family)[0]} ${nth(grandfathers, family)}`;
  const both = [
    { phone: phone(family, 0), name: mother },
    { phone: phone(family, 1), name: father },
  ];
  return family % 5 === 0 ? both.slice(0, 1) : both;
}

/** Who works where; a membership may stand in several groups. */
export interface Posting {
  readonly membershipId: string;
  readonly position: Exclude<Position, 'HEAD'>;
  readonly groups: readonly GroupName[];
}

/** The groups, who works in them, the children, and those of their parents who have joined already. */
export async function fillGroups(
  tx: Transaction,
  administrator: Viewer,
  organizationId: string,
  postings: readonly Posting[],
): Promise<void> {
  const { organization } = await enterOrganization(tx, administrator, organizationId);
  const year = schoolYear(new Date());
  const academicYear = `${year}/${String((year + 1) % 100).padStart(2, '0')}`;
  const groupIds = new Map<GroupName, string>();
  for (const name of groupNames) {
    const group = await createGroup(tx, administrator, { organizationId, kind: 'AGE_GROUP', name, academicYear });
    groupIds.set(name, group.id);
  }
  for (const { membershipId, position, groups } of postings)
    for (const name of groups)
      await assignStaff(tx, administrator, { membershipId, position, groupId: groupIds.get(name) ?? '' });
  const register = children(year);
  await registerChildren(
    tx,
    organization,
    administrator.userId,
    register.map(
      ({ externalId, birthDate, group, parents, name }): ChildEntry => ({
        ...named(name),
        externalId,
        birthDate,
        groupId: groupIds.get(group) ?? null,
        guardians: parents.map((parent) => ({ phone: parent.phone, name: named(parent.name) })),
      }),
    ),
  );
  // One family in eight has not used its invite yet.
  const joined = register.filter((_child, number) => number % 8 !== 0).flatMap(({ parents }) => parents);
  for (const phone of new Set(joined.map((parent) => parent.phone))) {
    const { id: userId } = await userByPhone(tx, { phone, locale: 'ru' });
    await admit(tx, organization, { userId, role: 'GUARDIAN', position: null, childId: null });
  }
}

/** The year in which the school year began that goes on now. */
const schoolYear = (now: Date): number => now.getFullYear() - (now.getMonth() < 8 ? 1 : 0);

function named(name: string) {
  const [familyName = '', givenName = '', patronymic = null] = name.split(' ');
  return { familyName, givenName, patronymic };
}
