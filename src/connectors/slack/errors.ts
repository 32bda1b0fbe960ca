import type { Outcome } from '../connector.ts';

/** Why a call did not give an answer to use. */
export type Problem = Exclude<Outcome, { kind: 'applied' | 'already' }>;

/** The account or the token as a whole cannot be used; nothing was written. */
const unavailable = new Set([
  'access_denied',
  'account_inactive',
  'app_access_restricted',
  'enterprise_is_restricted',
  'invalid_auth',
  'missing_scope',
  'no_permission',
  'not_allowed_token_type',
  'not_authed',
  'org_login_required',
  'team_access_not_granted',
  'token_expired',
  'token_revoked',
  'two_factor_setup_required',
]);

const throttled = new Set(['accesslimited', 'rate_limited', 'ratelimited']);

/** Slack says of `fatal_error` that parts may have succeeded; the others do not say that nothing was done. */
const ambiguous = new Set([
  'fatal_error',
  'internal_error',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
  'update_failed',
]);

/** A definite no that may be a yes later. */
const passing = new Set(['external_channel_migrating', 'message_limit_exceeded', 'streaming_state_conflict']);

/**
 * What `{ok: false, error}` means for a write. Any name that is not listed is a definite, lasting no: Slack's list of
 * such errors is long and grows (channel_not_found, is_archived, no_text, restricted_action, invalid_blocks …).
 */
export function judgeError(name: string, code: string): Problem {
  const reason = `Slack says ${code}`;
  if (unavailable.has(name)) return { kind: 'unavailable', code, reason };
  if (throttled.has(name)) return { kind: 'throttled', retryAfterMs: null, reason };
  if (ambiguous.has(name)) return { kind: 'ambiguous', reason };
  return { kind: 'rejected', code, reason, permanent: !passing.has(name) };
}
