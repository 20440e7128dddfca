import type { Column } from '../documents/csv.ts';
import type { Locale } from '../texts.ts';
import type { Position } from '../viewer.ts';

/** The tables that offices keep (§1.4), as files have them: nothing of them is a table of the database. */
export const rosterKinds = ['CHILDREN', 'STAFF'] as const;
export type RosterKind = (typeof rosterKinds)[number];

/** A column's titles by language; the first one is shown and written, all are understood. */
type Titles = Readonly<Record<Locale, readonly [string, ...string[]]>>;

const column = <Key extends string>(key: Key, titles: Titles, required = false) => ({ key, titles, required });

const names = [
  column('familyName', { ru: ['Фамилия'], en: ['Family name', 'Last name', 'Surname'] }, true),
  column('givenName', { ru: ['Имя'], en: ['Given name', 'First name'] }, true),
  column('patronymic', { ru: ['Отчество'], en: ['Patronymic', 'Middle name'] }),
] as const;

/** How many guardians of a child a row has room for. */
export const guardianPlaces = [1, 2, 3] as const;
export type GuardianPlace = (typeof guardianPlaces)[number];

const guardianColumns = guardianPlaces.flatMap((place) => [
  column(`guardian${place}`, {
    ru: [`Родитель ${place}`, `Законный представитель ${place}`, `Представитель ${place}`, `ФИО родителя ${place}`],
    en: [`Guardian ${place}`, `Parent ${place}`],
  }),
  column(`phone${place}`, {
    ru: [`Телефон ${place}`, `Телефон родителя ${place}`, `Телефон представителя ${place}`],
    en: [`Phone ${place}`, `Guardian ${place} phone`, `Parent ${place} phone`],
  }),
]);

export const childColumns = [
  column(
    'externalId',
    {
      ru: ['Номер', '№ личного дела', 'Номер личного дела', 'Личный номер', '№'],
      en: ['External id', 'Number', 'ID'],
    },
    true,
  ),
  ...names,
  column('birthDate', { ru: ['Дата рождения'], en: ['Birth date', 'Date of birth'] }),
  column('group', { ru: ['Группа', 'Класс'], en: ['Group', 'Class'] }, true),
  ...guardianColumns,
] as const;
export type ChildKey = (typeof childColumns)[number]['key'];

export const staffColumns = [
  column(
    'externalId',
    {
      ru: ['Табельный номер', 'Таб. номер', 'Номер', '№'],
      en: ['External id', 'Personnel number', 'Employee number', 'Number', 'ID'],
    },
    true,
  ),
  ...names,
  column('phone', { ru: ['Телефон', 'Мобильный телефон'], en: ['Phone', 'Mobile phone'] }, true),
  column('position', { ru: ['Должность'], en: ['Position'] }, true),
  column('groups', { ru: ['Группы', 'Группа', 'Классы', 'Класс'], en: ['Groups', 'Group', 'Classes', 'Class'] }),
] as const;
export type StaffKey = (typeof staffColumns)[number]['key'];

/** A table's columns as somebody of this language calls them. */
export const columnsIn = <Key extends string>(
  locale: Locale,
  columns: readonly { readonly key: Key; readonly titles: Titles; readonly required: boolean }[],
): Column<Key>[] =>
  columns.map(({ key, titles: { ru, en }, required }) => ({
    key,
    titles: locale === 'ru' ? [...ru, ...en] : [...en, ...ru],
    required,
  }));

/** What offices call the positions, besides their names in the API; the first is written. The head is appointed, not imported. */
export const positionNames: Readonly<Record<Exclude<Position, 'HEAD'>, Titles>> = {
  DEPUTY_HEAD: {
    ru: ['Заместитель руководителя', 'Заместитель заведующего', 'Заместитель директора', 'Завуч'],
    en: ['Deputy head'],
  },
  EDUCATOR: { ru: ['Воспитатель', 'Учитель', 'Старший воспитатель', 'Педагог'], en: ['Educator', 'Teacher'] },
  ASSISTANT: { ru: ['Помощник воспитателя', 'Младший воспитатель', 'Ассистент', 'Тьютор'], en: ['Assistant'] },
  SPECIALIST: {
    ru: [
      'Специалист',
      'Учитель-логопед',
      'Логопед',
      'Учитель-дефектолог',
      'Дефектолог',
      'Педагог-психолог',
      'Психолог',
      'Социальный педагог',
      'Музыкальный руководитель',
      'Инструктор по физической культуре',
      'Педагог дополнительного образования',
    ],
    en: ['Specialist'],
  },
  OFFICE: {
    ru: ['Администрация', 'Делопроизводитель', 'Секретарь', 'Бухгалтер', 'Главный бухгалтер', 'Завхоз', 'Методист'],
    en: ['Office'],
  },
  OTHER: { ru: ['Другая', 'Другое', 'Прочее'], en: ['Other'] },
};
