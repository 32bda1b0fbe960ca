import { type ChildProcess, execFile } from 'node:child_process';
import { closeSync, createReadStream, createWriteStream, openSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startChild } from './children.ts';

export type Role = 'scheduler' | 'worker' | 'all';

const compiled = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** The product as its user meets it: the compiled command line in a project folder. Nothing else of it is known here. */
export class Product {
  readonly processes = new Set<Process>();
  readonly #folder: string;
  readonly #logs: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #built: string;
  #main: string;
  #count = 0;
  #knowsRoles: boolean | undefined;

  /**
   * @param env what the user's environment holds: addresses and secrets
   * @param main the command line's file, of this tree or of a copy
   */
  constructor(folder: string, env: Record<string, string>, main: string = compiled) {
    this.#built = main;
    this.#main = main;
    this.#folder = folder;
    this.#logs = join(folder, 'logs');
    this.#env = { PATH: process.env.PATH, HOME: process.env.HOME, ...env };
  }

  /** From now on another build of the product is started; without a path, the first one again. */
  use(main: string = this.#built): void {
    this.#main = main;
  }

  /** Starts `readback start`. Its log lines go to a file of its own. */
  async start(role: Role = 'all'): Promise<Process> {
    await mkdir(this.#logs, { recursive: true });
    const words = role === 'all' || !(await this.#roles()) ? [] : ['--role', role];
    this.#count += 1;
    const log = openSync(join(this.#logs, `${String(this.#count).padStart(4, '0')}-${role}.jsonl`), 'w');
    const command = [process.execPath, this.#main, '--project', this.#folder, 'start', ...words];
    const child = startChild(command, {
      env: this.#env,
      stdio: ['ignore', 'pipe', log],
      cwd: this.#folder,
    });
    closeSync(log);
    const started = new Process(child, role);
    this.processes.add(started);
    child.once('exit', () => this.processes.delete(started));
    return started;
  }

  /** Asks all processes to stop. Resolves to their exit codes; null: had to be killed. */
  async stopAll(): Promise<(number | null)[]> {
    return Promise.all([...this.processes].map((one) => one.stop()));
  }

  /** Runs a command to its end and gives its standard output; an exit code above 2 throws. */
  async run(...words: string[]): Promise<string> {
    const command = [this.#main, '--project', this.#folder, '--log-level', 'error', ...words];
    const options = { env: this.#env, maxBuffer: 2 ** 30, cwd: this.#folder };
    return promisify(execFile)(process.execPath, command, options).then(
      ({ stdout }) => stdout,
      (error: { code?: unknown; stdout?: string; stderr?: string }) => {
        if (error.code === 1 && error.stdout) return error.stdout;
        throw new Error(`readback ${words.join(' ')}: ${error.stderr}`);
      },
    );
  }

  /** The same for output too large for one string: into a file. */
  async runInto(file: string, ...words: string[]): Promise<void> {
    const command = [process.execPath, this.#main, '--project', this.#folder, ...words];
    const child = startChild(command, {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: this.#folder,
    });
    const output = createWriteStream(file);
    child.stdout?.pipe(output);
    const [code] = await Promise.all([
      new Promise((resolve) => child.once('exit', resolve)),
      new Promise<void>((resolve) => output.once('finish', () => resolve())),
    ]);
    if (code !== 0) throw new Error(`readback ${words.join(' ')}: exit code ${code}`);
  }

  /** Every log line of every process so far, in no order across processes. */
  async *logLines(): AsyncGenerator<LogLine> {
    for (const file of (await readdir(this.#logs).catch(() => [])).sort()) {
      for await (const line of createInterface({ input: createReadStream(join(this.#logs, file)) })) {
        // The last line of a killed process may be half a line; a crash of Node itself writes plain text.
        const parsed = parse(line);
        if (parsed) yield { ...parsed, file };
      }
    }
  }

  async #roles(): Promise<boolean> {
    this.#knowsRoles ??= (await this.run('start', '--help')).includes('--role');
    return this.#knowsRoles;
  }
}

/** One line of the product's log; `file` is the process's. */
export type LogLine = {
  time: string;
  level: string;
  pid: number;
  msg: string;
  file?: string;
  [field: string]: unknown;
};

function parse(line: string): LogLine | undefined {
  try {
    const parsed = JSON.parse(line) as LogLine;
    return typeof parsed.msg === 'string' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** One process of the product. */
export class Process {
  readonly role: Role;
  readonly pid: number;
  /** It has said that it runs; before, a signal meets Node.js and not the product. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;

  constructor(child: ChildProcess, role: Role) {
    this.role = role;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    this.ready = new Promise((resolve, reject) => {
      child.stdout?.on('data', (text) => String(text).includes('running ') && resolve());
      child.once('exit', (code) => reject(new Error(`ended with ${code} before it ran`)));
    });
    // Whoever does not wait for it must not fall over it.
    this.ready.catch(() => {});
  }

  /** `kill -9`, or another signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit code; null when a signal ended it. */
  get ended(): Promise<number | null> {
    return this.#ended;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGTERM; what has not ended after `patienceMs` is killed. */
  async stop(patienceMs = 45_000): Promise<number | null> {
    this.#child.kill('SIGTERM');
    const impatient = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    return this.#ended.finally(() => clearTimeout(impatient));
  }
}
