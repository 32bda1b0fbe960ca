import { causes, classifyNetworkError, quote } from '../calls.ts';
import type { Problem } from '../rest.ts';
import { NotSpoken } from './line.ts';

/** Why nothing was sent: no connection, or none that may be used. */
export function unsentProblem(error: unknown, secrets: readonly string[]): Problem {
  for (const cause of causes(error)) {
    const { message = '' } = cause as Partial<Error>;
    if (cause instanceof NotSpoken) return { kind: 'unavailable', code: 'protocol', reason: message };
    if (isLogin(cause)) {
      const reason = `the brokers refused the credentials: ${quote(message, secrets)}`;
      return { kind: 'unavailable', code: 'unauthorized', reason };
    }
  }
  const network = classifyNetworkError(error);
  if (network.kind === 'unavailable') return network;
  const reason = `no connection could be made: ${network.reason}`;
  return { kind: 'unavailable', code: 'connect', reason };
}

/** Why there is no answer. It may have been done, except where the session could not be renewed before. */
export function sentProblem(error: unknown, secrets: readonly string[]): Problem {
  if (isLogin(error)) return unsentProblem(error, secrets);
  const reason = error instanceof NotSpoken ? error.message : classifyNetworkError(error).reason;
  return { kind: 'ambiguous', reason };
}

/** The library's errors are told apart by their names. */
function isLogin(error: unknown): boolean {
  const { name, type } = error as { name?: unknown; type?: unknown };
  return name === 'KafkaJSSASLAuthenticationError' || /SASL/.test(String(type));
}
