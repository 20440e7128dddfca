import { readFileSync } from 'node:fs';

/** The columns of `law.md`, in its order: the roles of the regulation, and who has none. */
export const mainRoles = [
  'signed out',
  'stranger',
  'operator',
  'administrator',
  'head',
  'verified staff',
  'unverified staff',
  'guardian',
  'student',
] as const;
/** The columns of `law-of-chats.md` and `law-of-meetings.md`: there it also matters of which group one is, and of which one was. */
export const chatRoles = [
  ...mainRoles,
  'other staff',
  'other guardian',
  'LIMITED guardian',
  'former guardian',
] as const;
export type MainRole = (typeof mainRoles)[number];
export type Role = (typeof chatRoles)[number];

/** One row of the law: a field, a case of it, and what each role is answered. */
export interface Rule {
  /** `Mutation.createInvite`. */
  readonly field: string;
  /** `of a guardian`; empty where the field has one case only. */
  readonly case: string;
  /** Both: names the rule, and what runs it. */
  readonly name: string;
  readonly answers: Readonly<Record<Role, string>>;
  /** The columns of its table: nobody else is asked. */
  readonly roles: readonly Role[];
}

/** The law as it is written; anything in its tables that cannot be read is an error. */
export function readLaw(): Rule[] {
  return [
    ...readFrom('law.md', mainRoles),
    ...readFrom('law-of-chats.md', chatRoles),
    ...readFrom('law-of-meetings.md', chatRoles),
  ];
}

function readFrom(file: string, roles: readonly Role[]): Rule[] {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('|') && !/^\| ?-/.test(line))
    .flatMap((line) => ruleOf(file, line, roles));
}

function ruleOf(file: string, line: string, roles: readonly Role[]): Rule[] {
  const [field = '', which = '', ...cells] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
  if (field === 'Field') {
    if (cells.join() !== [...roles, 'Why'].join())
      throw new Error(`${file}: other columns than ${roles.join()}: ${line}`);
    return [];
  }
  if (!/^`\w+\.\w+`$/.test(field) || cells.length !== roles.length + 1 || cells.includes('')) {
    throw new Error(`${file}: this is no rule: ${line}`);
  }
  const name = field.slice(1, -1);
  const answers = Object.fromEntries(roles.map((role, index) => [role, cells[index]])) as Record<Role, string>; // counted above
  return [{ field: name, case: which, name: which ? `${name} ${which}` : name, answers, roles }];
}

/** Whether a rule has the columns of chats: it is run where they are. */
export const isOfChats = ({ roles }: Rule): boolean => roles.length > mainRoles.length;

const refusals = new Set(['UNAUTHENTICATED', 'NOT_FOUND', 'FORBIDDEN']);

/** Whether an answer says that the viewer may not, so that nothing has changed. */
export const isRefusal = (answer: string): boolean => refusals.has(answer);

/** As if everybody were refused: what is only looked at stays as it is, so that all look at the same. */
export const lookedAt = (rule: Rule): Rule => ({
  ...rule,
  answers: Object.fromEntries(rule.roles.map((role) => [role, 'NOT_FOUND'])) as Rule['answers'], // of all its roles
});
