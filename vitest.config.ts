import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { findBrowser } from './test/support/browser.ts';
import { LongestFirst } from './test/support/sequencer.ts';

// A laptop may lack a browser, and says so; CI never does, so there the test fails without one.
const browserless = !findBrowser() && !process.env.CI;
if (browserless) {
  process.stderr.write('No Chromium found: test/graphiql.test.ts does not run. Install one, or set CHROMIUM_PATH.\n');
}

export default defineConfig({
  // Without it vitest loads a second graphql beside the one that its dependencies load, and neither accepts the other's schema.
  resolve: { alias: { graphql: fileURLToPath(import.meta.resolve('graphql')) } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(browserless ? ['test/graphiql.test.ts'] : [])],
    globalSetup: 'test/support/global-setup.ts',
    // A worker reads the program once and not for each of its files: that takes longer than many of them run. Whatever a test
    // changes of the process it changes back.
    isolate: false,
    // By default it leaves one core free; on two cores three files at once are some 5 % faster than two.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Far beyond what any test takes: it guards against a hang, and proves nothing.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Of two files that differ the first lines tell enough; to compare all of their bytes line by line takes hours.
    diff: { truncateThreshold: 200 },
    expect: { poll: { timeout: 60_000, interval: 20 } },
  },
});
