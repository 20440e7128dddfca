import { sql } from 'drizzle-orm';
import { users } from '../accounts/tables.ts';
import { organizationApplications } from '../applications/tables.ts';
import { type Executor, rows } from '../database/connect.ts';
import { organizations } from '../organizations/tables.ts';

/** Marks the application from which the demo grew. */
export const demoMark = { phone: '+79160000001', idempotencyKey: 'homeroom-demo-kindergarten' } as const;

/** Whose data it is: nobody's yet, the demo's, or somebody's own, which the demo leaves alone. */
export async function contentOf(db: Executor): Promise<'NONE' | 'DEMO' | 'OWN'> {
  const [found] = await rows<{ demo: boolean; anything: boolean }>(
    db,
    sql`
    select
      exists (
        select from ${organizationApplications} a join ${users} u on u.id = a.applicant_id
        where u.phone = ${demoMark.phone} and a.idempotency_key = ${demoMark.idempotencyKey}
      ) as demo,
      exists (select from ${organizationApplications}) or exists (select from ${organizations}) as anything`,
  );
  if (found?.demo) return 'DEMO';
  return found?.anything ? 'OWN' : 'NONE';
}
