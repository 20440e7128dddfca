import { readFileSync } from 'node:fs';

/** The columns of `law.md`, in its order: the roles of the regulation, and who has none. */
export const roles = [
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
export type Role = (typeof roles)[number];

/** One row of `law.md`: a field, a case of it, and what each role is answered. */
export interface Rule {
  /** `Mutation.createInvite`. */
  readonly field: string;
  /** `of a guardian`; empty where the field has one case only. */
  readonly case: string;
  /** Both: names the rule, and what runs it. */
  readonly name: string;
  readonly answers: Readonly<Record<Role, string>>;
}

/** `law.md` as it is written; anything in its tables that cannot be read is an error. */
export function readLaw(): Rule[] {
  const lines = readFileSync(new URL('law.md', import.meta.url), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('|') && !/^\| ?-/.test(line)).flatMap(ruleOf);
}

function ruleOf(line: string): Rule[] {
  const [field = '', which = '', ...cells] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
  if (field === 'Field') {
    if (cells.join() !== [...roles, 'Why'].join())
      throw new Error(`law.md: other columns than ${roles.join()}: ${line}`);
    return [];
  }
  if (!/^`\w+\.\w+`$/.test(field) || cells.length !== roles.length + 1 || cells.includes('')) {
    throw new Error(`law.md: this is no rule: ${line}`);
  }
  const name = field.slice(1, -1);
  const answers = Object.fromEntries(roles.map((role, index) => [role, cells[index]])) as Record<Role, string>; // counted above
  return [{ field: name, case: which, name: which ? `${name} ${which}` : name, answers }];
}

const refusals = new Set(['UNAUTHENTICATED', 'NOT_FOUND', 'FORBIDDEN']);

/** Whether an answer says that the viewer may not, so that nothing has changed. */
export const isRefusal = (answer: string): boolean => refusals.has(answer);

/** As if everybody were refused: what is only looked at stays as it is, so that all look at the same. */
export const lookedAt = (rule: Rule): Rule => ({
  ...rule,
  answers: Object.fromEntries(roles.map((role) => [role, 'NOT_FOUND'])) as Rule['answers'], // of all roles
});
