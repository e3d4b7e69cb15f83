/** Returns the faults of the lines a process has written to its log; empty if there are none. */
export function faultsInLog(output: string): string[] {
  const faults: string[] = [];
  const lastOfKind = new Map<string, number>();
  for (const line of output.split('\n')) {
    if (line === '' || EXPECTED.test(line)) continue;
    const entry = parsed(line);
    if (entry === null) {
      faults.push(`outside the log: ${line}`);
      continue;
    }
    const { time, level, msg, code, reason, error } = entry;
    const kind = JSON.stringify([level, msg, code, reason, error?.name]);
    const before = lastOfKind.get(kind);
    if (before !== undefined && time - before < INTERVAL_MS) faults.push(`twice within a minute: ${line}`);
    lastOfKind.set(kind, time);
  }
  return faults;
}

/** A minute, less the tolerance of timers. Milliseconds. */
const INTERVAL_MS = 59_000;

/** Lines of the start, of Node's inspector and of a drain. */
const EXPECTED =
  /^(Passerby is at |Debugger |For help, see: |Starting inspector |SIGTERM|SIGINT)|ExperimentalWarning|--trace-warnings/;

interface Entry {
  readonly time: number;
  readonly level: number;
  readonly msg: string;
  readonly code?: string;
  readonly reason?: string;
  readonly error?: { readonly name?: string };
}

function parsed(line: string): Entry | null {
  try {
    const entry = JSON.parse(line) as Partial<Entry> | null;
    return typeof entry?.time === 'number' && typeof entry.msg === 'string' ? (entry as Entry) : null;
  } catch {
    return null;
  }
}
