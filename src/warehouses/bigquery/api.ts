import type { BigQuery } from '@google-cloud/bigquery';
import type { z } from 'zod';
import { authClientFor, type Identity } from '../../google.ts';
import type { Deadline } from '../deadline.ts';
import { refusalOf, unreadable } from './failure.ts';
import type { Settings } from './settings.ts';

const scope = 'https://www.googleapis.com/auth/bigquery';

export interface Request {
  method: 'GET' | 'POST';
  /** After `/projects/<project>`. */
  uri: string;
  qs?: Record<string, unknown>;
  json?: unknown;
}

/**
 * Authenticated requests of the SDK, one for one. Its own calls for jobs are not used: an answer without `jobReference`
 * ends the process (8.3.1 and 9.3.0), and `maxResults` of its streams ends a result early without a word.
 */
export class Api {
  readonly #settings: Settings;
  readonly #identity: Identity;
  #client: Promise<BigQuery> | undefined;

  constructor(settings: Settings, identity: Identity = settings) {
    this.#settings = settings;
    this.#identity = identity;
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** @throws Refusal, or the deadline's failure */
  async call<Answer>(answer: z.ZodType<Answer>, request: Request, deadline: Deadline): Promise<Answer> {
    const client = await deadline.race(this.#open());
    const body = await deadline.race(send(client, request, deadline.remainingMs));
    const parsed = answer.safeParse(body);
    if (!parsed.success) throw unreadable(parsed.error);
    return parsed.data;
  }

  /** Credentials that could not be had are looked for again by the next call. */
  #open(): Promise<BigQuery> {
    this.#client ??= this.#connect();
    const opening = this.#client;
    opening.catch(() => {
      if (this.#client === opening) this.#client = undefined;
    });
    return opening;
  }

  async #connect(): Promise<BigQuery> {
    const { project, endpoint } = this.#settings;
    const authClient = await authClientFor(this.#identity, scope, 'WAREHOUSE_UNREACHABLE');
    const { BigQuery } = await import('@google-cloud/bigquery');
    // `maxRetries: 0` would mean 3.
    const client = new BigQuery({
      projectId: project,
      apiEndpoint: endpoint,
      // The SDK brings a google-auth-library of its own, whose types are others; it calls `getRequestHeaders` alone.
      authClient: authClient as never,
      retryOptions: { autoRetry: false },
      userAgent: 'readback',
    });
    // BIGQUERY_EMULATOR_HOST would send every query, and the token with it, to another address.
    client.baseUrl = `${client.apiEndpoint}/bigquery/v2`;
    return client;
  }
}

/** @param timeoutMs of silence, after which the connection is let go */
function send(client: BigQuery, request: Request, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.request(
      { ...request, timeout: Math.max(1, Math.ceil(timeoutMs)) },
      (error: unknown, body: unknown) => {
        if (error) reject(refusalOf(error));
        else resolve(body);
      },
    );
  });
}
