import { ReadbackError } from '../../errors.ts';
import { authClientFor } from '../../google.ts';
import { classifyNetworkError, parseRetryAfter, stopped, withDeadline } from '../calls.ts';
import type { CallOptions, Gate, Throttled, Unavailable } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { type Answer, asked, type Problem, type Refusal, type Refused, Rest } from '../rest.ts';
import type { Settings } from './schema.ts';

const pubSubScope = 'https://www.googleapis.com/auth/pubsub';

/** As the API takes it (https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage); `data` in base64. */
export interface Message {
  data: string;
  attributes: Record<string, string>;
  orderingKey?: string;
}

/** Pub/Sub's REST API. Its client library batches, retries and orders by itself, and so does not say what was sent when. */
export class PubSub {
  readonly #settings: Settings;
  readonly #rest: Rest;
  #auth: ReturnType<typeof authClientFor> | undefined;

  constructor(settings: Settings, gate: Gate) {
    this.#settings = settings;
    this.#rest = new Rest({
      vendor: 'Pub/Sub',
      base: settings.endpoint,
      secrets: settings.credentials ? [settings.credentials.reveal()] : [],
      gate,
      problemOf,
    });
  }

  /** All of the messages are published, or none. The ids come in their order. */
  async publish(
    topic: string,
    messages: Message[],
    call: CallOptions,
  ): Promise<{ ok: true; ids: string[] } | Refused> {
    const answer = await this.#ask(topic, 'publish', { messages }, call);
    if (!answer.ok) return answer;
    const { messageIds: ids } = answer.body;
    return isIds(ids) && ids.length === messages.length
      ? { ok: true, ids }
      : this.#rest.unreadable(`an answer without one id for each of ${messages.length} messages`);
  }

  /** Whether we may publish to a topic; no permission is needed to ask. Of a topic that does not exist: no. */
  async mayPublish(topic: string, call: CallOptions): Promise<{ ok: true; may: boolean } | Refused> {
    const permission = 'pubsub.topics.publish';
    const answer = await this.#ask(topic, 'testIamPermissions', { permissions: [permission] }, call);
    if (!answer.ok) return answer;
    const { permissions = [] } = answer.body;
    return { ok: true, may: Array.isArray(permissions) && permissions.includes(permission) };
  }

  async #ask(topic: string, verb: string, body: object, call: CallOptions): Promise<Answer | Refused> {
    const authorization = await this.#authorization(call);
    if (typeof authorization !== 'string') return { ok: false, gone: false, problem: authorization };
    const { project } = this.#settings;
    const path = `/v1/projects/${encodeURIComponent(project)}/topics/${encodeURIComponent(topic)}:${verb}`;
    return asked(() => this.#rest.ask('POST', path, call, body, { authorization }));
  }

  /** A key signs for itself; other credentials may have to ask Google for a token first. */
  async #authorization(call: CallOptions): Promise<string | Throttled | Unavailable> {
    this.#auth ??= authClientFor(this.#settings, pubSubScope, 'DESTINATION_UNREACHABLE');
    const auth = this.#auth;
    try {
      const headers = await withDeadline(call, async () => (await auth).getRequestHeaders());
      return headers.get('authorization') ?? credentials('there are none');
    } catch (error) {
      // Looked for again by the next call.
      if (this.#auth === auth) this.#auth = undefined;
      if (call.signal.aborted) return stopped;
      if (error instanceof ReadbackError) return credentials(error.message);
      const network = classifyNetworkError(error);
      return network.kind === 'unavailable' ? network : credentials(network.reason);
    }
  }
}

function credentials(reason: string): Unavailable {
  return { kind: 'unavailable', code: 'credentials', reason: `no credentials: ${reason}` };
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string' && id !== '');
}

/** How Google says no: `{error: {code, status, message}}` (https://cloud.google.com/pubsub/docs/reference/error-codes). */
function problemOf({ status, headers, json, quote }: Refusal): Problem {
  const { status: code = `http_${status}`, message = '' } = (json?.error ?? {}) as {
    status?: string;
    message?: string;
  };
  const reason = quote(`${status} ${code}: ${message}`);
  if (status === 429)
    return { kind: 'throttled', retryAfterMs: parseRetryAfter(headers.get('retry-after')), reason };
  if (status === 401) return { kind: 'unavailable', code, reason };
  // 409 ABORTED and 499 CANCELLED: it is not said how far it came.
  if (status === 408 || status === 409 || status === 499 || status >= 500)
    return { kind: 'ambiguous', reason };
  return rejected(code, reason);
}
