import type { Report } from './model.ts';

/**
 * The report as JSON. Keys are stable: they may be added to, never renamed. They are those of `Report` in snake_case:
 *
 * - `generated_at`, `since`: ISO 8601 in UTC; `since` may be null
 * - `totals`: `detected`, `verified`, `unverifiable`, `differs`, `failed`, `escalated`, `expired`, `suppressed`, `held`, `superseded`,
 *   `in_flight`, `unaccounted`, `delayed`; `time` with `total`, `insight_to_detected`, `detected_to_sent`,
 *   `sent_to_accepted`, `accepted_to_verified`, each `{p50, p95, p99}` in milliseconds or null; `sla` with `limit_ms`,
 *   `in_time`, `judged`, `attainment` (0–1 or null); `attempts` with `writes`, `reads`, `writes_per_action`,
 *   `reads_per_action`, `most_writes`, `put_off`
 * - `pairs`: the same for each `signal` and `destination`, with `owner` and `oldest_open` (`key`, `entity`, `state`,
 *   `reason`, `age_ms`)
 * - `reasons`: `signal`, `destination`, `kind`, `reason`, `count`, `examples`
 * - `dead_letters`: `total` and `shown` (`key`, `signal`, `destination`, `entity`, `state`, `reason`, `attempts`,
 *   `external_id`, `detected_at`, `settled_at`)
 * - `polls`: `signal`, `state`, `reason`, `count`, `latest_at`
 * - `stopped`: `connection`, `destinations`, `paused_until`, `paused_reason`, `breaker`, `retry_at`, `last_error`,
 *   `failures`
 * - `paused`: `kind`, `name`, `paused_at`, `reason`
 */
export function toJson(report: Report): string {
  return `${JSON.stringify(snakeCased(report), null, 2)}\n`;
}

/** The same value with every key in snake_case and every time as ISO text. */
export function snakeCased(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(snakeCased);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeCased(inner),
    ]),
  );
}
