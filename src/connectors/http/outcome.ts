import type { Outcome } from '../connector.ts';
import { aboutConnection, describe, holds, isFine, matches, wordsOf } from './answer.ts';
import { type Answered, type Api, type Reply, retryAfterMs } from './client.ts';
import type { Definition } from './grammar.ts';

type Write = Definition['write'];
/** The id of the record that an answer, or a result in one, tells of. */
export type IdOf = (json: unknown) => string | undefined;
export type Refusal = Exclude<Outcome, { kind: 'applied' | 'already' }>;

function doubt(reason: string): Refusal {
  return { kind: 'ambiguous', reason };
}

/** An answer that can tell of success: a 2xx that was asked for, with JSON or nothing. */
export function isSuccess(reply: Reply, { success }: Write): reply is Answered {
  if (reply.kind !== 'answered' || (reply.json === undefined && !reply.empty)) return false;
  return isFine(reply.status) && (success.status ?? [reply.status]).includes(reply.status);
}

/** What the answer to the write of one item means. */
export function outcomeOf(api: Api, reply: Reply, idOf: IdOf, definition: Definition): Outcome {
  if (isSuccess(reply, definition.write)) {
    const id = taken(reply.json, idOf, definition.write);
    if (id !== undefined) return { kind: 'applied', id };
  }
  return refusalOf(api, reply, definition);
}

/** What one result in the answer to a batch means. Of the rules, only `where` applies to it. */
export function resultOf(api: Api, result: unknown, idOf: IdOf, write: Write): Outcome {
  const id = taken(result, idOf, write);
  if (id !== undefined) return { kind: 'applied', id };
  const reason = api.quote(wordsOf(result, write.error) ?? 'the result says that it was not taken');
  for (const [rule, permanent] of [
    [write.transient, false],
    [write.refused, true],
  ] as const)
    if (rule?.where && holds(result, rule.where))
      return { kind: 'rejected', code: 'refused', reason, permanent };
  return doubt('the result is neither a success nor a refusal that was described');
}

function taken(json: unknown, idOf: IdOf, { success }: Write): string | undefined {
  return holds(json, success.where) ? idOf(json) : undefined;
}

/** What an answer that tells of no success means. Only a definite no is `rejected`; whatever may hide a write is in doubt. */
export function refusalOf(api: Api, reply: Reply, { write, idempotency }: Definition): Refusal {
  if (reply.kind === 'lost') return doubt(reply.reason);
  if (reply.kind !== 'answered') return reply;
  const { status } = reply;
  const reason = describe(api, reply, write.error);
  const no = (permanent: boolean): Refusal => ({
    kind: 'rejected',
    code: `http_${status}`,
    reason,
    permanent,
  });
  const waits = status === 503 && retryAfterMs(reply) !== null;
  if (!waits && matches(reply, write.transient)) return no(false);
  if (!waits && matches(reply, write.refused)) return no(true);
  const about = aboutConnection(api, reply, reason);
  if (about) return about;
  if (isFine(status)) return doubt(`not the answer that was described: ${reason}`);
  // 307 and 308: not processed here. After other redirects a POST may have been.
  if (status === 307 || status === 308)
    return api.heed({
      kind: 'unavailable',
      code: `http_${status}`,
      reason: `${status}: redirects are not followed`,
    });
  // An API that knows the key, or the record, says so with 409: reading back tells whether it is ours.
  if (status === 409 && idempotency !== 'none') return doubt(reason);
  if (status === 408 || status < 400 || status > 499) return doubt(reason);
  return no(status !== 423 && status !== 425);
}
