import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledMain } from '../helpers/product.ts';

export interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A command under way. */
export class Running {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#ended = once(child, 'close');
    child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until the command has printed this; fails when it ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      const ended = this.#ended.then(() => true);
      const more = new Promise((resolve) => this.#child.stdout?.once('data', () => resolve(false)));
      if ((await Promise.race([ended, more])) && !pattern.test(this.stdout))
        throw new Error(`ended without printing ${pattern}:\n${this.stdout}\n${this.stderr}`);
    }
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Answer> {
    this.#child.kill(signal);
    return this.end();
  }

  async end(): Promise<Answer> {
    const [code] = await this.#ended;
    return { code: code as number | null, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Starts the real command line. The ledger is always the embedded one of the project. */
export function start(cwd: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const { READBACK_DATABASE_URL: _, READBACK_TARGET: __, ...clean } = process.env;
  const child = spawn(process.execPath, [compiledMain, ...args], {
    cwd,
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Running(child);
}

/** Runs the real command line to its end. */
export function readback(cwd: string, ...args: string[]): Promise<Answer> {
  return start(cwd, args).end();
}

/** An empty folder, removed when the test file is done. */
export async function emptyFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-cli-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
