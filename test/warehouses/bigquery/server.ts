import { createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { Engine, QueryFault } from './engine.ts';
import { Jobs } from './jobs.ts';

/** A request as it came. */
export interface Asked {
  method: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  token: string;
}

/**
 * What a request meets: its connection is cut before or after it was served, nobody answers, another answer comes, or its
 * answer is changed.
 */
export type Fault =
  | { kind: 'cut' | 'cut_after' | 'silence' }
  | { kind: 'answer'; status: number; body: unknown }
  | { kind: 'change'; change(body: object): unknown };

const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** The key of the service account that the server knows. */
export const serviceAccountKey = {
  type: 'service_account',
  project_id: 'acme',
  private_key_id: 'k1',
  private_key: keys.privateKey,
  client_email: 'readback@acme.iam.gserviceaccount.com',
};

type Matches = (asked: Asked) => boolean;
const isInsert: Matches = ({ method, path }) => method === 'POST' && /\/jobs$/.test(path);
export const isDryRun: Matches = (asked) =>
  isInsert(asked) && /"dryRun":true/.test(JSON.stringify(asked.body));
export const isSubmission: Matches = (asked) => isInsert(asked) && !isDryRun(asked);
export const isPage: Matches = ({ method, path }) => method === 'GET' && /\/queries\/[\w-]+$/.test(path);
export const isCancel: Matches = ({ method, path }) => method === 'POST' && /\/cancel$/.test(path);

const claims = z.object({
  iss: z.literal(serviceAccountKey.client_email),
  scope: z.string(),
  exp: z.number(),
});
const statuses: Readonly<Record<string, number>> = { duplicate: 409, notFound: 404, authError: 401 };

/** BigQuery's REST API (v2) on loopback, with DuckDB behind it. */
export class BigQueryServer {
  readonly engine: Engine;
  readonly jobs: Jobs;
  readonly asked: Asked[] = [];
  /** Access tokens that pass beside those that the key signs. */
  readonly tokens = new Set<string>();
  readonly #faults: { matches: Matches; fault: Fault }[] = [];
  readonly #server: Server;

  private constructor(engine: Engine) {
    this.engine = engine;
    this.jobs = new Jobs(engine);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        console.error('the BigQuery server failed:', error);
        response.destroy();
      });
    });
  }

  static async open(): Promise<BigQueryServer> {
    const server = new BigQueryServer(await Engine.open());
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get running(): number {
    return [...this.jobs.all.values()].filter(({ state }) => state === 'RUNNING').length;
  }

  /** The next such request meets a fault. */
  next(matches: Matches, fault: Fault): void {
    this.#faults.push({ matches, fault });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.jobs.close();
    this.engine.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(request);
    this.asked.push(asked);
    const at = this.#faults.findIndex(({ matches }) => matches(asked));
    const fault = at < 0 ? undefined : this.#faults.splice(at, 1)[0]?.fault;
    if (fault?.kind === 'cut') return void request.socket.destroy();
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'answer') return send(response, fault.status, fault.body);
    const { status, body } = await this.#answer(asked);
    if (fault?.kind === 'cut_after') return void request.socket.destroy();
    send(response, status, fault?.kind === 'change' ? fault.change(body) : body);
  }

  async #answer(asked: Asked): Promise<{ status: number; body: object }> {
    try {
      if (!this.#isKnown(asked.token))
        throw new QueryFault('Request had invalid authentication credentials.', 'authError');
      return { status: 200, body: Object(await this.#route(asked)) };
    } catch (error) {
      if (!(error instanceof QueryFault)) throw error;
      const { reason, message } = error;
      const code = statuses[reason] ?? 400;
      return {
        status: code,
        body: { error: { code, message, errors: [{ message, domain: 'global', reason }] } },
      };
    }
  }

  #isKnown(token: string): boolean {
    if (this.tokens.has(token)) return true;
    const [head, payload = '', signature = ''] = token.split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${payload}`);
    if (signature === '' || !verify.verify(keys.publicKey, signature, 'base64url')) return false;
    const { scope, exp } = claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    return exp > Date.now() / 1000 && /\/auth\/bigquery$/.test(scope);
  }

  async #route({ method, path, query, body }: Asked): Promise<unknown> {
    const pattern = /^\/bigquery\/v2\/projects\/acme\/(jobs|queries)(?:\/([\w-]+))?(\/cancel)?$/;
    const [, kind, id = '', verb = ''] = pattern.exec(path) ?? [];
    const { location = 'US' } = query;
    if (method === 'POST' && kind === 'jobs' && id === '') return this.jobs.insert(body);
    if (method === 'POST' && kind === 'jobs' && verb !== '') return this.jobs.cancel(id, location);
    if (method === 'GET' && kind === 'jobs') return this.jobs.describe(id, location);
    if (method === 'GET' && kind === 'queries') return this.jobs.results(id, query);
    throw new QueryFault(`Not found: ${path}`, 'notFound');
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://server');
  const text = Buffer.concat(chunks).toString();
  return {
    method: request.method ?? '',
    path: pathname,
    query: Object.fromEntries(searchParams),
    body: text === '' ? undefined : JSON.parse(text),
    token: request.headers.authorization?.replace(/^Bearer /, '') ?? '',
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
