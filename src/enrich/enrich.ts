import { LRUCache } from 'lru-cache';
import type { Enrichment, Project, Signal } from '../config/model.ts';
import { decodeEntity } from '../ledger/entity.ts';
import { rowScope, type Scope } from '../templates/index.ts';
import type { Column, Value, Warehouse } from '../warehouses/warehouse.ts';

/** Keys asked for in one query; at 2,000 a list of text keys stays well under every warehouse's statement limit. */
const keysPerQuery = 2_000;
/** A signal's own row is shared by the destinations of one transition for so long, then read again. */
const signalRowFreshMs = 5_000;
/** What the cached rows of one source may take, in characters of their values: a few thousand ordinary rows. */
const cachedSize = 2 * 1024 * 1024;
/** A row costs this much even when its values are short. */
const rowOverhead = 200;

/** A query that gives one row per key: a signal's own SQL, or an enrichment. */
interface Source {
  id: string;
  /** Of the signal or enrichment. */
  name: string;
  warehouse: string;
  key: string[];
  sql: string;
  freshMs: number;
  timeoutMs: number;
  /** A row read for one transition says nothing about the next, however soon that comes. */
  perTransition: boolean;
}

/** A transition whose entity's row is wanted. */
export interface Wanted {
  entity: string;
  sequence: number;
  /** Which found it; a preview has none. */
  poll?: string;
}

/** Fetches what a message does not carry: the entity's row of the signal, and its enrichments, by key. */
export class Enricher {
  readonly #open: (warehouse: string) => Promise<Warehouse>;
  readonly #columns = new Map<string, Promise<Column[]>>();
  readonly #caches = new Map<string, LRUCache<string, Scope>>();

  constructor(open: (warehouse: string) => Promise<Warehouse>) {
    this.#open = open;
  }

  /**
   * What is known of each entity, to be joined: key columns, the signal's columns, then the enrichments' columns (which
   * win). Columns of a query that has no row for the entity are null.
   */
  async scopes(
    project: Project,
    signal: Signal,
    enrichments: readonly string[],
    wanted: readonly Wanted[],
    abort: AbortSignal,
  ): Promise<Map<string, Scope[]>> {
    const sources = [signalSource(signal)];
    for (const name of enrichments) {
      const enrichment = project.enrichments.get(name);
      if (enrichment) sources.push(enrichmentSource(enrichment, signal));
    }
    const scopes = new Map<string, Scope[]>();
    for (const { entity } of wanted) {
      const values = decodeEntity(entity, signal.key.length);
      scopes.set(entity, [Object.fromEntries(signal.key.map((column, index) => [column, values[index]]))]);
    }
    // At once, so that a warehouse that is opened for each query is opened for all of them.
    const found = await Promise.all(sources.map((source) => this.#rows(source, wanted, abort)));
    for (const rows of found) for (const [entity, row] of rows) scopes.get(entity)?.push(row);
    return scopes;
  }

  /**
   * The signal's own rows as a look has read them, for the actions that it plans: by the number of its poll, because another
   * one may find the next transition of the entity.
   */
  remember(
    signal: Signal,
    poll: string,
    columns: readonly Column[],
    rows: ReadonlyMap<string, readonly Value[]>,
  ): void {
    const cache = this.#cache(signalSource(signal));
    for (const [entity, values] of rows) cache.set(readBy(poll, entity), rowScope(columns, values));
  }

  async #rows(source: Source, wanted: readonly Wanted[], abort: AbortSignal): Promise<Map<string, Scope>> {
    const cache = this.#cache(source);
    const rows = new Map<string, Scope>();
    /** By entity, what its row is cached under. */
    const names = new Map<string, string>();
    for (const { entity, sequence, poll } of wanted) {
      const name = source.perTransition ? `${sequence} ${entity}` : entity;
      const known = cache.get(name) ?? (poll === undefined ? undefined : cache.get(readBy(poll, entity)));
      if (known === undefined) names.set(entity, name);
      else rows.set(entity, known);
    }
    const missing = [...names.keys()];
    for (let start = 0; start < missing.length; start += keysPerQuery) {
      const found = await this.#fetch(source, missing.slice(start, start + keysPerQuery), abort);
      for (const [entity, row] of found) {
        cache.set(names.get(entity) ?? entity, row);
        rows.set(entity, row);
      }
    }
    return rows;
  }

  async #fetch(source: Source, entities: readonly string[], abort: AbortSignal): Promise<Map<string, Scope>> {
    const warehouse = await this.#open(source.warehouse);
    const read = { signal: abort, timeoutMs: source.timeoutMs, label: source.name };
    const columns = await this.#describe(source, warehouse, abort);
    const keyColumns = source.key.map((name) => requireColumn(columns, name, source.id));
    const keyIndexes = keyColumns.map((column) => columns.indexOf(column));
    const keys = entities.map((entity) => decodeEntity(entity, source.key.length));
    // As in a left join: what the query has no row for is null, column by column, and a template says so by name.
    const nothing = rowScope(
      columns.filter((column) => !source.key.includes(column.name)),
      [],
    );
    const found = new Map<string, Scope>(entities.map((entity) => [entity, nothing]));
    for await (const batch of warehouse.read(warehouse.lookup(source.sql, keyColumns, keys), read)) {
      for (const values of batch) {
        const key = keyIndexes.map((index) => values[index] ?? '');
        const entity = key.length === 1 ? (key[0] as string) : JSON.stringify(key);
        found.set(entity, rowScope(columns, values));
      }
    }
    return found;
  }

  #describe(source: Source, warehouse: Warehouse, abort: AbortSignal): Promise<Column[]> {
    const known = this.#columns.get(source.id);
    if (known) return known;
    const read = { signal: abort, timeoutMs: source.timeoutMs, label: source.name };
    const asked = warehouse.describe(source.sql, read);
    this.#columns.set(source.id, asked);
    asked.catch(() => this.#columns.delete(source.id));
    return asked;
  }

  #cache(source: Source): LRUCache<string, Scope> {
    let cache = this.#caches.get(source.id);
    if (!cache) {
      cache = new LRUCache({
        maxSize: cachedSize,
        sizeCalculation: sizeOf,
        ttl: Math.max(1, source.freshMs),
      });
      this.#caches.set(source.id, cache);
    }
    return cache;
  }
}

/** What a row is cached under that a look has read. */
function readBy(poll: string, entity: string): string {
  return `poll ${poll} ${entity}`;
}

/** Roughly how much a cached row takes, in characters. */
function sizeOf(row: Scope): number {
  let size = rowOverhead;
  for (const value of Object.values(row)) size += typeof value === 'string' ? value.length : 8;
  return size;
}

function signalSource(signal: Signal): Source {
  return {
    id: `signals/${signal.name}@${signal.version}`,
    name: signal.name,
    warehouse: signal.warehouse,
    key: signal.key,
    sql: signal.sql,
    freshMs: signalRowFreshMs,
    timeoutMs: signal.timeoutMs,
    perTransition: true,
  };
}

/** An enrichment without a key of its own is asked by the signal's key. */
function enrichmentSource(enrichment: Enrichment, signal: Signal): Source {
  return {
    ...enrichment,
    id: `enrich/${enrichment.name}`,
    key: enrichment.key.length > 0 ? enrichment.key : signal.key,
    perTransition: false,
  };
}

function requireColumn(columns: readonly Column[], name: string, source: string): Column {
  const column = columns.find((candidate) => candidate.name === name);
  if (!column) throw new Error(`${source} does not return its key column ${name}`);
  return column;
}
