import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { draw, drawOne } from '../random.ts';
import {
  checkSettings,
  type ProxyFault,
  proxyFaults,
  type RouteConfig,
  type RouteSettings,
} from './config.ts';

export interface RouteStats {
  connections: number;
  /** A request with its answer; HTTP's next request on a connection waits for the answer of the last. */
  exchanges: number;
  faults: Partial<Record<ProxyFault, number>>;
}

/** Carries bytes to one destination and back, and does to some exchanges what networks do. */
export class Route {
  readonly name: string;
  readonly stats: RouteStats = { connections: 0, exchanges: 0, faults: {} };
  readonly #seed: number;
  readonly #to: number;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #settings: RouteSettings = {};

  private constructor(seed: number, config: RouteConfig) {
    this.name = config.name;
    this.#seed = seed;
    this.#to = config.to;
    this.#server = createServer({ noDelay: true }, (client) => this.#carry(client));
    this.change(config);
  }

  static async open(seed: number, config: RouteConfig): Promise<Route> {
    const route = new Route(seed, config);
    await new Promise<void>((resolve, reject) => {
      route.#server.once('error', reject);
      route.#server.listen(config.port ?? 0, '127.0.0.1', resolve);
    });
    return route;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What is not named stays; `faults` are replaced whole, and null ends them. */
  change(settings: RouteSettings): void {
    checkSettings(this.name, settings);
    this.#settings = { ...this.#settings, ...settings };
    if (settings.down === 'reset') for (const client of this.#clients) client.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  #carry(client: Socket): void {
    client.on('error', () => {});
    if (this.#settings.down === 'reset') return void client.resetAndDestroy();
    this.stats.connections += 1;
    this.#clients.add(client);
    const upstream = connect({ port: this.#to, host: '127.0.0.1', noDelay: true });
    upstream.on('error', () => client.resetAndDestroy());
    upstream.once('close', () => client.end());
    client.once('close', () => {
      this.#clients.delete(client);
      upstream.destroy();
    });
    let fault: ProxyFault | undefined;
    let number = 0;
    let asking = false;
    client.on('data', (bytes) => {
      if (!asking) {
        number = ++this.stats.exchanges;
        fault = this.#faultOf(number);
      }
      asking = true;
      if (this.#settings.down === 'hole' || this.#swallows(fault, number)) return;
      upstream.write(bytes);
    });
    // An answer's first bytes prove that the request was executed.
    upstream.on('data', (bytes) => {
      asking = false;
      if (this.#settings.down === 'hole' || fault === 'black_hole') return;
      if (fault === 'reset_after') return void client.resetAndDestroy();
      if (fault === 'truncate_after') return void client.end(bytes.subarray(0, bytes.length >> 1));
      if (fault !== 'latency') return void client.write(bytes);
      setTimeout(() => client.writable && client.write(bytes), this.#latencyMs(number));
    });
  }

  /** Depends on nothing but the seed, the route and the exchange's number. */
  #faultOf(number: number): ProxyFault | undefined {
    const { faults } = this.#settings;
    if (!faults || draw(this.#seed, 'proxy', this.name, 'fault', number) >= faults.share) return undefined;
    const fault = drawOne(faults.kinds ?? proxyFaults, this.#seed, 'proxy', this.name, 'kind', number);
    this.stats.faults[fault] = (this.stats.faults[fault] ?? 0) + 1;
    return fault;
  }

  /** Half of the black holes take the request, the other half its answer only: whoever waits cannot know. */
  #swallows(fault: ProxyFault | undefined, number: number): boolean {
    return fault === 'black_hole' && draw(this.#seed, 'proxy', this.name, 'swallowed', number) < 0.5;
  }

  /** The same for all parts of an answer, so that they stay in order. */
  #latencyMs(number: number): number {
    return (
      draw(this.#seed, 'proxy', this.name, 'latency', number) * (this.#settings.faults?.latencyMs ?? 1000)
    );
  }
}
