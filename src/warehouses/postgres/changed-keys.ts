import type { Pgoutput } from 'pg-logical-replication';
import type { Follower } from '../warehouse.ts';

/** A transaction that touches more entities than this is looked at as a whole. */
const mostKeys = 10_000;

type Row = Readonly<Record<string, unknown>> | null | undefined;

/** The keys of the rows that a transaction changed, told when it commits. */
export class ChangedKeys {
  readonly #follower: Follower;
  #keys = new Map<string, string[]>();
  #whole = false;

  constructor(follower: Follower) {
    this.#follower = follower;
  }

  /** @returns true once a transaction's changes have been told */
  take(message: Pgoutput.Message): boolean {
    switch (message.tag) {
      case 'insert':
        this.#add(message.new);
        break;
      case 'update':
        // A row whose key changed is two entities'.
        if (message.old ?? message.key) this.#addKnown(message.old ?? message.key);
        this.#add(message.new);
        break;
      case 'delete':
        this.#add(message.old ?? message.key);
        break;
      case 'truncate':
        this.#whole = true;
        break;
      case 'commit':
        this.#tell();
        return true;
    }
    return false;
  }

  /** A row whose columns do not include the key says that something changed, not what. */
  #add(row: Row): void {
    if (!this.#addKnown(row)) this.#whole = true;
  }

  #addKnown(row: Row): boolean {
    const key = this.#follower.key.map((column) => row?.[column]);
    if (!key.every((value) => typeof value === 'string')) return false;
    if (this.#keys.size < mostKeys) this.#keys.set(JSON.stringify(key), key);
    else this.#whole = true;
    return true;
  }

  #tell(): void {
    if (this.#whole) this.#follower.onChange(undefined);
    else if (this.#keys.size > 0) this.#follower.onChange([...this.#keys.values()]);
    this.#keys = new Map();
    this.#whole = false;
  }
}
