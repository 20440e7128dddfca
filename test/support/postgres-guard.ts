/**
 * Outlives the test run by a moment: when whoever holds the other end of stdin lets go, by ending in whatever way, it
 * stops the cluster in the directory given and removes that directory. The only place where clusters are cleaned up.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { alive, processesOf, signal } from './postgres-processes.ts';

const [directory] = process.argv.slice(2);
if (!directory) throw new Error('Usage: postgres-guard.ts <directory>');

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.stdin.destroy());
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('close', resolve));

const processes = await processesOf(join(directory, 'data'));
// A paused cluster hears nothing but these two.
for (const pid of processes) signal(pid, 'SIGCONT');
const [postmaster] = processes;
if (postmaster) signal(postmaster, 'SIGQUIT');
for (let waited = 0; processes.some(alive) && waited < 5_000; waited += 50) await delay(50);
for (const pid of processes) signal(pid, 'SIGKILL');
await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
