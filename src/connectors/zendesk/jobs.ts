import { setTimeout as sleep } from 'node:timers/promises';
import type { Throttled, Unavailable } from '../connector.ts';
import { asked } from '../rest.ts';
import type { Zendesk } from './client.ts';

/**
 * What a job says of one of its inputs: `{id, status: "Created", email}`, or `{id: 2, status: "Failed", error, details}`,
 * where `id` is the position.
 * https://support.zendesk.com/hc/en-us/community/posts/4408861015066
 */
export interface JobResult {
  id?: number;
  status?: string;
  error?: string;
  success?: boolean;
  email?: string;
  external_id?: string;
}

export interface JobEnd {
  /** The job is over and has told of all its inputs; otherwise `reason` says why that is not known. */
  complete: boolean;
  reason: string;
  results: JobResult[];
  /** What the question after the job said about the connection. */
  meanwhile?: Throttled | Unavailable;
}

/** The first question comes after this long, each further one after twice the wait before it. */
const firstWaitMs = 100;
const longestWaitMs = 2_000;

/**
 * Asks after a job until it is over. Each question passes the gate.
 *
 * @param begun the answer to the request that began the job
 * @param deadline on the monotonic clock
 */
export async function followJob(
  zendesk: Zendesk,
  begun: Record<string, unknown>,
  signal: AbortSignal,
  deadline: number,
): Promise<JobEnd> {
  const jobId = readJob(begun)?.id;
  if (typeof jobId !== 'string') return open('Zendesk gave an answer without a job');
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    if (performance.now() + waitMs >= deadline) return open('the job was not over in time');
    await sleep(waitMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return open('stopped while waiting for the job');
    const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
    const path = `/api/v2/job_statuses/${encodeURIComponent(jobId)}`;
    const answer = await asked(() => zendesk.ask('GET', path, { signal, timeoutMs, beginBy: deadline }));
    if (!answer.ok) {
      const { problem } = answer;
      if (problem.kind === 'ambiguous') continue;
      const end = open(`asking after the job: ${problem.reason}`);
      return problem.kind === 'rejected' ? end : { ...end, meanwhile: problem };
    }
    const job = readJob(answer.body);
    const results = Array.isArray(job?.results) ? job.results : [];
    if (job?.status === 'completed') return { complete: true, reason: '', results };
    // Parts of it may be done.
    if (job?.status === 'failed' || job?.status === 'killed')
      return { ...open(`the job ended as ${job.status}`), results };
  }
}

function open(reason: string): JobEnd {
  return { complete: false, reason, results: [] };
}

function readJob(body: Record<string, unknown>) {
  return body.job_status as { id?: unknown; status?: string; results?: JobResult[] } | undefined;
}
