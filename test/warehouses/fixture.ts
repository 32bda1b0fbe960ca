import type { ColumnType, ReadOptions, Statement, Value, Warehouse } from '../../src/warehouses/warehouse.ts';

/** A warehouse with an empty database behind it, and what its dialect needs for the exam. */
export interface Fixture {
  /** Settings that pass the type's schema and reach the database. */
  settings: Record<string, unknown>;
  /** Settings of a warehouse that is not there; `secret` must not be in any error about it. */
  unreachable: { settings: Record<string, unknown>; secret: string };
  /** Runs SQL as the owner of the data, past Readback. */
  execute(sql: string): Promise<void>;
  /** Queries of Readback that the server still runs. */
  running(): Promise<number>;
  close(): Promise<void>;
  dialect: ExamDialect;
}

export interface ExamDialect {
  /** A query for one column `n` with the numbers 0 to `count` - 1. */
  series(count: number): string;
  /** A query that would run for minutes. */
  slow: string;
  /** A query for a million rows whose row 500,000 cannot be computed. */
  failsHalfway: string;
  /** The exam's own SQL, which is standard SQL, in this dialect; absent: it is taken as it is. */
  spell?(sql: string): string;
  /** A column of ours by its name, where the bare name would be a keyword or another. */
  column?(name: string): string;
  /** What the stand-in of the server, in this very process, may add to its memory while it answers a million rows. */
  serverMegabytes?: number;
  /** Two columns of one name are refused, not kept apart. */
  refusesTwins?: true;
  /** Values by expression, with the type and the exact text they must arrive with; the text can be cast back unless said. */
  values: { sql: string; type: ColumnType; text: Value; castable?: false }[];
  /** False: the vendor does not say what a misspelt name may have meant. */
  suggestsNames?: false;
  /** Expressions that may be keys: what `lookup` is given is what `read` gave. */
  keys: string[];
  /** Statements that must be refused, beside the standard ones of the exam. */
  forbidden: string[];
  /** The fingerprint of ('a', 1, null, true), the same for ever. */
  fingerprint: string;
}

/** The opened warehouse and short ways to ask it. */
export interface Candidate {
  fixture: Fixture;
  warehouse: Warehouse;
  rows(statement: Statement | string, options?: Partial<ReadOptions>): Promise<Value[][]>;
  /** Standard SQL as this warehouse takes it. */
  spell(sql: string): string;
}

export const patient: ReadOptions = { timeoutMs: 60_000 };
