import { withDeadline } from '../calls.ts';
import type { CallOptions } from '../connector.ts';
import { type Address, Line } from './line.ts';
import type { Settings } from './schema.ts';

/** A connection that is being made may be wanted by several, and ends by its own deadline. */
const never = new AbortController().signal;

/** One connection to each broker that is asked, made at the first request and again after it was lost. */
export class Brokers {
  readonly #settings: Settings;
  /** Those that the connection names; the first one is asked first. */
  readonly #named: Address[];
  readonly #lines = new Map<string, Promise<Line>>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#named = settings.brokers.split(',').map((text) => {
      const [host = '', port] = text.trim().split(':');
      return { host, port: Number(port) };
    });
  }

  /** The brokers that are named, one after the other, from the one that was good last. */
  async any(call: CallOptions, signal: AbortSignal): Promise<Line> {
    for (let tried = 1; ; tried += 1) {
      const [broker] = this.#named as [Address];
      try {
        return await this.to(broker, call);
      } catch (error) {
        this.#named.push(...this.#named.splice(0, 1));
        if (tried >= this.#named.length || signal.aborted) throw error;
      }
    }
  }

  async to(broker: Address, call: CallOptions): Promise<Line> {
    const name = `${broker.host}:${broker.port}`;
    for (let kept = this.#lines.get(name); kept; kept = this.#lines.get(name)) {
      const line = await kept;
      if (line.isOpen) return line;
      this.#forget(name, kept);
    }
    const opening = this.#opened(broker, call);
    this.#lines.set(name, opening);
    opening.catch(() => this.#forget(name, opening));
    return opening;
  }

  async close(): Promise<void> {
    for (const line of await Promise.allSettled(this.#lines.values()))
      if (line.status === 'fulfilled') line.value.close();
  }

  #forget(name: string, line: Promise<Line>): void {
    if (this.#lines.get(name) === line) this.#lines.delete(name);
  }

  async #opened(broker: Address, call: CallOptions): Promise<Line> {
    const line = new Line(broker, this.#settings, call.timeoutMs);
    try {
      await withDeadline({ ...call, signal: never }, () => line.open());
      return line;
    } catch (error) {
      line.close();
      throw error;
    }
  }
}
