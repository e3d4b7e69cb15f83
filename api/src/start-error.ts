import { recordsPlace, type Config } from './config.ts';
import { reasonOf } from './observability/log.ts';
import { DatabaseFailure } from './records/database-failure.ts';
import { placeName } from './records/opening-error.ts';

/** Codes of Node for a port or host that cannot be listened on. */
interface ListenError extends NodeJS.ErrnoException {
  readonly port?: number;
  readonly address?: string;
  readonly hostname?: string;
}

/** One line that says why the service cannot start, with the name of the variable to correct and without any secret. */
export function startErrorLine(why: string): string {
  return `Passerby cannot start: ${why.replaceAll(/\s*\n\s*/g, '; ').replace(/\.$/, '')}.\n`;
}

/** Returns the reason for which the sites could not be read, or those of the sites file not written. */
export function whyNotSeeded(thrown: unknown, config: Config): string {
  if (!(thrown instanceof DatabaseFailure)) return (thrown as Error).message;
  const what =
    config.SITES_FILE === undefined ? 'the sites cannot be read' : 'the sites of SITES_FILE cannot be written';
  return `${placeName(recordsPlace(config))}: ${what} (${thrown.reason})`;
}

/** Returns the reason for which `startApp` failed: mostly a port or a host. */
export function whyNotListening(error: ListenError, config: Config): string {
  const { code = '', syscall } = error;
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return error.message;
  const [hostName, portName] = isOfMetrics(error, config)
    ? (['METRICS_HOST', 'METRICS_PORT'] as const)
    : (['HOST', 'PORT'] as const);
  const { [portName]: port, [hostName]: host } = config;
  switch (code) {
    case 'EADDRINUSE':
      return `${portName}: port ${port} is taken; stop what uses it, or choose another one`;
    case 'EACCES':
      return `${portName}: this user may not listen on port ${port}; choose one above 1023`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${hostName}: ${host} is no address of this machine`;
    default:
      return `${hostName} and ${portName}: ${host} and ${port} cannot be listened on (${reasonOf(error) ?? error.message})`;
  }
}

function isOfMetrics(
  { port, address, hostname }: ListenError,
  { PORT, METRICS_PORT, HOST, METRICS_HOST }: Config,
): boolean {
  if (METRICS_PORT === undefined) return false;
  if (port !== undefined && METRICS_PORT !== PORT) return port === METRICS_PORT;
  return HOST !== METRICS_HOST && (address ?? hostname) === METRICS_HOST;
}
