/** Who comes, and what they subscribe to. */
import { operation } from '../../support/operations.ts';
import type { Party } from '../load/crowd.ts';
import type { Person, School } from '../school/seed.ts';

export type Following = Pick<Party, 'urls' | 'id'> &
  Partial<Pick<Party, 'times' | 'timed' | 'allowed' | 'query' | 'variables' | 'proof'>>;

/** People who follow everything of a school, unless told what. */
export function following(name: string, school: School, people: readonly Person[], following: Following): Party {
  return {
    name,
    times: 1,
    timed: false,
    allowed: true,
    query: operation('OrganizationEvents'),
    variables: { organizationId: school.id },
    proof: `"${school.id}"`,
    ...following,
    people: people.map(({ token }) => ({ token, audiences: [school.membersAudienceId] })),
  };
}

/** People who each follow everything that concerns them. */
export function followingThemselves(name: string, school: School, people: readonly Person[], url: string): Party {
  return {
    name,
    urls: [url],
    times: 1,
    timed: true,
    allowed: true,
    query: operation('ViewerEvents'),
    variables: {},
    proof: '"ProfileUpdated"',
    people: people.map(({ token, userId }) => ({ token, audiences: [userId, school.membersAudienceId] })),
  };
}
