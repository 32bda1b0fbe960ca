import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  StatementType,
} from '@duckdb/node-api';
import { cancelled, faultOf, SqlFault } from './fault.ts';
import { type RowType, rowTypeOf, wireText } from './wire.ts';

type Row = (string | null)[];

export interface Answer {
  rowTypes: RowType[];
  /** The first rows; the others are in chunks. */
  rows: Row[];
  chunks: Chunk[];
  statementTypeId: number;
}

/** A part of a result as it is fetched: gzip of JSON rows without the brackets around them. */
export interface Chunk {
  body: Buffer;
  rows: number;
}

/** Rows that come with the answer itself, and those of a chunk; the vendor's numbers vary. */
const inlineRows = 500;
export const chunkRows = 20_000;

/** DuckDB in memory behind the server. */
export class Engine {
  readonly #instance: DuckDBInstance;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async open(): Promise<Engine> {
    const instance = await DuckDBInstance.create(':memory:', {
      errors_as_json: 'true',
      threads: '2',
      memory_limit: '256MB',
    });
    const engine = new Engine(instance);
    await engine.own(readFileSync(new URL('./macros.sql', import.meta.url), 'utf8'));
    await engine.own("set global TimeZone = 'UTC'");
    return engine;
  }

  /** Runs SQL as the owner of the data. */
  async own(sql: string): Promise<void> {
    const connection = await this.#instance.connect();
    await connection.run(sql).finally(() => connection.closeSync());
  }

  close(): void {
    this.#instance.closeSync();
  }

  /** Runs or only compiles one statement of DuckDB's dialect. Throws `SqlFault`. */
  async run(sql: string, binds: string[], describeOnly: boolean, stop: AbortSignal): Promise<Answer> {
    const connection = await this.#instance.connect();
    const interrupt = setInterval(() => stop.aborted && connection.interrupt(), 20);
    try {
      const prepared = await prepareOne(connection, sql);
      const rowTypes = Array.from({ length: prepared.columnCount }, (_, at) =>
        rowTypeOf(prepared.columnName(at), prepared.columnType(at), sql),
      );
      const statementTypeId = prepared.statementType === StatementType.SELECT ? 4096 : 12544;
      if (describeOnly) return { rowTypes, rows: [], chunks: [], statementTypeId };
      for (const [at, value] of binds.entries()) prepared.bindVarchar(at + 1, value);
      return { rowTypes, statementTypeId, ...(await resultOf(prepared, stop)) };
    } catch (error) {
      throw stop.aborted
        ? stop.reason instanceof SqlFault
          ? stop.reason
          : cancelled()
        : faultOf(error, sql);
    } finally {
      clearInterval(interrupt);
      connection.closeSync();
    }
  }
}

async function prepareOne(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) {
    const told = `Actual statement count ${statements.count} did not match the desired statement count 1.`;
    throw new SqlFault('000008', '0A000', told);
  }
  return statements.prepare(0);
}

async function resultOf(
  prepared: DuckDBPreparedStatement,
  stop: AbortSignal,
): Promise<Pick<Answer, 'rows' | 'chunks'>> {
  const result = await prepared.run();
  const rows: Row[] = [];
  const chunks: Chunk[] = [];
  let waiting: Row[] = [];
  const flush = () => {
    if (waiting.length === 0) return;
    const body = gzipSync(JSON.stringify(waiting).slice(1, -1), { level: 1 });
    chunks.push({ body, rows: waiting.length });
    waiting = [];
  };
  for (
    let vector = await result.fetchChunk();
    vector && vector.rowCount > 0;
    vector = await result.fetchChunk()
  ) {
    for (const row of vector.getRows()) (rows.length < inlineRows ? rows : waiting).push(row.map(wireText));
    if (waiting.length >= chunkRows) flush();
    // Lets the server hear a cancellation.
    await new Promise(setImmediate);
    if (stop.aborted) throw cancelled();
  }
  flush();
  return { rows, chunks };
}
