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

  /** The organizations for which a sentence about the viewer holds, for a read's WHERE. */
  organizationsWhere(holds: (organizationId: string) => boolean): string[] {
    return [...new Set(this.standings.map((standing) => standing.organizationId))].filter(holds);
  }
}
