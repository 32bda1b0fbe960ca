import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a measured process says to a question. */
export interface Answer {
  result?: unknown;
  problem?: string;
}

/**
 * One measurement in a process of its own, so that its peak memory is nobody else's, asked step by step. Its output is
 * passed on to standard error: standard output is the benchmark's result.
 */
export class Apart {
  readonly #file: string;
  readonly #child: ChildProcess;

  private constructor(file: string, child: ChildProcess) {
    this.#file = file;
    this.#child = child;
  }

  /** @param file a compiled module that calls `serve` */
  static async start(file: string, options: object, profile?: string | undefined): Promise<Apart> {
    const child = fork(file, [], {
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
    });
    const apart = new Apart(file, child);
    try {
      await apart.ask('prepare', options);
      return apart;
    } catch (error) {
      apart.stop();
      throw error;
    }
  }

  async ask<Result = void>(step: string, argument: unknown = null): Promise<Result> {
    const answered = this.#answer();
    this.#child.send({ step, argument });
    return (await answered) as Result;
  }

  /** Lets it close everything and leave. Returns the most memory it ever had, in MB. */
  async end(): Promise<number> {
    const left = once(this.#child, 'exit');
    const peakRssMb = await this.ask<number>('end');
    await left;
    return peakRssMb;
  }

  /** For when something went wrong: ends it without asking. */
  stop(): void {
    this.#child.kill();
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
        act();
      };
      const onMessage = (message: unknown) => {
        const { result, problem } = message as Answer;
        settle(() =>
          problem === undefined ? resolve(result) : reject(new Error(`${this.#file}: ${problem}`)),
        );
      };
      const onExit = (code: number | null) =>
        settle(() => reject(new Error(`${this.#file} left with code ${code}`)));
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }
}
