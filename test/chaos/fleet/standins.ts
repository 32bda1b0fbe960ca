import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startChild } from './children.ts';

const main = fileURLToPath(new URL('../standins/main.ts', import.meta.url));

/** What a stand-in is told about one desk; see standins/config.ts. */
export type DeskConfig = { name: string; kind: string } & Record<string, unknown>;

export type DeskStats = {
  requests: number;
  applied: number;
  faults: Record<string, number>;
  limited: number;
};

/** The destinations, in a process of their own that outlives every kill of the product. */
export class Standins {
  readonly ports: Readonly<Record<string, number>>;
  readonly #child: ChildProcess;
  readonly #control: string;

  private constructor(child: ChildProcess, ready: { control: number; desks: Record<string, number> }) {
    this.#child = child;
    this.#control = `http://127.0.0.1:${ready.control}`;
    this.ports = ready.desks;
  }

  /** @param truth the JSONL file to which they append what they did */
  static async start(
    folder: string,
    seed: number,
    truth: string,
    desks: readonly DeskConfig[],
  ): Promise<Standins> {
    const config = `${folder}/standins.json`;
    await writeFile(config, JSON.stringify({ seed, truth, desks }));
    const child = startChild([process.execPath, '--import', 'tsx', main, config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (!child.stdout) throw new Error('no standard output of the stand-ins');
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, 'exit').then(() => {
      throw new Error('the stand-ins ended before they were ready');
    });
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    ended.catch(() => {});
    return new Standins(child, JSON.parse(line));
  }

  /** Changes a desk at once. */
  async change(desk: string, change: Record<string, unknown>): Promise<void> {
    await this.#ask('PATCH', `/desks/${desk}`, change);
  }

  stats(): Promise<Record<string, DeskStats>> {
    return this.#ask('GET', '/stats') as Promise<Record<string, DeskStats>>;
  }

  /** Late writes happen now, and all of truth is on disk. */
  async flush(): Promise<void> {
    await this.#ask('POST', '/flush');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.#control}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`stand-ins: ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
