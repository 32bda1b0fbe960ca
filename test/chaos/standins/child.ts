import { addresses, Child } from '../child.ts';
import type { DeskSettings, StandinsConfig } from './config.ts';
import type { DeskStats } from './desk.ts';

/** The stand-ins' process, from the outside. */
export class Standins {
  /** Base addresses by desk, such as `http://127.0.0.1:4711`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
  readonly #child: Child<{ control: number; desks: Record<string, number> }>;

  private constructor(child: Child<{ control: number; desks: Record<string, number> }>) {
    this.#child = child;
    this.ports = child.ready.desks;
    this.urls = addresses(this.ports);
  }

  /** @param file where to write the configuration that the process reads */
  static async start(file: string, config: StandinsConfig): Promise<Standins> {
    return new Standins(await Child.start(new URL('./main.ts', import.meta.url), file, config));
  }

  /** Changes a desk at once. */
  change(desk: string, settings: DeskSettings): Promise<unknown> {
    return this.#child.ask('PATCH', `/desks/${desk}`, settings);
  }

  stats(): Promise<Record<string, DeskStats>> {
    return this.#child.ask('GET', '/stats') as Promise<Record<string, DeskStats>>;
  }

  /** Does all late writes, and puts the whole truth on disk. */
  flush(): Promise<unknown> {
    return this.#child.ask('POST', '/flush');
  }

  records(desk: string): Promise<Record<string, unknown>[]> {
    return this.#child.ask('GET', `/desks/${desk}/records`) as Promise<Record<string, unknown>[]>;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
