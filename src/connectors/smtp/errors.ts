import { classifyNetworkError, GivenUp, quote } from '../calls.ts';
import type { Problem } from '../rest.ts';

/** How far a mail had come. From `data` on the server may have taken it. */
export type Phase = 'connect' | 'envelope' | 'data';

/** What the server said, or how the conversation ended without its saying anything. */
export function problemOf(error: unknown, phase: Phase, secrets: readonly string[]): Problem {
  const { responseCode, response, code } = error as {
    responseCode?: unknown;
    response?: unknown;
    code?: unknown;
  };
  if (typeof responseCode === 'number' && responseCode >= 400 && responseCode <= 599)
    return refusalOf(responseCode, quote(response, secrets), phase);
  const network = classifyNetworkError(error);
  const reason =
    network.kind === 'lost' && typeof code === 'string' ? `the conversation broke (${code})` : network.reason;
  if (phase === 'data') return { kind: 'ambiguous', reason };
  if (phase === 'connect') {
    if (error instanceof GivenUp) return { kind: 'unavailable', code: 'timeout', reason };
    return { kind: 'unavailable', code: typeof code === 'string' ? code : 'connect', reason };
  }
  return { kind: 'rejected', code: 'lost', reason: `before the mail was sent: ${reason}`, permanent: false };
}

/**
 * A 4xx asks to come again, a 5xx is final (RFC 5321 §4.2.1). 421 closes the whole connection: before the mail it is a
 * server with too much to do, after it nobody knows.
 */
function refusalOf(status: number, reason: string, phase: Phase): Problem {
  if (phase === 'data' && status === 421) return { kind: 'ambiguous', reason };
  if (status === 421) return { kind: 'throttled', retryAfterMs: null, reason };
  if ([454, 530, 534, 535, 538].includes(status) || (phase === 'connect' && status >= 500))
    return { kind: 'unavailable', code: `smtp_${status}`, reason };
  if (phase === 'connect') return { kind: 'throttled', retryAfterMs: null, reason };
  return { kind: 'rejected', code: `smtp_${status}`, reason, permanent: status >= 500 };
}
