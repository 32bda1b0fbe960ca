import type { Reading, Throttled, Unavailable } from '../connector.ts';
import { type Answered, type Api, type Reply, retryAfterMs } from './client.ts';
import type { AnswerRule } from './grammar.ts';
import { at } from './pointer.ts';
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

/** Whether the answer has each value where it must stand. Without a rule it does. */
export function holds(json: unknown, where: AnswerRule['where']): boolean {
  return Object.entries(where ?? {}).every(([pointer, wanted]) => equal(at(json, pointer), wanted));
}

/**
 * Whether an answer is the one that a rule describes; without a rule none is. A rule without statuses is about 2xx: an
 * API that says `ok: false` with its 500 has not refused anything.
 */
export function matches({ status, json }: Answered, rule: AnswerRule | undefined): boolean {
  if (rule === undefined) return false;
  const among = rule.status ? rule.status.includes(status) : isFine(status);
  return among && holds(json, rule.where);
}

/** 2xx. */
export function isFine(status: number): boolean {
  return status >= 200 && status <= 299;
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
  if (!holds(json, rules.success.where))
    return { kind: 'failed', reason: `not the answer that was described: ${reason}` };
  return { json };
}

/** A page of HTML comes from a proxy or a wrong address; it says nothing about a record. */
function isAbsent(answer: Answered, rule: AnswerRule | undefined, absentAt: readonly number[]): boolean {
  if (answer.isPage) return false;
  const usual = absentAt.includes(answer.status);
  if (rule === undefined) return usual;
  return matches(answer, rule) || (usual && rule.status === undefined && holds(answer.json, rule.where));
}
