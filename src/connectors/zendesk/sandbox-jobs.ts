import type { SandboxAnswer } from '../sandbox.ts';

/** The sandbox's jobs: done at once, and over when they are asked after for the second time. */
export class Jobs {
  readonly #jobs = new Map<string, { asked: number; results: unknown[] }>();

  begin(results: unknown[]): SandboxAnswer {
    const id = `job-${this.#jobs.size + 1}`;
    this.#jobs.set(id, { asked: 0, results });
    return {
      status: 200,
      body: { job_status: { id, status: 'queued', total: results.length, results: null } },
    };
  }

  show(id: string): SandboxAnswer {
    const job = this.#jobs.get(id);
    if (!job) return { status: 404, body: { error: 'RecordNotFound', description: 'Not found' } };
    job.asked += 1;
    const over = job.asked > 1;
    const body = { id, status: over ? 'completed' : 'working', results: over ? job.results : null };
    return { status: 200, body: { job_status: body } };
  }
}
