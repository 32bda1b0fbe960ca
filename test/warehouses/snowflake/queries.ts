import { randomUUID } from 'node:crypto';
import type { Answer, Engine } from './engine.ts';
import { SqlFault, timedOut } from './fault.ts';
import type { Account } from './login.ts';
import { toDuckDb } from './translate.ts';

export interface QueryBody {
  sqlText: string;
  bindings?: Record<string, { type: string; value: string }>;
  parameters?: { STATEMENT_TIMEOUT_IN_SECONDS?: number; QUERY_TAG?: string; MULTI_STATEMENT_COUNT?: number };
  describeOnly?: boolean;
}

/** One statement on the server, found by the request id that it came with, or by its own. */
export interface Query {
  id: string;
  requestId: string;
  body: QueryBody;
  outcome: Promise<Answer | SqlFault>;
  running: boolean;
  stop: AbortController;
}

export class Queries {
  readonly all: Query[] = [];
  readonly #engine: Engine;
  readonly #account: Account;

  constructor(engine: Engine, account: Account) {
    this.#engine = engine;
    this.#account = account;
  }

  find(id: string): Query | undefined {
    return this.all.find((query) => query.id === id || query.requestId === id);
  }

  /** The same request id again is the same statement, not another one. */
  submit(requestId: string, body: QueryBody): Query {
    const known = this.find(requestId);
    if (known) return known;
    const stop = new AbortController();
    const id = `01${randomUUID().slice(2)}`;
    const query: Query = {
      id,
      requestId,
      body,
      stop,
      running: true,
      outcome: this.#run(body, stop),
    };
    query.outcome.finally(() => (query.running = false));
    this.all.push(query);
    return query;
  }

  async #run(body: QueryBody, stop: AbortController): Promise<Answer | SqlFault> {
    const seconds = Number(body.parameters?.STATEMENT_TIMEOUT_IN_SECONDS ?? 172_800);
    const timer = setTimeout(() => stop.abort(timedOut(seconds)), Math.min(seconds * 1000, 2 ** 31 - 1));
    const binds = Object.values(body.bindings ?? {}).map(({ value }) => value);
    try {
      if (/^\s*alter session set\b/i.test(body.sqlText)) return session;
      const sql = toDuckDb(body.sqlText, this.#account);
      return await this.#engine.run(sql, binds, body.describeOnly === true, stop.signal);
    } catch (error) {
      if (error instanceof SqlFault) return error;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The `data` of an answer: some rows, and the addresses of the others. */
  data(query: Query, answer: Answer, base: string): Record<string, unknown> {
    const { rowTypes, rows, chunks, statementTypeId } = answer;
    const total = rows.length + chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
    return {
      parameters: [{ name: 'TIMEZONE', value: 'America/Los_Angeles' }],
      rowtype: rowTypes,
      rowset: rows,
      total,
      returned: total,
      queryId: query.id,
      statementTypeId,
      version: 1,
      queryResultFormat: 'json',
      finalRoleName: this.#account.role,
      ...(chunks.length > 0 && {
        chunks: chunks.map(({ body, rows: rowCount }, at) => ({
          url: `${base}/chunks/${query.id}/${at}`,
          rowCount,
          uncompressedSize: body.length,
          compressedSize: body.length,
        })),
        chunkHeaders: { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
      }),
    };
  }
}

const session: Answer = {
  rowTypes: [
    { name: 'status', type: 'text', precision: null, scale: null, length: 16_777_216, nullable: true },
  ],
  rows: [['Statement executed successfully.']],
  chunks: [],
  statementTypeId: 16_384,
};
