import { inspect } from 'node:util';

/**
 * A resolved secret. It prints as `***` however it is turned into text, so it cannot reach a log, an error, JSON or
 * the ledger by accident; only `reveal()` gives the value, and only a connector's or warehouse's client calls it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}
