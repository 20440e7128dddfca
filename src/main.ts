import { startApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { SecretError } from './secrets.ts';

/** How long a stop may take before the process goes anyway. */
const stopMs = 15_000;

try {
  const app = await startApp(readConfig(process.env));
  app.logger.info({ url: app.url }, 'Homeroom is listening');
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, async () => {
      if (stopping) return;
      stopping = true;
      app.logger.info({ signal }, 'stopping');
      setTimeout(() => process.exit(1), stopMs).unref();
      await app[Symbol.asyncDispose]();
      process.exit(0);
    });
  }
} catch (error) {
  if (error instanceof ConfigError) process.stderr.write(`The configuration is wrong:\n${error.message}\n`);
  else if (error instanceof SecretError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`Homeroom could not start: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
