import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deadline } from '../deadline.ts';
import type { ReadOptions, Statement } from '../warehouse.ts';
import { anyAnswer, type JobAnswer, jobAnswer, type PageAnswer, pageAnswer } from './answers.ts';
import type { Api } from './api.ts';
import { notAQuery, Refusal, refusalOf } from './failure.ts';
import { queryParameters } from './parameters.ts';

/** A page is held as text, as JSON and as rows at once; 5,000 rows are at most what a reader is given at a time. */
const pageRows = 5_000;
/** How long BigQuery holds a request for a result that is not there yet. */
const longestPollMs = 10_000;
const betweenPollsMs = 100;
/** A cancellation does not wait for an answer longer than this. */
const cancelMs = 10_000;
/** Of one identity: a job that failed or is old gives its id to nobody else. */
const mostGenerations = 20;

/** Asks what a statement is, what it returns and what it would scan. Nothing runs and nothing is billed. */
export async function dryRun(api: Api, statement: Statement, deadline: Deadline): Promise<JobAnswer> {
  const json = {
    configuration: { dryRun: true, query: queryOf(api, statement) },
    jobReference: { ...reference(api, api.settings.location), jobId: `readback_dry_${randomUUID()}` },
  };
  const answer = await api.call(jobAnswer, { method: 'POST', uri: '/jobs', json }, deadline);
  requireSound(answer);
  requireSelect(answer);
  return answer;
}

/** There is no read-only session: only a statement that BigQuery itself calls one SELECT may run. A script is SCRIPT. */
function requireSelect({ statistics }: JobAnswer): void {
  const type = statistics.query?.statementType;
  if (type !== 'SELECT') throw notAQuery(type);
}

function requireSound({ status: { errorResult } }: JobAnswer): void {
  if (errorResult) throw new Refusal(errorResult.message, errorResult.reason);
}

/** A query that runs, or ran, under an id of ours. */
export class Job {
  readonly #api: Api;
  #location: string | undefined;
  #id = '';
  #submitting: Promise<unknown> = Promise.resolve();

  /** @param location where the dry run was; without it a job outside the US is not found again */
  constructor(api: Api, location: string | undefined) {
    this.#api = api;
    this.#location = location;
  }

  /**
   * Submits the query. Its id says who asks and what, so that asking again, when no answer came or after a crash, finds
   * the job that is there already (409). A job that cannot serve any more has the next id follow it.
   */
  async submit(statement: Statement, options: ReadOptions, deadline: Deadline): Promise<void> {
    const { label, attempt = randomUUID() } = options;
    for (let generation = 1; generation <= mostGenerations; generation++) {
      this.#id = jobId(label, attempt, statement, generation);
      const submitting = this.#insert(statement, options, deadline);
      this.#submitting = submitting;
      const { job, isFound } = await submitting;
      this.#location = job.jobReference.location ?? this.#location;
      if (isFound && !canServe(job, options.timeoutMs)) continue;
      requireSound(job);
      // One that waits for its turn does not say yet what it is; its dry run did.
      if (job.statistics.query?.statementType !== undefined) requireSelect(job);
      return;
    }
    throw new Refusal(`${mostGenerations} jobs of this query failed`, 'duplicate');
  }

  /** The next page, waiting until there is one. */
  async page(
    pageToken: string | undefined,
    deadline: Deadline,
  ): Promise<Extract<PageAnswer, { jobComplete: true }>> {
    for (;;) {
      const qs = {
        ...this.#where(),
        maxResults: pageRows,
        timeoutMs: Math.ceil(Math.min(longestPollMs, deadline.remainingMs)),
        // Otherwise a TIMESTAMP is a floating-point number of seconds.
        'formatOptions.useInt64Timestamp': true,
        ...(pageToken !== undefined && { pageToken }),
      };
      const page = await this.#api.call(
        pageAnswer,
        { method: 'GET', uri: `/queries/${this.#id}`, qs },
        deadline,
      );
      if (page.jobComplete) return page;
      await deadline.race(sleep(betweenPollsMs));
    }
  }

  /**
   * Ends the query on the server, also one whose submission has not been answered yet; one that BigQuery hears of only
   * later ends by `jobTimeoutMs`. Never throws.
   */
  async cancel(): Promise<void> {
    const refused = await this.#submitting.then(
      () => false,
      (error: unknown) => error instanceof Refusal && !error.isAmbiguous,
    );
    if (refused) return;
    const deadline = new Deadline({ timeoutMs: cancelMs });
    const request = { method: 'POST', uri: `/jobs/${this.#id}/cancel`, qs: this.#where() } as const;
    await this.#api.call(anyAnswer, request, deadline).catch(() => {});
    deadline.dispose();
  }

  async #insert(statement: Statement, options: ReadOptions, deadline: Deadline): Promise<Submitted> {
    const json = {
      configuration: {
        query: { ...queryOf(this.#api, statement), ...billed(this.#api) },
        jobTimeoutMs: String(Math.ceil(deadline.remainingMs)),
        labels: { application: 'readback', ...(options.label && { readback_for: labelOf(options.label) }) },
      },
      jobReference: { ...reference(this.#api, this.#location), jobId: this.#id },
    };
    const insert = () => this.#api.call(jobAnswer, { method: 'POST', uri: '/jobs', json }, deadline);
    let isOurs = false;
    try {
      const job = await insert().catch((error: unknown) => {
        if (!refusalOf(error).isAmbiguous || deadline.failure) throw error;
        isOurs = true;
        return insert();
      });
      return { job, isFound: false };
    } catch (error) {
      if (refusalOf(error).status !== 409) throw error;
      const request = { method: 'GET', uri: `/jobs/${this.#id}`, qs: this.#where() } as const;
      return { job: await this.#api.call(jobAnswer, request, deadline), isFound: !isOurs };
    }
  }

  #where(): { location?: string } {
    return this.#location === undefined ? {} : { location: this.#location };
  }
}

interface Submitted {
  job: JobAnswer;
  /** It was there before this read. */
  isFound: boolean;
}

/** A job that is there already, from before a crash: good unless it failed, was cancelled, or saw the data too long ago. */
function canServe({ status, statistics }: JobAnswer, timeoutMs: number): boolean {
  const ageMs = Date.now() - Number(statistics.creationTime ?? 0);
  return !status.errorResult && ageMs < timeoutMs;
}

/** The same for the same question of the same asker; letters, digits, `_` and `-` are allowed. */
function jobId(
  label: string | undefined,
  attempt: string,
  { sql, params }: Statement,
  generation: number,
): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([attempt, sql, params]))
    .digest('hex')
    .slice(0, 40);
  return ['readback', ...(label ? [labelOf(label)] : []), digest, generation].join('_');
}

/** At most 63 lower-case letters, digits, `_` and `-`. */
function labelOf(label: string): string {
  return label
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]/g, '_')
    .slice(0, 63);
}

function reference(api: Api, location: string | undefined): Record<string, string> {
  return { projectId: api.settings.project, ...(location !== undefined && { location }) };
}

function billed({ settings }: Api): { maximumBytesBilled?: string } {
  const limit = settings.maximum_bytes_billed;
  return limit === undefined ? {} : { maximumBytesBilled: String(limit) };
}

function queryOf({ settings }: Api, { sql, params }: Statement): Record<string, unknown> {
  const [datasetId, projectId = settings.project] = settings.dataset?.split(/\.(?=\w+$)/).reverse() ?? [];
  return {
    query: sql,
    useLegacySql: false,
    ...(datasetId && { defaultDataset: { projectId, datasetId } }),
    ...queryParameters(params),
  };
}
