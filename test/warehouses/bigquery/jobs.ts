import { type Engine, QueryFault, type Running } from './engine.ts';
import type { ListParameter } from './googlesql.ts';
import { type InsertRequest, insertRequest, resultsRequest } from './requests.ts';
import type { WireField } from './wire.ts';

/** A query that was submitted. */
export interface Job {
  request: InsertRequest;
  createdMs: number;
  state: 'RUNNING' | 'DONE';
  error?: QueryFault;
  rows: number;
  fields: WireField[];
  running: Running;
  /** Settles when it is done, however. */
  ended: Promise<void>;
}

/** How often an interrupt is sent: one that meets DuckDB between two statements is lost. */
const interruptEveryMs = 20;

/** The jobs of one project, as BigQuery keeps them: by an id that is never given twice, in one location. */
export class Jobs {
  readonly all = new Map<string, Job>();
  /** Where the data is. */
  location = 'US';
  /** What any query would scan. */
  scannedBytes = 10_485_760;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async insert(body: unknown): Promise<unknown> {
    const request = insertRequest.parse(body);
    const { configuration, jobReference } = request;
    const { query } = configuration.query;
    if (query.trim() === '') throw new QueryFault('Required parameter is missing: query', 'required');
    const parameters = parametersOf(request);
    const described = await this.#engine.describe(query, parameters);
    if (configuration.dryRun) return this.#dryRun(described);
    const { jobId = '' } = jobReference;
    if (this.all.has(jobId))
      throw new QueryFault(`Already Exists: Job acme:${this.location}.${jobId}`, 'duplicate');
    if (described.statementType !== 'SELECT') throw new Error(`a ${described.statementType} was to run`);
    this.#requireBudget(configuration.query.maximumBytesBilled);
    const job = this.#begin(request, await this.#engine.run(query, parameters));
    this.all.set(jobId, job);
    return this.describe(jobId);
  }

  describe(id: string, location = this.location): unknown {
    const { state, error, createdMs } = this.#find(id, location);
    const errorResult = error && { reason: error.reason, message: error.message };
    return {
      kind: 'bigquery#job',
      id: `acme:${this.location}.${id}`,
      jobReference: { projectId: 'acme', jobId: id, location: this.location },
      configuration: { jobType: 'QUERY' },
      statistics: { creationTime: String(createdMs), query: { statementType: 'SELECT' } },
      status: { state, ...(errorResult && { errorResult, errors: [errorResult] }) },
    };
  }

  cancel(id: string, location: string): unknown {
    const job = this.#find(id, location);
    this.#stop(job, new QueryFault('Job execution was cancelled: User requested cancellation', 'stopped'));
    return { kind: 'bigquery#jobCancelResponse', job: this.describe(id) };
  }

  async results(id: string, query: Record<string, string>): Promise<unknown> {
    const { location, maxResults, timeoutMs, pageToken } = resultsRequest.parse(query);
    const job = this.#find(id, location);
    const head = {
      kind: 'bigquery#getQueryResultsResponse',
      jobReference: { projectId: 'acme', jobId: id, location: this.location },
    };
    await within(job.ended, timeoutMs);
    if (job.state === 'RUNNING') return { ...head, jobComplete: false };
    if (job.error) throw job.error;
    const from = pageToken === undefined ? 0 : Number(Buffer.from(pageToken, 'base64url').toString());
    const to = Math.min(job.rows, from + maxResults);
    const rows = await job.running.page(job.fields, from, to);
    return {
      ...head,
      jobComplete: true,
      schema: { fields: job.fields },
      totalRows: String(job.rows),
      ...(rows.length > 0 && { rows }),
      ...(to < job.rows && { pageToken: Buffer.from(String(to)).toString('base64url') }),
      totalBytesProcessed: String(this.scannedBytes),
      cacheHit: false,
    };
  }

  async close(): Promise<void> {
    for (const job of this.all.values()) {
      this.#stop(job, new QueryFault('the server ends', 'stopped'));
      await job.ended;
      job.running.close();
    }
  }

  #begin(request: InsertRequest, running: Running): Job {
    const ended = Promise.resolve();
    const job: Job = {
      request,
      createdMs: Date.now(),
      state: 'RUNNING',
      rows: 0,
      fields: [],
      running,
      ended,
    };
    const timedOut = new QueryFault('Job execution was cancelled: Job timed out', 'stopped');
    const timeout = setTimeout(() => this.#stop(job, timedOut), Number(request.configuration.jobTimeoutMs));
    job.ended = running.done
      .then((result) => void Object.assign(job, result))
      .catch((error: unknown) => {
        job.error ??= error instanceof QueryFault ? error : new QueryFault(String(error), 'internalError');
      })
      .then(() => {
        clearTimeout(timeout);
        job.state = 'DONE';
      });
    return job;
  }

  #stop(job: Job, error: QueryFault): void {
    if (job.state === 'DONE') return;
    job.error ??= error;
    job.running.interrupt();
    setTimeout(() => this.#stop(job, error), interruptEveryMs);
  }

  #dryRun({ statementType, fields }: { statementType: string; fields: WireField[] }): unknown {
    const totalBytesProcessed = String(this.scannedBytes);
    return {
      kind: 'bigquery#job',
      jobReference: { projectId: 'acme', location: this.location },
      configuration: { jobType: 'QUERY', dryRun: true },
      statistics: {
        creationTime: String(Date.now()),
        totalBytesProcessed,
        query: { statementType, totalBytesProcessed, schema: { fields } },
      },
      status: { state: 'DONE' },
    };
  }

  #requireBudget(limit: string | undefined): void {
    if (limit === undefined || this.scannedBytes <= Number(limit)) return;
    const message = `Query exceeded limit for bytes billed: ${limit}. ${this.scannedBytes} or higher required.`;
    throw new QueryFault(message, 'bytesBilledLimitExceeded');
  }

  /** A job elsewhere is not found, nor one of another place than the US whose place is not told. */
  #find(id: string, location: string): Job {
    const job = this.all.get(id);
    if (!job || location !== this.location) throw new QueryFault(`Not found: Job acme:${id}`, 'notFound');
    return job;
  }
}

function parametersOf({ configuration }: InsertRequest): ListParameter[] {
  return configuration.query.queryParameters.map(({ name, parameterType, parameterValue }) => ({
    name,
    type: parameterType.arrayType.type,
    values: parameterValue.arrayValues.map(({ value }) => value),
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
