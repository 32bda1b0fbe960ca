import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

const alive = new Map<ChildProcess, NodeJS.Signals>();

/** Starts a process that ends with the harness at the latest, by `lastSignal`. */
export function startChild(
  command: readonly string[],
  options: SpawnOptions,
  lastSignal: NodeJS.Signals = 'SIGKILL',
): ChildProcess {
  const [file = '', ...args] = command;
  const child = spawn(file, args, options);
  alive.set(child, lastSignal);
  child.once('exit', () => alive.delete(child));
  child.once('error', () => alive.delete(child));
  return child;
}

process.once('exit', () => {
  for (const [child, signal] of alive) {
    child.kill(signal);
    // One that was stopped must run to be able to end.
    child.kill('SIGCONT');
  }
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
