import type { z } from 'zod';

/** The types a template or a guard needs to tell apart; everything else is `other` and travels as text. */
export type ColumnType =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'float'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | 'json'
  | 'other';

export interface Column {
  name: string;
  type: ColumnType;
  /** The warehouse's own type name, for casts and messages. */
  nativeType: string;
}

/**
 * A value as exact text: integers and decimals digit for digit, timestamps ISO 8601 with microseconds
 * (`2026-01-31T09:30:00.123456Z`; without zone: no suffix), booleans `true`/`false`, JSON as JSON text.
 */
export type Value = string | null;

/** The part of a signal that decides which rows are members. `sql` never ends in a semicolon. */
export interface SignalQuery {
  sql: string;
  key: string[];
  when: string | undefined;
  rearm: string | undefined;
  /** Columns to fingerprint; empty: changes do not matter and the fingerprint is constant. */
  track: string[];
  observedAt: string | undefined;
}

export interface ReadOptions {
  signal?: AbortSignal;
  /** Enforced by the server where it can be, and by the client always. */
  timeoutMs: number;
  /** The signal or enrichment it is run for; shown in the warehouse's own query history where there is one. */
  label?: string;
  /**
   * Who asks, where the same may be asked again after a crash: a warehouse that keeps its queries may then go on with the
   * one it began before. Another name asks anew, and so does none.
   */
  attempt?: string;
}

/** A query ready to run; `sql` is also what `readback compile` prints. */
export interface Statement {
  sql: string;
  params: unknown[];
}

/**
 * One open warehouse. Everything it runs is read-only: the driver's extended protocol (one statement), a read-only
 * session where the warehouse has one, and a server-side deadline.
 *
 * Every failure is a `ReadbackError`: `WAREHOUSE_UNREACHABLE`, `WAREHOUSE_QUERY`, `WAREHOUSE_INCOMPLETE`, or
 * `SIGNAL_SQL` with `place.line`/`place.column` relative to the statement handed in (place.file is '').
 */
export interface Warehouse {
  /** Connects once; throws `WAREHOUSE_UNREACHABLE` with the reason and what to check. */
  check(options: ReadOptions): Promise<void>;
  /** Prepares the user's SQL without running it and names its columns. */
  describe(sql: string, options: ReadOptions): Promise<Column[]>;
  /**
   * Streams a result in batches of at most a few thousand rows with bounded memory. The iterator throws
   * `WAREHOUSE_INCOMPLETE` at its end unless as many rows were read as the warehouse says the result has; a caller
   * that has not seen the iterator end normally has not seen the result.
   */
  read(statement: Statement, options: ReadOptions): AsyncIterable<Value[][]>;
  /**
   * Members of a signal: rows where `when` holds, or that are not yet disarmed by `rearm`. Columns, in order:
   * `bucket` (0 to buckets-1, from the key), `armed` (true/false: `when` holds), `fingerprint` (16 hex digits of the tracked columns, stable over
   * versions of the warehouse), `hash` (decimal text of a 63-bit hash over key, armed flag and fingerprint),
   * `observed_at` (Value), then one text column for each key column.
   * With `only`, just the rows of those buckets.
   */
  members(query: SignalQuery, buckets: number, only?: number[]): Statement;
  /**
   * One row for each non-empty bucket of the members: `bucket`, `rows`, `digest` (exact sum of the members' `hash`,
   * as decimal text). Equal digests mean nothing to fetch. The ledger sums the hashes of the
   * rows it fetched itself, so that a stored digest always describes the stored set, whatever moved in between.
   */
  digest(query: SignalQuery, buckets: number): Statement;
  /** The newest `observedAt` of the whole source, members or not: one row, one Value. */
  newest(sql: string, observedAt: string): Statement;
  /** `select * from (sql)` for the rows whose key columns equal one of `keys` (as exact text, in key order). */
  lookup(sql: string, key: Column[], keys: string[][]): Statement;
  /** `select * from (sql) limit n`, for previews of rows. */
  sample(sql: string, limit: number): Statement;
  /** Where reading costs money: the most that the statement would scan, without running it. */
  cost?(statement: Statement, options: ReadOptions): Promise<{ bytes: bigint }>;
  close(): Promise<void>;
}

/** What a folder in `src/warehouses/` exports as `warehouse`. Its driver loads only in `open`. */
export interface WarehouseType {
  name: string;
  summary: string;
  /** The YAML settings, without `type`. Secrets use `secret()`; the loader makes a `path` absolute. */
  schema: z.ZodType<Record<string, unknown>>;
  /** An example of the settings as YAML, run by a test. */
  example: string;
  open(settings: Record<string, unknown>): Promise<Warehouse>;
}
