import type { Database } from '../database/connect.ts';
import { type Secret, SecretError } from '../secrets.ts';
import { secretFingerprint } from './tables.ts';

/**
 * Remembers by its fingerprint which secret belongs to this database. Processes with different ones would not know each other's
 * codes, devices and links.
 * @throws SecretError when it is another one
 */
export async function demandSameSecret(db: Database, secret: Secret): Promise<void> {
  const fingerprint = secret.keyed('fingerprint', 'homeroom');
  await db.insert(secretFingerprint).values({ fingerprint }).onConflictDoNothing();
  const [known] = await db.select().from(secretFingerprint);
  if (known?.fingerprint.equals(fingerprint)) return;
  throw new SecretError(
    'This database was written with another secret: give every process the same HOMEROOM_SECRET, or the file «secret» of the ' +
      'data directory that belongs to it. If that is lost for good, `delete from secret_fingerprint` begins with a new one.',
  );
}
