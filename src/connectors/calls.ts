import {
  type Answered,
  type CallOptions,
  type Gate,
  NotSent,
  type Throttled,
  type Unavailable,
} from './connector.ts';

/** The call was given up: its deadline passed or the worker had to let go. The request may still take effect. */
export class GivenUp extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'GivenUp';
  }
}

let deadline: number | undefined;

/** When the call that is being begun has to be given up, on the monotonic clock; undefined outside of `beginCall`. */
export function callDeadline(): number | undefined {
  return deadline;
}

/**
 * Begins a call: whatever connections and requests it makes before it first waits know their deadline. Node.js could carry
 * it further (`AsyncLocalStorage`), which makes every promise of the process dearer: 10 % of the time of an action.
 */
export function beginCall<T>(until: number | undefined, begin: () => T): T {
  const outer = deadline;
  deadline = until;
  try {
    return begin();
  } finally {
    deadline = outer;
  }
}

/**
 * Runs one HTTP call, answer body included, under our own deadline. Rejects with `GivenUp` when the deadline passes
 * or the signal aborts, and without having begun when it is too late to begin: a process that was suspended since the
 * gate let it pass wakes up here, when another may have sent the same. `work` gets a signal of its own to hand to
 * clients that can cancel; a client that cannot is left to end by itself and its late answer or error is dropped.
 */
export async function withDeadline<T>(
  call: CallOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (performance.now() > (call.beginBy ?? Number.POSITIVE_INFINITY)) throw new GivenUp(tooLate);
  const controller = new AbortController();
  let giveUp: (reason: string) => void = () => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = (reason) => {
      const error = new GivenUp(reason);
      reject(error);
      controller.abort(error);
    };
  });
  const onAbort = () => giveUp('stopped while waiting for the answer');
  const timer = setTimeout(() => giveUp(`no answer within ${call.timeoutMs} ms`), call.timeoutMs);
  call.signal.addEventListener('abort', onAbort, { once: true });
  if (call.signal.aborted) onAbort();
  try {
    const working = beginCall(performance.now() + call.timeoutMs, () => work(controller.signal));
    return await Promise.race([givenUp, working]);
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener('abort', onAbort);
  }
}

const tooLate = 'too long after its intent to begin; not sent';

/** Makes one call when the gate lets it pass, and tells the gate when it is over. What kept it back is an answer, too. */
export async function throughGate<T>(
  gate: Gate,
  call: CallOptions,
  make: () => Promise<T>,
  isUsable: (answer: T) => boolean,
): Promise<T | Throttled | Unavailable> {
  let answered: Answered = () => {};
  try {
    answered = await gate.pass(call.signal, call.beginBy);
  } catch (error) {
    if (error instanceof NotSent) return error.outcome;
    if (!call.signal.aborted) throw error;
  }
  let usable = false;
  try {
    if (call.signal.aborted) return stopped;
    const answer = await make();
    usable = isUsable(answer);
    return answer;
  } finally {
    answered(usable);
  }
}

/** The worker had to let go before anything was sent. */
export const stopped: Throttled = { kind: 'throttled', retryAfterMs: 0, reason: 'stopped before sending' };

/** An answer about the connection, and so about the rest of a batch, too. */
export function isOfConnection(answer: { kind: string }): answer is Throttled | Unavailable {
  return answer.kind === 'throttled' || answer.kind === 'unavailable';
}

/** Tells the gate what an answer says about the connection, so that the rest of a batch does not run into it. */
export function heeded<Answer extends { kind: string }>(gate: Gate, answer: Answer): Answer {
  if (isOfConnection(answer)) gate.heed(answer);
  return answer;
}

/** Codes that can only come up before a request is sent. Anything else may have reached the vendor. */
const unsentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/**
 * What an error thrown by an HTTP client says: `unavailable` when the request certainly never left (no connection was
 * made), else `lost`, which is ambiguous for a write and a failure for a read. Only codes are quoted: an error's text
 * may hold the URL or headers.
 */
export function classifyNetworkError(error: unknown): Unavailable | { kind: 'lost'; reason: string } {
  if (error instanceof GivenUp) return { kind: 'lost', reason: error.message };
  for (const link of causes(error)) {
    const { code, errno, syscall } = link as { code?: unknown; errno?: unknown; syscall?: unknown };
    const name = typeof code === 'string' ? code : typeof errno === 'string' ? errno : undefined;
    if (name === undefined) continue;
    if (unsentCodes.has(name) || syscall === 'connect' || syscall === 'getaddrinfo') {
      return { kind: 'unavailable', code: name, reason: 'no connection could be made' };
    }
    return { kind: 'lost', reason: `the connection broke (${name})` };
  }
  return { kind: 'lost', reason: `the call failed (${error instanceof Error ? error.name : typeof error})` };
}

/** The error, its causes and, for an `AggregateError` (several addresses tried), its members. */
export function* causes(error: unknown, depth = 0): Generator<object> {
  if (typeof error !== 'object' || error === null || depth > 5) return;
  yield error;
  const { cause, original, errors } = error as { cause?: unknown; original?: unknown; errors?: unknown };
  yield* causes(cause, depth + 1);
  yield* causes(original, depth + 1);
  if (Array.isArray(errors)) for (const each of errors) yield* causes(each, depth + 1);
}

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110 §10.2.3); null when absent or unreadable. */
export function parseRetryAfter(value: string | null | undefined, now = Date.now()): number | null {
  const text = value?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  if (!/[A-Za-z]{3}, \d/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** A vendor's text, fit for the ledger: no secret of ours, one line, bounded. */
export function quote(text: unknown, secrets: readonly string[], maxLength = 300): string {
  let clean = String(text ?? '')
    .replace(/\s+/g, ' ')
    .trim();
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}
