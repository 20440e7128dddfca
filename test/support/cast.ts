import { type Standing, Viewer } from '../../src/viewer.ts';

export const here = 'here';

/** Somebody with one membership, or none. */
function viewer(standing: Partial<Standing> | null, isOperator = false): Viewer {
  const whole = {
    organizationId: here,
    membershipId: 'm',
    role: 'EMPLOYEE',
    position: null,
    verified: false,
    administrator: false,
    groupIds: [],
    childIds: [],
  } as const;
  const standings = standing ? [{ ...whole, ...standing }] : [];
  return new Viewer({ userId: 'me', sessionId: 's', phone: '+79160000000', locale: 'en', isOperator, standings });
}

export const people = {
  operator: viewer(null, true),
  administrator: viewer({ administrator: true, verified: true }),
  reservedAdministrator: viewer({ administrator: true }),
  head: viewer({ position: 'HEAD', verified: true }),
  unconfirmedHead: viewer({ position: 'HEAD' }),
  verifiedStaff: viewer({ verified: true }),
  unverifiedStaff: viewer({}),
  teacher: viewer({ verified: true, groupIds: ['sun'] }),
  teacherOfAnotherGroup: viewer({ verified: true, groupIds: ['moon'] }),
  guardian: viewer({ role: 'GUARDIAN', groupIds: ['sun'], childIds: ['masha'] }),
  guardianOfAnotherChild: viewer({ role: 'GUARDIAN', groupIds: ['sun'], childIds: ['petya'] }),
  guardianElsewhere: viewer({ role: 'GUARDIAN', groupIds: ['moon'], childIds: ['vera'] }),
  guardianWithoutChild: viewer({ role: 'GUARDIAN' }),
  student: viewer({ role: 'STUDENT', groupIds: ['sun'], childIds: ['masha'] }),
  studentElsewhere: viewer({ role: 'STUDENT', groupIds: ['moon'], childIds: ['vera'] }),
  strangerWhoAdministersElsewhere: viewer({
    organizationId: 'elsewhere',
    administrator: true,
    verified: true,
    position: 'HEAD',
    groupIds: ['school'],
    childIds: ['kolya'],
  }),
  nobody: viewer(null),
};
export type Who = keyof typeof people;

export const leaders: Who[] = ['administrator', 'reservedAdministrator', 'head'];
export const administrators: Who[] = ['administrator', 'reservedAdministrator'];
export const staff: Who[] = ['verifiedStaff', 'teacher', 'teacherOfAnotherGroup'];
export const verified: Who[] = ['administrator', 'head', ...staff];
export const families: Who[] = [
  'guardian',
  'guardianOfAnotherChild',
  'guardianElsewhere',
  'guardianWithoutChild',
  'student',
  'studentElsewhere',
];
/** Whoever learns in the group «Sun» or has a child there, and of them those of one child. */
export const ofGroup: Who[] = ['guardian', 'guardianOfAnotherChild', 'student'];
export const family: Who[] = ['guardian', 'student'];
export const guardians: Who[] = ['guardian'];
export const members: Who[] = [...leaders, 'unconfirmedHead', ...staff, 'unverifiedStaff', ...families];

/** Everybody who may, in the order of the alphabet. */
export const whoOf = (may: (viewer: Viewer) => boolean): string[] =>
  Object.entries(people)
    .filter(([, person]) => may(person))
    .map(([who]) => who)
    .sort();
