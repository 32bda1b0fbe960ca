import type { SandboxRecord } from './connector.ts';

/** What a sandbox holds, with the version before the last write (for stale reads) and an index per looked-up field. */
export class Records {
  readonly #records = new Map<string, SandboxRecord>();
  readonly #before = new Map<string, SandboxRecord>();
  /** `type/field` to value to ids; built at the first `find` so that big runs stay linear. */
  readonly #indexes = new Map<string, Map<unknown, Set<string>>>();

  list(): SandboxRecord[] {
    return structuredClone([...this.#records.values()]);
  }

  get(type: string, id: string): SandboxRecord | undefined {
    return this.#records.get(`${type}/${id}`);
  }

  /** The record as it was before its last write; undefined when there was none. */
  before(type: string, id: string): SandboxRecord | undefined {
    return this.#before.get(`${type}/${id}`);
  }

  /** All records of this type whose field has exactly this value. */
  find(type: string, field: string, value: unknown): SandboxRecord[] {
    const name = `${type}/${field}`;
    let index = this.#indexes.get(name);
    if (!index) {
      index = new Map();
      this.#indexes.set(name, index);
      for (const record of this.#records.values()) if (record.type === type) add(index, field, record);
    }
    const found: SandboxRecord[] = [];
    for (const id of index.get(value) ?? []) {
      const record = this.get(type, id);
      if (record) found.push(record);
    }
    return found;
  }

  /** Creates the record, or merges the fields into it; either counts as one write. */
  put(type: string, id: string, fields: Record<string, unknown>): SandboxRecord {
    const key = `${type}/${id}`;
    const old = this.#records.get(key);
    if (old) this.#before.set(key, old);
    const record = { id, type, fields: { ...old?.fields, ...fields }, writes: (old?.writes ?? 0) + 1 };
    for (const [name, index] of this.#indexes) {
      if (!name.startsWith(`${type}/`)) continue;
      const field = name.slice(type.length + 1);
      if (old) index.get(old.fields[field])?.delete(id);
      add(index, field, record);
    }
    this.#records.set(key, record);
    return record;
  }
}

function add(index: Map<unknown, Set<string>>, field: string, record: SandboxRecord): void {
  const value = record.fields[field];
  if (value === undefined) return;
  const ids = index.get(value) ?? new Set();
  index.set(value, ids.add(record.id));
}
