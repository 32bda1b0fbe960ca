import type { Pgoutput } from 'pg-logical-replication';

/** A transaction that touches more entities than this is looked at as a whole. */
const mostKeys = 10_000;

type Row = Readonly<Record<string, unknown>> | null | undefined;

/** What one transaction changed. */
export interface Transaction {
  xid: number;
  /** Undefined: anything. */
  keys: string[][] | undefined;
}

/** Gathers the keys of the rows that a transaction changed, until it commits. */
export class ChangedKeys {
  readonly #columns: readonly string[];
  #xid = 0;
  #keys = new Map<string, string[]>();
  #whole = false;

  /** @param columns that identify an entity */
  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  /** @returns the transaction, when it is over and changed rows of the publication */
  take(message: Pgoutput.Message): Transaction | undefined {
    switch (message.tag) {
      case 'begin':
        this.#xid = message.xid;
        this.#keys = new Map();
        this.#whole = false;
        return undefined;
      case 'insert':
        this.#add(message.new);
        return undefined;
      case 'update':
        // A row whose key changed is two entities'.
        this.#addKnown(message.old ?? message.key);
        this.#add(message.new);
        return undefined;
      case 'delete':
        this.#add(message.old ?? message.key);
        return undefined;
      case 'truncate':
        this.#whole = true;
        return undefined;
      case 'commit':
        if (this.#whole) return { xid: this.#xid, keys: undefined };
        return this.#keys.size > 0 ? { xid: this.#xid, keys: [...this.#keys.values()] } : undefined;
      default:
        return undefined;
    }
  }

  /** A row whose columns do not include the key says that something changed, not what. */
  #add(row: Row): void {
    if (!this.#addKnown(row)) this.#whole = true;
  }

  #addKnown(row: Row): boolean {
    const key = this.#columns.map((column) => row?.[column]);
    if (!key.every((value) => typeof value === 'string')) return false;
    if (this.#keys.size < mostKeys) this.#keys.set(JSON.stringify(key), key);
    else this.#whole = true;
    return true;
  }
}
