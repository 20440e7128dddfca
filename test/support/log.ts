import postgres from 'postgres';
import { expect } from 'vitest';
import { idOf } from '../../src/graphql/ids.ts';
import type { TestApp } from './app.ts';
import type { TestClient } from './client.ts';
import { eventually } from './waiting.ts';
import type { Person, School } from './world.ts';

/** The log as its table holds it: what streams are measured by. */
export class Oracle implements AsyncDisposable {
  readonly sql: postgres.Sql;

  constructor({ databaseUrl }: Pick<TestApp, 'databaseUrl'>) {
    if (!databaseUrl) throw new Error('the oracle reads Postgres');
    this.sql = postgres(databaseUrl, {
      max: 2,
      onnotice: () => {},
      types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    });
  }

  /** The places behind one, of all that a person was in the audience of when it happened, everywhere or in one school. */
  async places(person: TestClient, after: number, school?: School): Promise<number[]> {
    const userId = await userIdOf(person);
    const organizationId = school ? idOf('Organization', school.id) : null;
    await this.everythingPlaced();
    const found = await this.sql<{ position: number }[]>`
      select e.position from log_events e
      where e.position > ${after} and e.kind not in ('ACCESS_BEGAN', 'ACCESS_ENDED', 'SESSION_ENDED')
        and (exists (
            select from audience_members m
            join audiences a on a.id = m.audience_id
            join log_events began on began.id = m.since_event
            left join log_events ended on ended.id = m.until_event
            where m.user_id = ${userId} and m.audience_id = e.audience_id
              and e.position > began.position and e.position < coalesce(ended.position, 'infinity'::float8)
              and (${organizationId}::uuid is null or a.organization_id = ${organizationId}))
          or (${organizationId}::uuid is null and e.audience_id = ${userId}))
      order by e.position`;
    return found.map(({ position }) => position);
  }

  /** Where the last event of a kind about a subject, or a person, stands. */
  async placeOf(kind: string, subjectId: string): Promise<number> {
    const [found] = await this.sql<{ position: number }[]>`
      select max(position) as position from log_events where kind = ${kind} and subject_id = ${subjectId}`;
    return Number(found?.position);
  }

  /** Waits until every committed event has its place. */
  async everythingPlaced(): Promise<void> {
    await eventually(async () => expect(await this.sql`select id from log_events where position is null`).toEqual([]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sql.end({ timeout: 1 });
  }
}

const userIds = new Map<string, Promise<string>>();

/** A person's id in the database; kept, for it is asked for also when they are signed out. */
export function userIdOf(person: TestClient): Promise<string> {
  const key = person.token ?? '';
  const known = userIds.get(key) ?? person.run('Viewer').then(({ viewer }) => idOf('User', viewer.user.id));
  userIds.set(key, known);
  return known;
}

/** The log's place now, as a person's client learns it. */
export const cursorOf = async (person: TestClient): Promise<string> => (await person.run('Viewer')).viewer.cursor;

/** People who write into a school for as long as they are let: each asks to join and takes it back, again and again. */
export class Writers implements AsyncDisposable {
  readonly #work: Promise<void>[];
  written = 0;
  #stopped = false;

  constructor(school: School, people: readonly Person[]) {
    this.#work = people.map((person) => this.#write(school, person));
  }

  async #write(school: School, person: Person): Promise<void> {
    while (!this.#stopped) {
      const request = await person.does('SubmitJoinRequest', {
        input: { organizationId: school.id, role: 'EMPLOYEE' },
      });
      if (request.__typename !== 'JoinRequest') return; // the school is closed
      await person.does('WithdrawJoinRequest', { joinRequestId: request.id });
      this.written += 2;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#work);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
