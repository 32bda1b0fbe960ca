import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate, Unavailable } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { type Answer, asked, type Problem, type Refusal, type Refused, Rest } from '../rest.ts';
import type { Settings } from './schema.ts';

/** One workflow in Power Automate that posts what it is sent. Its address holds the permission to do so. */
export class Workflow {
  readonly #rest: Rest | undefined;

  constructor(settings: Settings, gate: Gate) {
    const url = settings.webhook_url.reveal().trim();
    if (!isAddress(url)) return;
    const permission = new URL(url).searchParams.get('sig') ?? '';
    this.#rest = new Rest({
      vendor: 'Teams',
      base: url,
      secrets: [url, permission, encodeURIComponent(permission)],
      gate,
      problemOf,
    });
  }

  /** The answer means that the workflow was started, not that it has posted. */
  post(message: object, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('POST', call, message);
  }

  /** A question that starts nothing, because the workflow waits for a POST. */
  peek(call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('GET', call);
  }

  async #ask(method: string, call: CallOptions, body?: object): Promise<Answer | Refused> {
    const rest = this.#rest;
    if (!rest) return { ok: false, gone: false, problem: noAddress };
    return asked(() => rest.ask(method, '', call, body));
  }
}

const noAddress: Unavailable = {
  kind: 'unavailable',
  code: 'webhook_url',
  reason: 'webhook_url is not an https:// address',
};

/** Loopback may do without https, for a sandbox. */
function isAddress(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(hostname));
}

/** What a workflow that is gone, switched off or closed to strangers says; not the message's fault. */
const closed =
  /^(Workflow\w*(NotFound|NotEnabled|Disabled)|DirectApi\w+|InvalidSignature|\w*Authorization\w*)$/;

/** How Power Automate says no: `{error: {code, message}}`. */
function problemOf({ status, headers, json, quote }: Refusal): Problem {
  const { code = `http_${status}`, message = '' } = (json?.error ?? {}) as {
    code?: string;
    message?: string;
  };
  const reason = quote(`${status} ${code}: ${message}`);
  if (status === 429)
    return { kind: 'throttled', retryAfterMs: parseRetryAfter(headers.get('retry-after')), reason };
  if (status === 401 || status === 403 || closed.test(code)) return { kind: 'unavailable', code, reason };
  // 502 and 504: the workflow runs, and its answer did not come.
  if (status === 408 || status >= 500) return { kind: 'ambiguous', reason };
  return rejected(code, reason);
}
