import type { ServerResponse } from 'node:http';
import type { Interference, Seen, SnowflakeServer } from './server.ts';

/** An answer of the vendor to a query, made by hand: what DuckDB would not give. */
export interface Handmade {
  rowtype: { name: string; type: string; scale?: number; fields?: unknown[] }[];
  rowset: unknown[];
  total?: number;
  parameters?: { name: string; value: unknown }[];
}

/** Every query, but not the session's first statement, gets this answer. */
export function answerWith(server: SnowflakeServer, made: Handmade): void {
  server.interfere = (seen, response) => {
    if (!isQuery(seen)) return false;
    const total = made.total ?? made.rowset.length;
    const { rowtype, parameters = [] } = made;
    const rowset = seen.body.describeOnly ? [] : made.rowset;
    const data = {
      rowtype,
      rowset,
      parameters,
      total,
      returned: total,
      queryId: '01',
      statementTypeId: 4096,
      version: 1,
    };
    return sendJson(response, { data, code: null, message: null, success: true });
  };
}

export function isQuery({ path, body }: Seen): boolean {
  return path === '/queries/v1/query-request' && !/alter session/.test(body.sqlText);
}

export function sendJson(response: ServerResponse, answer: unknown): true {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  return true;
}

/** The first requests for the numbered part of a result go wrong, the later ones do not. */
export function spoilChunk(
  at: number,
  times: number,
  spoil: (response: ServerResponse) => void,
): Interference {
  let left = times;
  return ({ path }, response) => {
    if (!path.startsWith('/chunks/') || !path.endsWith(`/${at}`) || left === 0) return false;
    left -= 1;
    spoil(response);
    return true;
  };
}
