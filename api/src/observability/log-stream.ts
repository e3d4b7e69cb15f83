import type { DestinationStream } from 'pino';
import { systemClock } from '../clock.ts';

/** Maximum amount of log that waits for a slow reader of stderr; about 2,000 lines. Bytes. */
export const UNREAD_LOG_MAX_BYTES = 512 * 1024;

/** Part of a `Writable` that the log needs. */
export interface LogReader {
  /** Bytes that were written and not yet consumed. */
  readonly writableLength: number;
  write(text: string): boolean;
  on(event: 'error', heard: () => void): unknown;
}

/**
 * Writes log lines to a stream, such as `process.stderr`, without ever waiting for it. While more than `maxBytes` are
 * unread, lines are dropped; once there is room again, a line says how many. A broken stream, such as a pipe whose
 * reader is gone or a file on a full disk, loses what is written to it and does not end the process.
 */
export function logStream(stream: LogReader, maxBytes = UNREAD_LOG_MAX_BYTES): DestinationStream {
  let dropped = 0;
  // There is nobody left to tell: the place to tell it is what broke.
  stream.on('error', () => undefined);
  return {
    write: (line) => {
      if (stream.writableLength + Buffer.byteLength(line) > maxBytes) {
        dropped++;
        return;
      }
      if (dropped > 0) {
        stream.write(
          `${JSON.stringify({ level: 40, time: systemClock(), count: dropped, msg: 'log lines dropped' })}\n`,
        );
        dropped = 0;
      }
      stream.write(line);
    },
  };
}
