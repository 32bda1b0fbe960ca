import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DeskSettings, StandinsConfig } from './config.ts';
import type { DeskStats } from './desk.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/loader.mjs', import.meta.url));

/** The stand-ins' process, from the outside. */
export class Standins {
  /** Base addresses by desk, such as `http://127.0.0.1:4711`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly #control: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: { control: number; desks: Record<string, number> }) {
    const url = (port: number) => `http://127.0.0.1:${port}`;
    this.#child = child;
    this.#control = url(ready.control);
    this.urls = Object.fromEntries(Object.entries(ready.desks).map(([name, port]) => [name, url(port)]));
  }

  /** @param file where to write the configuration that the process reads */
  static async start(file: string, config: StandinsConfig): Promise<Standins> {
    await writeFile(file, JSON.stringify(config));
    const child = spawn(process.execPath, ['--import', tsx, main, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the stand-ins ended with ${code} before they were ready`);
    });
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    ended.catch(() => {});
    return new Standins(child, JSON.parse(line));
  }

  /** Changes a desk at once. */
  change(desk: string, settings: DeskSettings): Promise<unknown> {
    return this.#ask('PATCH', `/desks/${desk}`, settings);
  }

  stats(): Promise<Record<string, DeskStats>> {
    return this.#ask('GET', '/stats') as Promise<Record<string, DeskStats>>;
  }

  /** Does all late writes, and puts the whole truth on disk. */
  flush(): Promise<unknown> {
    return this.#ask('POST', '/flush');
  }

  records(desk: string): Promise<Record<string, unknown>[]> {
    return this.#ask('GET', `/desks/${desk}/records`) as Promise<Record<string, unknown>[]>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#control + path, {
      method,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }
}
