import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { environment } from './project.ts';

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** A command that takes this long by the clock on the wall hangs, however busy the machine is. */
const hangMs = 30_000;

/** What a command answered. */
export interface Answer {
  /** null: it died or had to be killed. */
  code: number | null;
  stdout: string;
  stderr: string;
  /** Processor time, which other programs on the machine do not change; null when it was not measured. */
  cpuMs: number | null;
}

const { READBACK_DATABASE_URL: _, READBACK_TARGET: __, ...inherited } = process.env;
const env = { ...inherited, ...environment, NODE_OPTIONS: '' };

/** Runs the compiled command line as users do: a process for one command. */
export async function spawnCommand(args: readonly string[]): Promise<Answer> {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const answer: Answer = { code: null, stdout: '', stderr: '', cpuMs: null };
  child.stdout.on('data', (chunk) => {
    answer.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    answer.stderr += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), hangMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { ...answer, code };
}

/** A process that runs one command after the other. One that dies or hangs is replaced. */
export class CommandWorker {
  #child: ChildProcess | undefined;
  /** What the process said beside its answers: why it died. */
  #complaint = '';
  #resolve: (answer: Answer) => void = () => {};

  async run(args: readonly string[]): Promise<Answer> {
    const child = this.#child ?? (await this.#start());
    const answered = new Promise<Answer>((resolve) => {
      this.#resolve = resolve;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), hangMs);
    child.send({ args });
    const answer = await answered;
    clearTimeout(timer);
    return answer;
  }

  stop(): void {
    this.#child?.disconnect();
    this.#child = undefined;
  }

  async #start(): Promise<ChildProcess> {
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const;
    const child = fork(worker, { env, execArgv: ['--import', 'tsx'], stdio: [...stdio] });
    this.#complaint = '';
    child.stderr?.on('data', (chunk) => {
      this.#complaint += chunk;
    });
    await once(child, 'message');
    child.on('message', (answer) => this.#resolve(answer as Answer));
    child.on('exit', () => {
      this.#child = undefined;
      this.#resolve({ code: null, stdout: '', stderr: this.#complaint, cpuMs: null });
    });
    this.#child = child;
    return child;
  }
}
