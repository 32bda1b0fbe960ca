import type { DeskKind } from './config.ts';

/** What a vendor can say in place of the honest answer; each protocol has its own words for it. */
export type Said =
  | 'accepted'
  | 'bad'
  | 'broken'
  | 'conflict'
  | 'error_body'
  | 'gone_404'
  | 'gone_410'
  | 'throttled'
  | 'timeout'
  | 'too_large'
  | 'unauthorized'
  | 'unavailable';

export interface Fault {
  on: readonly ('write' | 'read')[];
  /** What becomes of the writes; done at once unless said. `maybe`: executed or not, by a draw. */
  written?: 'late' | 'maybe' | 'never';
  /** The whole request is answered so. */
  said?: Said;
  /** One write of the request, or about a third of them, is answered so; the others are done. */
  refuses?: { which: 'one' | 'some'; said: Said };
  /** From then on the refused write is refused every time. */
  lasting?: boolean;
  /** The batch is refused with the refused write, and nothing is named. */
  whole?: boolean;
  /** Only where a request can hold several writes does it take several for this fault. */
  batch?: true;
  only?: readonly DeskKind[];
  retryAfter?: 'seconds' | 'date';
  /** So many requests after it meet the same. */
  burst?: number;
  /** How the answer travels. */
  sent?: 'html' | 'cut' | 'dripped';
  tidy?: true;
  stale?: true;
  results?: 'shuffled' | 'short';
  keys?: 'ignored' | 'expired';
}

const write = { on: ['write'] } as const;
const read = { on: ['read'] } as const;
const any = { on: ['write', 'read'] } as const;
const upsert = ['upsert'] as const;
const keyed = ['keyed'] as const;

/** The menu. Whether a fault fits a desk is also decided by what its protocol has words for. */
export const faultKinds = {
  ok_with_error_body: { ...write, written: 'maybe', said: 'error_body' },
  late: { ...write, written: 'late' },
  accepted_202: { ...write, written: 'late', said: 'accepted' },
  not_written: { ...write, written: 'never' },
  normalised: { ...write, tidy: true },
  item_400: { ...write, refuses: { which: 'one', said: 'bad' }, lasting: true },
  batch_400: {
    ...write,
    refuses: { which: 'one', said: 'bad' },
    lasting: true,
    whole: true,
    batch: true,
    only: upsert,
  },
  unauthorized_401: { ...any, written: 'never', said: 'unauthorized', burst: 2 },
  gone_404: { ...write, refuses: { which: 'one', said: 'gone_404' } },
  gone_410: { ...write, refuses: { which: 'one', said: 'gone_410' } },
  conflict_409: { ...write, refuses: { which: 'one', said: 'conflict' } },
  too_large_413: { ...write, written: 'never', said: 'too_large', batch: true },
  throttled_seconds: { ...write, written: 'never', said: 'throttled', retryAfter: 'seconds' },
  throttled_date: { ...write, written: 'never', said: 'throttled', retryAfter: 'date' },
  throttled_bare: { ...write, written: 'never', said: 'throttled' },
  error_before: { ...write, written: 'never', said: 'broken' },
  error_after: { ...write, said: 'broken' },
  unavailable_503: { ...any, written: 'never', said: 'unavailable' },
  timeout_after: { ...write, said: 'timeout' },
  html_200: { ...any, written: 'maybe', sent: 'html' },
  truncated_json: { ...any, sent: 'cut' },
  slow_drip: { ...any, sent: 'dripped' },
  partial_207: { ...write, refuses: { which: 'some', said: 'broken' }, only: upsert },
  shuffled_207: { ...any, results: 'shuffled', only: upsert },
  short_207: { ...any, results: 'short', only: upsert },
  stale_read: { ...read, stale: true },
  read_429: { ...read, said: 'throttled', retryAfter: 'seconds' },
  read_500: { ...read, said: 'broken' },
  key_ignored: { ...write, keys: 'ignored', only: keyed },
  key_expired: { ...write, keys: 'expired', only: keyed },
} as const satisfies Record<string, Fault>;

export type FaultKind = keyof typeof faultKinds;

/** A refusal that says of a write that it will not be done; the others leave it open. */
export function isDefinite(said: Said): boolean {
  return ['bad', 'conflict', 'gone_404', 'gone_410', 'too_large'].includes(said);
}
