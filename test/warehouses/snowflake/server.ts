import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { Engine } from './engine.ts';
import { SqlFault } from './fault.ts';
import { type Account, refusalOf } from './login.ts';
import { Queries, type Query } from './queries.ts';
import { toDuckDb } from './translate.ts';

/** How long an answer is waited for before the driver is told to ask again; the vendor's is 45 s. */
const longPollMs = 300;

export interface Seen {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what a client sends is looked at by tests.
  body: any;
}

/** Answers a request instead of the server. */
export type Interference = (seen: Seen, response: ServerResponse) => boolean | Promise<boolean>;

/** The protocol that the vendor's driver speaks, with DuckDB behind it. */
export class SnowflakeServer {
  readonly seen: Seen[] = [];
  readonly queries: Queries;
  readonly account: Account;
  /** Asked first; true means answered. */
  interfere: Interference = () => false;
  readonly #engine: Engine;
  readonly #tokens = new Set<string>();
  #sessions = 0;
  #underWay = 0;
  #base = '';
  readonly #server = createServer((request, response) => {
    this.#underWay += 1;
    response.on('close', () => (this.#underWay -= 1));
    this.#serve(request, response).catch(() => response.destroy());
  });

  private constructor(engine: Engine, account: Account) {
    this.#engine = engine;
    this.account = account;
    this.queries = new Queries(engine, account);
  }

  static async open(account: Account): Promise<SnowflakeServer> {
    const server = new SnowflakeServer(await Engine.open(), account);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    server.#base = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  get url(): string {
    return this.#base;
  }

  /** Runs SQL as the owner of the data. */
  own(sql: string): Promise<void> {
    return this.#engine.own(toDuckDb(sql, this.account));
  }

  running(): number {
    return this.queries.all.filter((query) => query.running).length;
  }

  seenAt(path: RegExp): Seen[] {
    return this.seen.filter((seen) => path.test(seen.path));
  }

  /** Every session ends, as the vendor ends one. */
  expire(): void {
    this.#tokens.clear();
  }

  /** Answers what is under way first: the driver would ask a server that is gone for two minutes more. */
  async close(): Promise<void> {
    for (let tries = 0; tries < 4 || (this.#underWay > 0 && tries < 100); tries++) await sleep(10);
    for (const query of this.queries.all) query.stop.abort();
    this.#server.closeAllConnections();
    this.#server.close();
    await Promise.all(this.queries.all.map((query) => query.outcome));
    this.#engine.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#base);
    const seen: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      authorization: request.headers.authorization,
      body: await bodyOf(request),
    };
    this.seen.push(seen);
    if (await this.interfere(seen, response)) return;
    const [, query = '', at = ''] = /^\/chunks\/([^/]+)\/(\d+)$/.exec(seen.path) ?? [];
    if (query) return sendChunk(response, this.queries.find(query), Number(at));
    if (seen.path === '/oauth/token-request') return this.#giveToken(seen, response);
    const answer = await this.#answer(seen);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  async #answer({ path, query, body, authorization }: Seen): Promise<unknown> {
    if (path === '/session/v1/login-request') return this.#logIn(body.data);
    const token = /^Snowflake Token="(.*)"$/.exec(authorization ?? '')?.[1] ?? '';
    if (path === '/session/token-request') return this.#renew();
    if (!this.#tokens.has(token))
      return refusal({ code: '390112', message: 'Your session has expired. Please login again.' });
    if (path === '/queries/v1/query-request') {
      return this.#poll(this.queries.submit(query.get('requestId') ?? '', body));
    }
    const [, id = '', verb] = /^\/queries\/([^/]+)\/(result|abort-request)$/.exec(path) ?? [];
    const found = this.queries.find(id === 'v1' ? body.requestId : id);
    if (verb === 'abort-request') found?.stop.abort();
    if (verb === 'result' && found) return this.#poll(found);
    return { data: null, code: null, message: null, success: true };
  }

  #logIn(data: Record<string, unknown>): unknown {
    const refused = refusalOf(this.account, data);
    if (refused) return refusal(refused);
    const token = this.#newToken();
    return success({
      token,
      masterToken: `master ${token}`,
      validityInSeconds: 3600,
      masterValidityInSeconds: 14_400,
      serverVersion: '9.0.0',
      sessionId: this.#sessions,
      parameters: [{ name: 'CLIENT_SESSION_KEEP_ALIVE', value: false }],
      sessionInfo: { roleName: this.account.role, warehouseName: this.account.warehouse ?? null },
    });
  }

  #newToken(): string {
    const token = `session ${++this.#sessions}`;
    this.#tokens.add(token);
    return token;
  }

  #renew(): unknown {
    const sessionToken = this.#newToken();
    return success({
      sessionToken,
      validityInSecondsST: 3600,
      masterToken: `master ${sessionToken}`,
      validityInSecondsMT: 14_400,
    });
  }

  async #poll(query: Query): Promise<unknown> {
    const outcome = await Promise.race([query.outcome, sleep(longPollMs, undefined, { ref: false })]);
    if (outcome === undefined) {
      const data = { queryId: query.id, getResultUrl: `/queries/${query.id}/result` };
      return { ...success(data), code: '333333' };
    }
    if (!(outcome instanceof SqlFault)) return success(this.queries.data(query, outcome, this.#base));
    const { code, sqlState, line, pos, message } = outcome;
    return refusal({ code, message }, { errorCode: code, sqlState, line, pos, queryId: query.id });
  }

  #giveToken({ body }: Seen, response: ServerResponse): void {
    const form = new URLSearchParams(body);
    const { id, secret } = this.account.client;
    const known = form.get('client_id') === id && form.get('client_secret') === secret;
    const answer = known
      ? { access_token: this.account.oauthToken, token_type: 'bearer', expires_in: 600 }
      : { error: 'invalid_client' };
    response.writeHead(known ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const sent = Buffer.concat(parts);
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function sendChunk(response: ServerResponse, query: Query | undefined, at: number): Promise<void> {
  const answer = await query?.outcome;
  const chunk = answer instanceof SqlFault ? undefined : answer?.chunks[at];
  if (!chunk) return void response.writeHead(404).end();
  response
    .writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'binary/octet-stream' })
    .end(chunk.body);
}

function success(data: unknown) {
  return { data, code: null, message: null, success: true };
}

function refusal({ code, message }: { code: string; message: string }, data: unknown = {}) {
  return { data, code, message, success: false, headers: null };
}
