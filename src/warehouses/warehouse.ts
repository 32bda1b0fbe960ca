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
  /** Columns that `members` gives as they are, after the key's. */
  row?: string[];
}

/** An entity as the ledger knows it. */
export interface KnownEntity {
  /** Exact texts of the key columns, in key order. */
  key: string[];
  fingerprint: string;
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
  /**
   * The members of some buckets compared in the warehouse with what is known of them, so that only what differs leaves it.
   * Absent: all members of these buckets are fetched and compared in the ledger. Columns: `kind`, then those of `members`.
   *
   * - `difference`: a member that is not known, or has another fingerprint; a known one that is no member has only its key.
   * - `digest`: of each bucket in `only` that has members, its `rows` in the place of the fingerprint and the sum of the
   *   hashes in that of the hash. Of the same moment as the differences: one statement.
   * - `unsound`: the same of a bucket with a key that is null or comes twice; then the differences mean nothing.
   */
  differences?(
    query: SignalQuery,
    key: Column[],
    buckets: number,
    only: number[],
    known: readonly KnownEntity[],
  ): Statement;
  /** What `diff: warehouse` needs. Absent: this warehouse cannot, or its settings name no place to write to. */
  snapshots?: Snapshots | undefined;
  /** The newest `observedAt` of the whole source, members or not: one row, one Value. */
  newest(sql: string, observedAt: string): Statement;
  /** `select * from (sql)` for the rows whose key columns equal one of `keys` (as exact text, in key order). */
  lookup(sql: string, key: Column[], keys: string[][]): Statement;
  /** `select * from (sql) limit n`, for previews of rows. */
  sample(sql: string, limit: number): Statement;
  /**
   * Tells of changes as they are committed, for as long as the connection lives. Only of a type that has `tells`.
   * Returns once `stop` is raised; throws `WAREHOUSE_UNREACHABLE` or `WAREHOUSE_QUERY` when it cannot begin, or is cut off.
   */
  follow?(changes: Changes, follower: Follower, stop: AbortSignal): Promise<void>;
  /** Where reading costs money: the most that the statement would scan, without running it. */
  cost?(statement: Statement, options: ReadOptions): Promise<{ bytes: bigint }>;
  /** The query with the fixtures' rows in place of the tables of those names, for unit tests. */
  given(sql: string, fixtures: readonly Fixture[]): string;
  close(): Promise<void>;
}

/** What can be followed: a channel of notifications, or a publication's rows. */
export type Changes = { listen: string } | { replicate: { publication: string; slot: string | undefined } };

/** Who is told of changes. */
export interface Follower {
  /** Columns that identify an entity. */
  key: readonly string[];
  /** From now on nothing is missed; what was before is not told. */
  onReady(): void;
  /** Keys, in key order, of the entities that may have changed; undefined: any may have. */
  onChange(keys: string[][] | undefined): void;
}

/** Rows that stand for a table. */
export interface Fixture {
  /** As the query names the table, without a schema. */
  name: string;
  columns: Pick<Column, 'name' | 'nativeType'>[];
  /** In the order of the columns. */
  rows: readonly (readonly Value[])[];
}

/**
 * Sets of members kept in a place of the warehouse that Readback may write to, each a table with the name it is given.
 * The ledger decides which of them counts; they are copies that can be made again.
 */
export interface Snapshots {
  /** A new snapshot with nobody in it. */
  create(name: string, query: SignalQuery, buckets: number): Statement;
  /** Adds entities to it that the ledger knows. */
  add(name: string, key: Column[], known: readonly KnownEntity[]): Statement;
  /** A new snapshot of the members. Who is between `when` and `rearm` is in it when `previous` has them. */
  take(name: string, previous: string, query: SignalQuery, buckets: number): Statement;
  /** One row: how many are in the set. */
  count(name: string): Statement;
  /** One row: all rows, how many of them are in the set, rows without a key, and a key that comes twice, or null. */
  inspect(name: string, width: number): Statement;
  /** Who differs between the two sets, in the columns of `members`. Who has left has only a key. */
  differences(name: string, previous: string, width: number): Statement;
  drop(name: string): Statement;
  /** Runs one of the statements that write: `create`, `add`, `take`, `drop`. The others are read as everything is. */
  write(statement: Statement, options: ReadOptions): Promise<void>;
}

/** What a folder in `src/warehouses/` exports as `warehouse`. Its driver loads only in `open`. */
export interface WarehouseType {
  name: string;
  summary: string;
  /** The YAML settings, without `type`. Secrets use `secret()`; the loader makes a `path` absolute. */
  schema: z.ZodType<Record<string, unknown>>;
  /** An example of the settings as YAML, run by a test. */
  example: string;
  /** What `follow` can do with these settings; absent: nothing. */
  tells?(settings: Record<string, unknown>): readonly ('listen' | 'replicate')[];
  /** Which outputs of a dbt `profiles.yml` lead here; none if absent. */
  dbt?: DbtOutputs;
  /** The setting that gives it a place for `snapshots`. Absent: it keeps none. */
  scratchSetting?: string;
  open(settings: Record<string, unknown>): Promise<Warehouse>;
}

/** How an output of a dbt `profiles.yml` becomes settings. */
export interface DbtOutputs {
  /** Of dbt's adapters, as the output's `type:` names them. */
  types: readonly string[];
  /**
   * From the output, its `env_var()` filled in, to the settings as `schema` takes them: secrets as `Secret`s. Refuses what
   * would change what is read and cannot be honoured here.
   */
  settings: z.ZodType<Record<string, unknown>>;
}
