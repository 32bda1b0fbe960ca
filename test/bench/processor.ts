import { readdirSync, readFileSync } from 'node:fs';

/** Linux tells processor time in hundredths of a second (USER_HZ), whatever the kernel counts in. */
const tickMicroseconds = 10_000;

/**
 * Processor time that a server and its sessions, also those that have ended, have taken so far, in microseconds. Unlike
 * seconds it hardly depends on what else the machine does. NaN where there is no /proc.
 *
 * @param server process id of the server, whose sessions are its child processes
 */
export function familyProcessorTime(server: number): number {
  try {
    const family = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => read(Number(pid)) ?? [])
      .filter((one) => one.pid === server || one.parent === server);
    const total = family.reduce(
      (sum, one) => sum + one.own + (one.pid === server ? one.endedChildren : 0),
      0,
    );
    return family.length > 0 ? total * tickMicroseconds : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

interface Process {
  pid: number;
  parent: number;
  /** Ticks. */
  own: number;
  endedChildren: number;
}

/** Undefined when it has ended meanwhile. */
function read(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; fields are counted from behind it (proc(5): 4 is the parent).
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return { pid, parent: fields[1] ?? 0, own: user + system, endedChildren: endedUser + endedSystem };
  } catch {
    return undefined;
  }
}
