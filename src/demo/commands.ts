import type { Database } from '../database/connect.ts';

export async function fillDemo(_db: Database, _say: (line: string) => void): Promise<void> {}
