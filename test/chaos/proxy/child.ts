import { addresses, Child } from '../child.ts';
import type { ProxyConfig, RouteSettings } from './config.ts';
import type { RouteStats } from './route.ts';

/** The proxy's process, from the outside. */
export class Network {
  /** Base addresses by route, such as `http://127.0.0.1:4711`. */
  readonly urls: Readonly<Record<string, string>>;
  readonly #child: Child<{ control: number; routes: Record<string, number> }>;

  private constructor(child: Child<{ control: number; routes: Record<string, number> }>) {
    this.#child = child;
    this.urls = addresses(child.ready.routes);
  }

  /** @param file where to write the configuration that the process reads */
  static async start(file: string, config: ProxyConfig): Promise<Network> {
    return new Network(await Child.start(new URL('./main.ts', import.meta.url), file, config));
  }

  /** Changes a route at once. */
  change(route: string, settings: RouteSettings): Promise<unknown> {
    return this.#child.ask('PATCH', `/routes/${route}`, settings);
  }

  stats(): Promise<Record<string, RouteStats>> {
    return this.#child.ask('GET', '/stats') as Promise<Record<string, RouteStats>>;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
