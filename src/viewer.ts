import type { Locale } from './texts.ts';

export type Role = 'EMPLOYEE' | 'GUARDIAN' | 'STUDENT';
export type Position = 'HEAD' | 'DEPUTY_HEAD' | 'EDUCATOR' | 'ASSISTANT' | 'SPECIALIST' | 'OFFICE' | 'OTHER';

/** One active membership in an active organization, and what comes with it. */
export interface Standing {
  readonly organizationId: string;
  readonly membershipId: string;
  readonly role: Role;
  readonly position: Position | null;
  readonly verified: boolean;
  readonly administrator: boolean;
  /** The groups where this puts them: as confirmed staff assigned to it, with a child in it, or as its student. */
  readonly groupIds: readonly string[];
  /** A guardian's children who are enrolled; a student's own record. */
  readonly childIds: readonly string[];
}

/** Who is asking, as of the moment the request (or the event) began. Policies ask it; nothing changes it. */
export class Viewer {
  readonly userId: string;
  readonly sessionId: string;
  readonly phone: string;
  readonly locale: Locale;
  readonly isOperator: boolean;
  readonly standings: readonly Standing[];

  constructor(values: {
    userId: string;
    sessionId: string;
    phone: string;
    locale: Locale;
    isOperator: boolean;
    standings: readonly Standing[];
  }) {
    this.userId = values.userId;
    this.sessionId = values.sessionId;
    this.phone = values.phone;
    this.locale = values.locale;
    this.isOperator = values.isOperator;
    this.standings = values.standings;
  }

  #has(organizationId: string, what: (standing: Standing) => boolean): boolean {
    return this.standings.some((standing) => standing.organizationId === organizationId && what(standing));
  }

  /** An active member in any role. */
  belongsTo(organizationId: string): boolean {
    return this.#has(organizationId, () => true);
  }

  /** An active member, and not merely an employee whose status is not confirmed: does more than read (§3). */
  takesPartIn(organizationId: string): boolean {
    return this.#has(
      organizationId,
      ({ role, verified, administrator }) => role !== 'EMPLOYEE' || verified || administrator,
    );
  }

  administers(organizationId: string): boolean {
    return this.#has(organizationId, (standing) => standing.administrator);
  }

  /** The head, once their status of employee is confirmed (§2.2.4). */
  heads(organizationId: string): boolean {
    return this.#has(organizationId, (standing) => standing.position === 'HEAD' && standing.verified);
  }

  /** Administrator or head. */
  leads(organizationId: string): boolean {
    return this.administers(organizationId) || this.heads(organizationId);
  }

  /** An employee whose status is confirmed (§2.1.11). */
  isVerifiedStaffOf(organizationId: string): boolean {
    return this.#has(organizationId, (standing) => standing.role === 'EMPLOYEE' && standing.verified);
  }

  /** Assigned to the group as a confirmed employee (§2.1.9): what makes it theirs. */
  teaches(groupId: string | null): boolean {
    return groupId !== null && this.groupsTaught.includes(groupId);
  }

  get groupsTaught(): string[] {
    return this.standings.flatMap(({ role, groupIds }) => (role === 'EMPLOYEE' ? groupIds : []));
  }

  /** Works or learns in the group, or has a child there. */
  isOfGroup(groupId: string): boolean {
    return this.groups.includes(groupId);
  }

  get groups(): string[] {
    return this.standings.flatMap(({ groupIds }) => groupIds);
  }

  /** A guardian of the child, or the child itself. */
  isOfChild(childId: string): boolean {
    return this.standings.some(({ childIds }) => childIds.includes(childId));
  }

  /** A guardian of the child, while it is enrolled. */
  guards(childId: string | null): boolean {
    return childId !== null && this.children.includes(childId);
  }

  /** A guardian of one of the group's children. */
  hasChildIn(groupId: string): boolean {
    return this.standings.some(({ role, groupIds }) => role === 'GUARDIAN' && groupIds.includes(groupId));
  }

  /** The enrolled children whose guardian the viewer is, in all organizations. */
  get children(): string[] {
    return this.standings.flatMap(({ role, childIds }) => (role === 'GUARDIAN' ? childIds : []));
  }

  /** The organizations for which a sentence about the viewer holds, for a read's WHERE. */
  organizationsWhere(holds: (organizationId: string) => boolean): string[] {
    return [...new Set(this.standings.map((standing) => standing.organizationId))].filter(holds);
  }
}
