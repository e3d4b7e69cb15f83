import { readConfig } from '../src/config.ts';
import { startErrorLine, whyNotListening } from '../src/start-error.ts';
import { startTestApp } from './harness.ts';

/**
 * Returns the error of a start with this address of Redis, in this process: a process of its own takes ten times as
 * long.
 */
export async function lineOfStart(REDIS_URL: string): Promise<string> {
  const config = readConfig({ REDIS_URL });
  const app = await startTestApp({ config: { REDIS_URL: config.REDIS_URL } }).catch(
    (error: NodeJS.ErrnoException) => error,
  );
  if (app instanceof Error) return startErrorLine(whyNotListening(app, config));
  await app.stop();
  throw new Error('the service started');
}
