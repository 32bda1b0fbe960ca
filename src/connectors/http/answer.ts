import type { Outcome, Reading, Throttled, Unavailable } from '../connector.ts';
import { type Answered, type Api, type Reply, retryAfterMs } from './client.ts';
import { at } from './pointer.ts';
import type { AnswerRule, Definition } from './schema.ts';
import { canonicalValue } from './values.ts';

/** Where APIs put their words, most precise first. */
const errorPointers = [
  '/error/message',
  '/errors/0/message',
  '/errors/0/detail',
  '/error_description',
  '/message',
  '/detail',
  '/error',
  '/errors/0',
  '/title',
  '/reason',
];

/** What the API says about a failure, in its own words; empty when it says nothing. */
export function wordsOf(json: unknown, pointer: string | undefined): unknown {
  if (pointer !== undefined) return at(json, pointer);
  for (const one of errorPointers) {
    const words = at(json, one);
    if (typeof words === 'string' && words !== '') return words;
  }
  return undefined;
}

/** `no`: something else stands there. `unknown`: nothing does, so it is not the answer that was described. */
export function holds(json: unknown, rule: AnswerRule['where']): 'yes' | 'no' | 'unknown' {
  let result: 'yes' | 'unknown' = 'yes';
  for (const [pointer, wanted] of Object.entries(rule ?? {})) {
    const found = at(json, pointer);
    if (found === undefined) result = 'unknown';
    else if (!equal(found, wanted)) return 'no';
  }
  return result;
}

function equal(found: unknown, wanted: unknown): boolean {
  if (found === wanted) return true;
  return typeof wanted === 'number' && canonicalValue('number', found) === canonicalValue('number', wanted);
}

/** A status that says something about the connection and not about what was asked. */
export function aboutConnection(
  api: Api,
  answer: Answered,
  reason: string,
): Throttled | Unavailable | undefined {
  const { status } = answer;
  // A 503 with Retry-After is an API that takes nothing in for a while; a bare one may come from anywhere.
  if (status === 429 || (status === 503 && retryAfterMs(answer) !== null))
    return api.heed({ kind: 'throttled', retryAfterMs: retryAfterMs(answer), reason });
  if (status === 401 || status === 403)
    return api.heed({ kind: 'unavailable', code: `http_${status}`, reason });
  return undefined;
}

/** `422 quantity must be positive` */
export function describe(api: Api, answer: Answered, pointer?: string): string {
  const words = wordsOf(answer.json, pointer) ?? (answer.isPage ? 'a page of HTML' : answer.text);
  return api.quote(`${answer.status} ${typeof words === 'object' ? JSON.stringify(words) : words}`.trim());
}

/** Whether something stands where errors do. */
function complains(json: unknown, pointer: string | undefined): boolean {
  const words = pointer === undefined ? undefined : at(json, pointer);
  if (Array.isArray(words)) return words.length > 0;
  return words !== undefined && words !== null && words !== '' && words !== false;
}

export type Refusal = Exclude<Outcome, { kind: 'applied' | 'already' }>;

/**
 * What the answer to a write means as a whole. Undefined: it was taken, and its JSON tells the rest. Only a definite
 * no is `rejected`; whatever may hide a write is `ambiguous`.
 */
export function refusalOf(
  api: Api,
  reply: Reply,
  { write, idempotency }: Pick<Definition, 'write' | 'idempotency'>,
): Refusal | undefined {
  if (reply.kind === 'lost') return { kind: 'ambiguous', reason: reply.reason };
  if (reply.kind !== 'answered') return reply;
  const { status } = reply;
  const reason = describe(api, reply, write.error);
  const no = (permanent: boolean): Refusal => ({
    kind: 'rejected',
    code: `http_${status}`,
    reason,
    permanent,
  });
  if (write.transient.includes(status) && !(status === 503 && retryAfterMs(reply) !== null)) return no(false);
  if (write.permanent.includes(status)) return no(true);
  const about = aboutConnection(api, reply, reason);
  if (about) return about;
  if (status >= 200 && status < 300) {
    if (reply.json === undefined && !reply.empty) return doubt(`${status} with an answer that is not JSON`);
    return (write.success.status ?? [status]).includes(status) ? undefined : doubt(reason);
  }
  // 307 and 308: not processed here. After other redirects a POST may have been.
  if (status === 307 || status === 308)
    return api.heed({
      kind: 'unavailable',
      code: `http_${status}`,
      reason: `${status}: redirects are not followed`,
    });
  // An API that knows the key, or the record, says so with 409: reading back tells whether it is ours.
  if (status === 409 && idempotency !== 'none') return doubt(reason);
  if (status === 408 || status < 400 || status >= 500) return doubt(reason);
  return no(status !== 423 && status !== 425);
}

function doubt(reason: string): Refusal {
  return { kind: 'ambiguous', reason };
}

/** What one result means: the whole answer to a single write, or an entry of a batch's answer. */
export function outcomeOf(
  api: Api,
  json: unknown,
  idOf: (json: unknown) => string | undefined,
  write: Definition['write'],
): Outcome {
  const held = holds(json, write.success.where);
  if (held === 'no' || complains(json, write.error)) {
    const reason = api.quote(wordsOf(json, write.error) ?? 'the answer says that it was not taken');
    return { kind: 'rejected', code: 'refused', reason, permanent: true };
  }
  if (held === 'unknown') return doubt('the answer lacks what `success` asks for');
  const id = idOf(json);
  return id === undefined ? doubt('the answer holds no id') : { kind: 'applied', id };
}

/** An id as text; undefined for anything that cannot be one. */
export function asId(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The JSON of an answer to a read, or what it means without. `absentAt`: the statuses that mean "no such record". */
export function readingOf(
  api: Api,
  reply: Reply,
  rules: { success: AnswerRule; absent?: AnswerRule | undefined },
  absentAt: readonly number[],
): { json: unknown } | Reading {
  if (reply.kind === 'lost') return { kind: 'failed', reason: reply.reason };
  if (reply.kind !== 'answered') return reply;
  const { status, json } = reply;
  const reason = describe(api, reply);
  if (isAbsent(reply, rules.absent, absentAt)) return { kind: 'absent' };
  const about = aboutConnection(api, reply, reason);
  if (about) return about;
  if (status >= 300 && status < 400)
    return { kind: 'failed', reason: `${status}: redirects are not followed` };
  if (status >= 300 || !(rules.success.status ?? [status]).includes(status))
    return { kind: 'failed', reason };
  if (json === undefined) return { kind: 'failed', reason: `${status} with an answer that is not JSON` };
  if (holds(json, rules.success.where) !== 'yes')
    return { kind: 'failed', reason: `not the answer that was described: ${reason}` };
  return { json };
}

/** A page of HTML comes from a proxy or a wrong address; it says nothing about a record. */
function isAbsent(answer: Answered, rule: AnswerRule | undefined, absentAt: readonly number[]): boolean {
  if (answer.isPage) return false;
  const fallback = rule?.where === undefined ? absentAt : [answer.status];
  if (!(rule?.status ?? fallback).includes(answer.status)) return false;
  return rule?.where === undefined || holds(answer.json, rule.where) === 'yes';
}
