import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** What makes a test depend on how busy the machine is, and where it is said why it does not. */
const luck: readonly { readonly pattern: RegExp; readonly instead: string; readonly except: Record<string, string> }[] =
  [
    {
      pattern: /expect\([^;]*performance\.now\(\)|performance\.now\(\) - \w+\)\.toBe(Less|Greater)Than/,
      instead: 'await what was to happen; how fast it is belongs to test/bench',
      except: {
        'presence.test.ts':
          'people are there, or write, for so many seconds at the least, and the test lives through them',
      },
    },
    {
      pattern: /vi\s*\.waitFor|vi\s*\.waitUntil|\.poll\([^;]*\{ ?timeout/,
      instead: '`eventually` of support/waiting.ts, which is patient everywhere',
      except: {},
    },
    {
      pattern: /node:timers\/promises'|AbortSignal\.timeout|new Promise[^;]*setTimeout/,
      instead: '`eventually`, `anyMoment` of support/waiting.ts, or `comeDue` of support/due.ts',
      except: {
        'support/waiting.ts': 'where waiting is done',
        'support/client.ts': 'gives up on a stream that says nothing more',
        'support/event-source.ts': 'a client’s pause before it comes back',
        'support/socket.ts': 'a client’s pause before it comes back',
        'support/placing.ts': 'asks again until all has its place',
        'support/postgres-cluster.ts': 'asks again until the server is ready',
        'support/postgres-guard.ts': 'asks again until the processes are gone',
        'event-stream.test.ts': 'goes away at random',
        'jobs.test.ts': 'what a job does takes a moment',
        'presence.test.ts': 'says again and again for two seconds that they write',
        'sockets.test.ts': 'what happens is spread over the while in which sockets come back',
      },
    },
  ];

// Turns of the event loop are no time.
const isTurn = /import \{ setImmediate as nextTurn \} from 'node:timers\/promises'/;

test.each(luck)('no test bets on the machine: $pattern', ({ pattern, instead, except }) => {
  const files = globSync('**/*.ts', { cwd: folder, exclude: ['bench/**', 'patience.test.ts'] });
  const found = files.filter((file) => {
    const lines = readFileSync(join(folder, file), 'utf8').split('\n');
    return lines.some((line) => pattern.test(line) && !isTurn.test(line) && !line.trimStart().startsWith('*'));
  });
  // An exception that is needed no more is to go.
  expect(found.toSorted(), instead).toEqual(Object.keys(except).toSorted());
});
