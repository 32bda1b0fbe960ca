import { createVerify, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Engine, QueryFault, type Running } from './engine.ts';
import type { ListParameter } from './googlesql.ts';
import type { WireField } from './wire.ts';

/** A request as it came. */
export interface Asked {
  method: string;
  path: string;
  query: Record<string, string>;
  body: Record<string, any>;
}

/** What a request meets instead of its answer. */
export type Fault =
  | { kind: 'cut' }
  | { kind: 'cut_after' }
  | { kind: 'silence' }
  | { kind: 'answer'; status: number; body: unknown }
  | { kind: 'change'; change: (body: any) => unknown };

interface Job {
  body: Record<string, any>;
  created: number;
  state: 'RUNNING' | 'DONE';
  error?: QueryFault;
  rows: number;
  fields: WireField[];
  running: Running;
  /** Settles when it is done, however. */
  ended: Promise<void>;
}

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

/** BigQuery's REST API (v2) on loopback, with DuckDB behind it. */
export class BigQueryServer {
  readonly engine: Engine;
  readonly asked: Asked[] = [];
  readonly jobs = new Map<string, Job>();
  /** Where its data is; a job elsewhere is not found, and one without a location is looked for in the US. */
  location = 'US';
  /** What any query would scan. */
  scans = 10_485_760;
  /** Access tokens that pass beside those that the key signs. */
  readonly tokens = new Set<string>();
  readonly #faults: { matches: (asked: Asked) => boolean; fault: Fault }[] = [];
  readonly #server: Server;

  private constructor(engine: Engine) {
    this.engine = engine;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        console.error(error);
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
    return [...this.jobs.values()].filter(({ state }) => state === 'RUNNING').length;
  }

  /** The next request of this method whose path ends so meets a fault. */
  next(method: string, ending: RegExp, fault: Fault): void {
    this.#faults.push({ matches: (asked) => asked.method === method && ending.test(asked.path), fault });
  }

  /** Requests of this method whose path ends so; dry runs only where they are asked for. */
  requests(method: string, ending: RegExp): Asked[] {
    return this.asked.filter(
      (one) => one.method === method && ending.test(one.path) && !one.body.configuration?.dryRun,
    );
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    for (const { running, ended } of this.jobs.values()) {
      running.interrupt();
      await ended;
      running.close();
    }
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
    const { status, body } = await this.#answer(asked, request.headers.authorization ?? '');
    if (fault?.kind === 'cut_after') return void request.socket.destroy();
    send(response, status, fault?.kind === 'change' ? fault.change(body) : body);
  }

  async #answer(asked: Asked, authorization: string): Promise<{ status: number; body: unknown }> {
    if (!this.#isKnown(authorization.replace(/^Bearer /, '')))
      return refusal(401, 'authError', 'Request had invalid authentication credentials.');
    try {
      return { status: 200, body: await this.#route(asked) };
    } catch (error) {
      if (error instanceof Absent) return refusal(404, 'notFound', error.message);
      if (error instanceof Duplicate) return refusal(409, 'duplicate', error.message);
      if (!(error instanceof QueryFault)) throw error;
      return refusal(error.reason === 'notFound' ? 404 : 400, error.reason, error.message);
    }
  }

  #isKnown(token: string): boolean {
    if (this.tokens.has(token)) return true;
    const [head = '', claims = '', signature = ''] = token.split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    if (signature === '' || !verify.verify(keys.publicKey, signature, 'base64url')) return false;
    const { iss, scope } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    return iss === serviceAccountKey.client_email && /auth\/(bigquery|cloud-platform)/.test(scope);
  }

  async #route({ method, path, query, body }: Asked): Promise<unknown> {
    const [, rest = ''] = /^\/bigquery\/v2\/projects\/acme(\/.*)$/.exec(path) ?? [];
    const [, kind, id = '', verb] = /^\/(jobs|queries)(?:\/([\w-]+))?(\/cancel)?$/.exec(rest) ?? [];
    if (method === 'POST' && kind === 'jobs' && id === '') return this.#insert(body);
    if (method === 'POST' && kind === 'jobs' && verb) return this.#cancel(id, query);
    if (method === 'GET' && kind === 'jobs') return this.#describe(id, this.#find(id, query));
    if (method === 'GET' && kind === 'queries') return this.#results(id, query);
    throw new Absent(`Not found: ${path}`);
  }

  async #insert(body: Record<string, any>): Promise<unknown> {
    const { configuration, jobReference } = body;
    const sql = String(configuration.query.query);
    if (sql.trim() === '') throw new QueryFault('Required parameter is missing: query', 'required');
    const parameters = parametersOf(configuration.query);
    const described = await this.engine.describe(sql, parameters);
    if (configuration.dryRun) return this.#dry(described);
    if (this.jobs.has(jobReference.jobId))
      throw new Duplicate(`Already Exists: Job acme:${this.location}.${jobReference.jobId}`);
    if (described.statementType !== 'SELECT') throw new Error(`a ${described.statementType} was to run`);
    const limit = Number(configuration.query.maximumBytesBilled ?? Number.POSITIVE_INFINITY);
    if (this.scans > limit)
      throw new QueryFault(
        `Query exceeded limit for bytes billed: ${limit}. ${this.scans} or higher required.`,
        'bytesBilledLimitExceeded',
      );
    const running = await this.engine.run(sql, parameters);
    const job: Job = {
      body,
      created: Date.now(),
      state: 'RUNNING',
      rows: 0,
      fields: [],
      running,
      ended: Promise.resolve(),
    };
    const timeout = setTimeout(
      () => this.#stop(job, new QueryFault('Job execution was cancelled: Job timed out', 'stopped')),
      Number(configuration.jobTimeoutMs),
    );
    job.ended = running.done
      .then(({ rows, fields }) => Object.assign(job, { rows, fields }))
      .catch((error: unknown) => {
        job.error ??= error instanceof QueryFault ? error : new QueryFault(String(error), 'internalError');
      })
      .then(() => {
        clearTimeout(timeout);
        job.state = 'DONE';
      });
    this.jobs.set(jobReference.jobId, job);
    return this.#describe(jobReference.jobId, job);
  }

  #dry({ statementType, fields }: { statementType: string; fields: WireField[] }): unknown {
    return {
      kind: 'bigquery#job',
      jobReference: { projectId: 'acme', location: this.location },
      configuration: { jobType: 'QUERY', dryRun: true },
      statistics: {
        creationTime: String(Date.now()),
        totalBytesProcessed: String(this.scans),
        query: { statementType, totalBytesProcessed: String(this.scans), schema: { fields } },
      },
      status: { state: 'DONE' },
    };
  }

  #describe(id: string, { state, error, created }: Job): unknown {
    const errorResult = error && { reason: error.reason, message: error.message };
    return {
      kind: 'bigquery#job',
      id: `acme:${this.location}.${id}`,
      jobReference: { projectId: 'acme', jobId: id, location: this.location },
      configuration: { jobType: 'QUERY' },
      statistics: { creationTime: String(created), query: { statementType: 'SELECT' } },
      status: { state, ...(errorResult && { errorResult, errors: [errorResult] }) },
    };
  }

  #find(id: string, { location = 'US' }: Record<string, string>): Job {
    const job = this.jobs.get(id);
    if (!job || location !== this.location) throw new Absent(`Not found: Job acme:${id}`);
    return job;
  }

  #cancel(id: string, query: Record<string, string>): unknown {
    const job = this.#find(id, query);
    this.#stop(job, new QueryFault('Job execution was cancelled: User requested cancellation', 'stopped'));
    return { kind: 'bigquery#jobCancelResponse', job: this.#describe(id, job) };
  }

  /** An interrupt that meets DuckDB between two statements is lost, so it is sent again. */
  #stop(job: Job, error: QueryFault): void {
    if (job.state === 'DONE') return;
    job.error ??= error;
    job.running.interrupt();
    setTimeout(() => this.#stop(job, error), 20);
  }

  async #results(id: string, query: Record<string, string>): Promise<unknown> {
    const job = this.#find(id, query);
    const jobReference = { projectId: 'acme', jobId: id, location: this.location };
    const kind = 'bigquery#getQueryResultsResponse';
    await within(job.ended, Number(query.timeoutMs ?? 10_000));
    if (job.state === 'RUNNING') return { kind, jobReference, jobComplete: false };
    if (job.error) throw job.error;
    const from = query.pageToken ? Number(Buffer.from(query.pageToken, 'base64url').toString()) : 0;
    const to = Math.min(job.rows, from + Number(query.maxResults ?? 100_000));
    const rows = await job.running.page(job.fields, from, to);
    if (query['formatOptions.useInt64Timestamp'] !== 'true')
      throw new Error('times would be floating-point numbers');
    return {
      kind,
      jobReference,
      jobComplete: true,
      schema: { fields: job.fields },
      totalRows: String(job.rows),
      ...(rows.length > 0 && { rows }),
      ...(to < job.rows && { pageToken: Buffer.from(String(to)).toString('base64url') }),
      totalBytesProcessed: String(this.scans),
      cacheHit: false,
    };
  }
}

class Absent extends Error {}
class Duplicate extends Error {}

function parametersOf(query: Record<string, any>): ListParameter[] {
  return (query.queryParameters ?? []).map((one: any) => ({
    name: one.name,
    type: one.parameterType.arrayType.type,
    values: one.parameterValue.arrayValues.map(({ value }: { value: string }) => value),
  }));
}

async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}

function refusal(code: number, reason: string, message: string): { status: number; body: unknown } {
  return {
    status: code,
    body: { error: { code, message, errors: [{ message, domain: 'global', reason }] } },
  };
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
    body: text === '' ? {} : JSON.parse(text),
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
