import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { compiledMain } from '../helpers/product.ts';
import type { Block } from './blocks.ts';

/** Ports that the guides name, in a row. Tests use free ones. */
const writtenPorts = [4600, 4601, 4602];

/** A reader at a shell: runs a guide's blocks one after the other; folder and exports carry over, as in a terminal. */
export class Shell {
  readonly #home: string;
  readonly #ports: number[];
  readonly #background: { child: ChildProcess; printed: () => string }[] = [];
  #folder: string;
  #environment: Record<string, string>;

  private constructor(home: string, folder: string, environment: Record<string, string>, ports: number[]) {
    this.#home = home;
    this.#folder = folder;
    this.#environment = environment;
    this.#ports = ports;
  }

  /** @param home a folder for its own notes, apart from the one it works in */
  static async open(home: string, folder: string, environment: Record<string, string>): Promise<Shell> {
    const { READBACK_DATABASE_URL: _, READBACK_TARGET: __, READBACK_LOG: ___, ...inherited } = process.env;
    return new Shell(home, folder, { ...(inherited as object), ...environment }, await freePorts());
  }

  get folder(): string {
    return this.#folder;
  }

  /** A guide's text with the ports that this shell uses. */
  ported(text: string): string {
    return writtenPorts.reduce(
      (done, port, at) => done.replaceAll(String(port), String(this.#ports[at])),
      text,
    );
  }

  port(at: number): number {
    return this.#ports[at] ?? 0;
  }

  /** Runs a block to its end and fails as the reader's command would. */
  async run(block: Block): Promise<string> {
    const { background, until } = kindOf(block);
    const child = this.#spawn(block.text, background || until !== undefined);
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (printed += chunk));
    const where = `${block.guide}:${block.line}`;
    if (background) {
      this.#background.push({ child, printed: () => printed });
      await waitFor(child, () => printed.includes('Running until Ctrl-C.'), where);
      return printed;
    }
    if (until !== undefined) {
      await waitFor(child, () => printed.includes(until), where);
      child.kill('SIGTERM');
    }
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${where} ended with ${code}:\n${printed}`);
    if (until === undefined) await this.#remember();
    return printed;
  }

  /** Ends what runs in other terminals; answers what it printed. */
  async close(): Promise<string[]> {
    const ending = this.#background.map(async ({ child, printed }) => {
      const ended = once(child, 'close');
      child.kill('SIGINT');
      if (child.exitCode === null && child.signalCode === null) await ended;
      return printed();
    });
    this.#background.length = 0;
    return Promise.all(ending);
  }

  #spawn(text: string, alone: boolean): ChildProcess {
    const notes = { folder: join(this.#home, 'folder'), exports: join(this.#home, 'exports') };
    const program = `${alone ? 'exec ' : ''}"${process.execPath}" "${compiledMain}"`;
    // Only `npx readback` is ours; whatever else a block calls is really called.
    const npx = `npx() { [ "$1" = readback ] || { command npx "$@"; return; }; shift; ${program} "$@"; }`;
    const after = `pwd > "${notes.folder}"\nenv -0 > "${notes.exports}"`;
    const script = `${npx}\n${this.ported(text)}\n${alone ? '' : after}`;
    return spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  async #remember(): Promise<void> {
    this.#folder = (await readFile(join(this.#home, 'folder'), 'utf8')).trimEnd();
    const exports = (await readFile(join(this.#home, 'exports'), 'utf8')).split('\0').filter(Boolean);
    this.#environment = Object.fromEntries(
      exports.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }
}

/** A block that no guide has. */
export function aRun(text: string): Block {
  return { guide: 'test', line: 0, language: 'sh', attributes: new Map(), text };
}

function kindOf({ attributes }: Block): { background: boolean; until: string | undefined } {
  return { background: attributes.has('background'), until: attributes.get('stop-after') };
}

async function waitFor(child: ChildProcess, done: () => boolean, where: string): Promise<void> {
  const ended = once(child, 'close').then(() => true);
  while (!done()) {
    const more = new Promise((resolve) => child.stdout?.once('data', () => resolve(false)));
    if ((await Promise.race([ended, more])) && !done()) throw new Error(`${where} ended too early`);
  }
}

/** Three free ports in a row. */
async function freePorts(): Promise<number[]> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const ports = writtenPorts.map((_, at) => first + at);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return ports;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
