import { accountTexts } from './texts-accounts.ts';
import { chatTexts } from './texts-chats.ts';
import { fileTexts } from './texts-files.ts';
import { joiningTexts } from './texts-joining.ts';
import { liveTexts } from './texts-live.ts';

/** The languages in which Homeroom speaks to people. */
export const locales = ['ru', 'en'] as const;
export type Locale = (typeof locales)[number];

/** Every text for people, in every language; `{name}` is filled from the values given with the key. */
const catalogue = {
  ...accountTexts,
  ...chatTexts,
  ...fileTexts,
  ...joiningTexts,
  ...liveTexts,
  NOT_FOUND: { ru: 'Не найдено.', en: 'Not found.' },
  UNAUTHENTICATED: { ru: 'Войдите в систему.', en: 'Sign in first.' },
  FORBIDDEN_ADMINISTRATORS: {
    ru: 'Это может сделать только администратор организации.',
    en: 'Only an administrator of the organization may do this.',
  },
  FORBIDDEN_LEADERS: {
    ru: 'Это может сделать только администратор или руководитель организации.',
    en: 'Only an administrator or the head of the organization may do this.',
  },
  FORBIDDEN_GROUP_STAFF: {
    ru: 'Это могут сделать только педагоги этой группы, администратор и руководитель.',
    en: 'Only the staff of this group, an administrator or the head may do this.',
  },
  FORBIDDEN_OPERATORS: {
    ru: 'Это может сделать только оператор платформы.',
    en: 'Only an operator of the platform may do this.',
  },
  FORBIDDEN_OWN: { ru: 'Решение о себе принимает кто-то другой.', en: 'Somebody else decides about yourself.' },
  FORBIDDEN_OTHERS: { ru: 'Это каждый делает только сам за себя.', en: 'Everybody does this for themselves only.' },
  FORBIDDEN_INVITER: {
    ru: 'В эту группу с этой ролью вы приглашать не можете.',
    en: 'You may not invite people to this group in this role.',
  },
  FORBIDDEN_PHONE: {
    ru: 'Это приглашение выдано на другой номер телефона.',
    en: 'This invite was made for another phone number.',
  },
  FORBIDDEN_STUDENTS: {
    ru: 'В этой организации у обучающихся нет учётных записей.',
    en: 'Students have no accounts in this organization.',
  },
  FORBIDDEN_MATERIALS: {
    ru: 'Материалы ведут подтверждённые сотрудники этой группы и администраторы.',
    en: 'Materials are kept by the confirmed staff of the group and by administrators.',
  },
  INVALID_STATE: { ru: 'Сейчас это невозможно: состояние {state}.', en: 'Not possible now: the state is {state}.' },
  INVALID_CURSOR: { ru: 'Этот курсор не от этого сервера.', en: 'This cursor is not from this server.' },
  INVALID_PAGE: { ru: 'Размер страницы: от 1 до {max}.', en: 'A page holds from 1 to {max} items.' },
  INVALID_VERIFIED_EMPLOYEE: {
    ru: 'Нужен действующий сотрудник с подтверждённым статусом.',
    en: 'An active employee with confirmed status is needed.',
  },
  INVALID_EMPLOYEE: { ru: 'Это возможно только для сотрудника.', en: 'This is possible for an employee only.' },
  INVALID_ROLE: { ru: 'Эта роль в этой группе невозможна.', en: 'This role is not possible in this group.' },
  INVALID_FUTURE: { ru: 'Нужно время в будущем, не позже чем через год.', en: 'A time in the coming year is needed.' },
  INVALID_KINDERGARTEN: {
    ru: 'У воспитанников детского сада нет учётных записей.',
    en: 'The children of a kindergarten have no accounts.',
  },
  INVALID_TIME_ZONE: {
    ru: 'Нужен часовой пояс, например Europe/Moscow.',
    en: 'A time zone is needed, for example Europe/Moscow.',
  },
  INVALID_EXTERNAL_ID: { ru: 'Этот номер уже у другой записи.', en: 'Another record has this number.' },
  INVALID_STAFF_GROUP: { ru: 'С группой «Сотрудники» это невозможно.', en: 'Not possible with the group «Staff».' },
  INVALID_ARCHIVED_GROUP: { ru: 'Эта группа в архиве.', en: 'This group is archived.' },
  INVALID_ACADEMIC_YEAR: {
    ru: 'Нужна группа того же учебного года.',
    en: 'A group of the same academic year is needed.',
  },
  FORBIDDEN_UNVERIFIED: {
    ru: 'Сначала должен быть подтверждён статус сотрудника.',
    en: 'The status of employee must be confirmed first.',
  },
  INVALID_EMOJI: { ru: 'Нужен один эмодзи.', en: 'One emoji is needed.' },
  INVALID_NOT_REQUIRED: {
    ru: 'С этой публикацией не просят ознакомиться под отметку.',
    en: 'Nobody is asked to acknowledge this post.',
  },
  INVALID_COMMENTING_OFF: { ru: 'Комментарии здесь отключены.', en: 'There are no comments here.' },
  TOO_MANY_REACTIONS: {
    ru: 'Не больше {max} разных реакций на одну публикацию.',
    en: 'At most {max} different reactions to one post.',
  },
  INVALID_EITHER_OR: { ru: 'Нужно одно из двух.', en: 'Either one is needed, not both.' },
  FORBIDDEN_GROUP_SUGGESTION: {
    ru: 'В канале группы не предлагают: её педагоги публикуют сами.',
    en: 'Nothing is suggested in a group’s channel: its staff publish there themselves.',
  },
  INVALID_CHANGED_SINCE: {
    ru: 'Текст успели изменить: прочитайте его ещё раз.',
    en: 'It has been changed meanwhile: read it again.',
  },
  INVALID_PUBLISHED: {
    ru: 'После публикации это изменить нельзя.',
    en: 'This cannot be changed after publication.',
  },
  INVALID_CHANNEL_GROUP: {
    ru: 'Группа нужна каналу группы, и только ему.',
    en: 'A group is needed for a channel of the kind GROUP, and for no other.',
  },
  INVALID_GROUP_CHANNEL_NAME: {
    ru: 'Канал группы называется так же, как группа.',
    en: 'A group’s own channel has the name of the group.',
  },
  INVALID_SYSTEM_CHANNEL: {
    ru: 'Системный канал есть всегда.',
    en: 'A system channel is always there.',
  },
  INVALID_CIRCLE: {
    ru: 'Группа не может быть частью самой себя.',
    en: 'A group cannot be part of itself.',
  },
  INVALID_DEPTH: {
    ru: 'Не больше {max} уровней групп.',
    en: 'At most {max} levels of groups.',
  },
  INVALID_EFFECTIVE_ON: {
    ru: 'Нужен день не дальше года от сегодняшнего.',
    en: 'A day within a year of today is needed.',
  },
  INVALID_BEFORE_START: { ru: 'Это раньше начала.', en: 'This is before the beginning.' },
  INVALID_PLANNED_TWICE: {
    ru: 'На этот день уже запланировано другое.',
    en: 'Something else is planned for this day.',
  },
  INVALID_CHILD_GROUP: { ru: 'Ребёнок в другой группе.', en: 'The child is in another group.' },
  INVALID_ROLLOVER_GROUP: {
    ru: 'Нужны действующие группы этого учебного года.',
    en: 'Active groups of this academic year are needed.',
  },
  GROUP_NAME_TAKEN: {
    ru: 'Группа с таким названием в этом учебном году уже есть.',
    en: 'There is a group of this name in this academic year already.',
  },
  GROUP_NOT_EMPTY: {
    ru: 'В группе ещё есть дети ({childCount}) или подгруппы ({subgroupCount}).',
    en: 'There are still children ({childCount}) or subgroups ({subgroupCount}) in the group.',
  },
  KEY_REUSED: {
    ru: 'Этот ключ идемпотентности уже использован для другого запроса.',
    en: 'This idempotency key was already used for a different request.',
  },
  OPERATION_TOO_LARGE: { ru: 'Слишком много сразу. Запросите по частям.', en: 'Too much at once. Ask in parts.' },
  RATE_LIMITED: { ru: 'Слишком часто. Повторите позже.', en: 'Too often. Try again later.' },
  LAST_ADMIN: {
    ru: 'Это последний администратор: сначала назначьте другого.',
    en: 'This is the last administrator: appoint another one first.',
  },
  UNAVAILABLE: { ru: 'Сервис временно недоступен. Повторите позже.', en: 'Temporarily unavailable. Try again.' },
  INTERNAL: { ru: 'У нас что-то сломалось. Повторите позже.', en: 'Something went wrong here, not with you.' },
  GROUP_STAFF: { ru: 'Сотрудники', en: 'Staff' },
  CHANNEL_COMMUNITY: { ru: 'Сообщество', en: 'Community' },
  CHANNEL_STAFF: { ru: 'Сотрудники', en: 'Staff' },
  CHAT_HEAD_STAFF: { ru: 'Руководитель и сотрудники', en: 'Head and staff' },
  CSV_ENCODING: {
    ru: 'Файл не читается. Сохраните его как CSV в кодировке UTF-8 или Windows-1251.',
    en: 'The file cannot be read. Save it as CSV in the encoding UTF-8 or Windows-1251.',
  },
  CSV_EMPTY: { ru: 'Файл пуст.', en: 'The file is empty.' },
  CSV_COLUMN_MISSING: { ru: 'Нет столбца «{column}».', en: 'There is no column “{column}”.' },
  CSV_COLUMN_TWICE: { ru: 'Столбец «{column}» повторяется.', en: 'The column “{column}” is there twice.' },
  CSV_CELLS: {
    ru: 'Ячеек в строке {count}, а столбцов {columns}.',
    en: 'This row has {count} cells, but there are {columns} columns.',
  },
  CSV_QUOTE: {
    ru: 'Кавычка в этой строке не закрыта или не удвоена.',
    en: 'A quote in this row is not closed or not doubled.',
  },
  CSV_ROWS: { ru: 'Строк больше {max}. Разделите файл.', en: 'There are more than {max} rows. Split the file.' },
  ROSTER_INVALID: {
    ru: 'Ошибок в файле: {count}. Ничего не изменено.',
    en: 'Mistakes in the file: {count}. Nothing was changed.',
  },
  ROSTER_CELL_EMPTY: { ru: 'Заполните эту ячейку.', en: 'This cell must not be empty.' },
  ROSTER_CELL_LINE: {
    ru: 'Нужна строка до {max} знаков, с буквой или цифрой.',
    en: 'A line of up to {max} characters is needed, with a letter or digit.',
  },
  ROSTER_BIRTH_DATE: {
    ru: 'Нужна дата рождения, например 01.09.2020.',
    en: 'A date of birth is needed, for example 2020-09-01.',
  },
  ROSTER_TWICE: { ru: 'То же стоит в строке {row}.', en: 'Row {row} has the same.' },
  ROSTER_FULL_NAME: { ru: 'Нужны фамилия и имя.', en: 'Family name and given name are needed.' },
  ROSTER_GUARDIAN_PHONE: { ru: 'Нужен телефон этого человека.', en: 'This person’s phone is needed.' },
  ROSTER_OTHER_NAME: {
    ru: 'С этим телефоном в строке {row} указано другое имя.',
    en: 'Row {row} has another name for this phone.',
  },
  ROSTER_PHONE_TAKEN: {
    ru: 'Этот телефон у сотрудника с номером {externalId}.',
    en: 'The employee with the number {externalId} has this phone.',
  },
  ROSTER_GROUP: {
    ru: 'В {year} учебном году такой группы нет.',
    en: 'There is no such group in the academic year {year}.',
  },
  ROSTER_GROUPS_ALIKE: {
    ru: 'Таких групп несколько: напишите название точно.',
    en: 'There are several such groups: write the name exactly.',
  },
  ROSTER_POSITION: {
    ru: 'Такой должности нет. Есть: {positions}.',
    en: 'There is no such position. There are: {positions}.',
  },
  METHOD_NOT_ALLOWED: { ru: 'Здесь так нельзя.', en: 'That is not done here.' },
  RANGE_NOT_SATISFIABLE: { ru: 'В файле нет такой части.', en: 'The file has no such part.' },
  INVALID_LINK_TEMPLATE: {
    ru: 'Нужен адрес https://… с «{code}» на месте кода.',
    en: 'An address https://… is needed, with “{code}” in the place of the code.',
  },
  INVALID_SHEET_SIZE: {
    ru: 'Приглашений больше {max}: печатайте по группам.',
    en: 'There are more than {max} invites: print them group by group.',
  },
  SLIP_HEADING: { ru: 'Приглашение в Homeroom', en: 'Invite to Homeroom' },
  SLIP_SCAN: { ru: 'Отсканируйте или введите код:', en: 'Scan or enter the code:' },
  SLIP_FAMILY: { ru: 'Для законных представителей, не больше двух', en: 'For the guardians, two at most' },
  SLIP_UNTIL: { ru: 'Действует до {until}.', en: 'Valid until {until}.' },
  SLIP_PRIVATE: { ru: 'Никому не передавайте этот код.', en: 'Do not pass this code on to anybody.' },
} satisfies Record<string, Record<Locale, string>>;

export type TextKey = keyof typeof catalogue;
export type TextValues = Readonly<Record<string, string | number>>;

/** The text of a key in a language. */
export function text(locale: Locale, key: TextKey, values: TextValues = {}): string {
  return catalogue[key][locale].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The best of our languages for an `Accept-Language` header; Russian when it names none of them. */
export function preferredLocale(header: string | null | undefined): Locale {
  const wanted = (header ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', weight] = part.trim().split(';q=');
      return { locale: locales.find((locale) => tag.toLowerCase().startsWith(locale)), weight: Number(weight ?? 1) };
    })
    .sort((a, b) => b.weight - a.weight);
  return wanted.find(({ locale }) => locale !== undefined)?.locale ?? 'ru';
}
