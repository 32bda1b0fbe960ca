import { now } from './clock.ts';

interface Held<Value> {
  value: Value;
  before: Value | undefined;
  changedAt: number;
}

/** What a destination holds, by id, with the value before the last change, which a stale read still sees. */
export class Records<Value extends object> {
  readonly #held = new Map<string, Held<Value>>();

  get size(): number {
    return this.#held.size;
  }

  /** @param staleMs the value is that of so long ago, if one change goes back so far */
  get(id: string, staleMs = 0): Value | undefined {
    const held = this.#held.get(id);
    if (held === undefined || staleMs === 0) return held?.value;
    return held.changedAt > now() - staleMs ? held.before : held.value;
  }

  put(id: string, value: Value): void {
    this.#held.set(id, { value, before: this.#held.get(id)?.value, changedAt: now() });
  }

  list(): Value[] {
    return [...this.#held.values()].map(({ value }) => value);
  }
}
