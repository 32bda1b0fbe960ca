import { stringify } from 'csv-stringify/sync';
import { snakeCased } from './json.ts';
import type { Report } from './model.ts';

/** What of the report becomes the rows; a CSV file is one table. */
export type CsvPart = 'pairs' | 'reasons' | 'dead_letters';

/**
 * The report as CSV with a header line: one row for each pair (the totals are left to the reader's sum), each reason, or
 * each dead letter shown. Columns are the keys of the JSON, nested ones joined: `time_total_p95`, `sla_attainment`.
 * Times are milliseconds and ISO 8601; what is not known is empty. Text that a spreadsheet would take for a formula
 * gets an apostrophe.
 */
export function toCsv(report: Report, part: CsvPart = 'pairs'): string {
  const rows = { pairs: report.pairs, reasons: report.reasons, dead_letters: report.deadLetters.shown }[part];
  return stringify(
    rows.map((row) => flat(snakeCased(row) as Nested)),
    { header: true, columns: columns[part], escape_formulas: true },
  );
}

type Nested = { [key: string]: Nested | string | number | null | string[] };

function flat(row: Nested, prefix = ''): Record<string, unknown> {
  const cells: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    const name = `${prefix}${key}`;
    if (Array.isArray(value)) cells[name] = value.join('; ');
    else if (value !== null && typeof value === 'object') Object.assign(cells, flat(value, `${name}_`));
    else cells[name] = value;
  }
  return cells;
}

const percentiles = (stage: string) => ['p50', 'p95', 'p99'].map((share) => `time_${stage}_${share}`);

/** Named here rather than taken from the rows: an empty report has the same header, and columns keep their order. */
const columns: Record<CsvPart, string[]> = {
  pairs: [
    'signal',
    'destination',
    'owner',
    'detected',
    'verified',
    'unverifiable',
    'differs',
    'failed',
    'escalated',
    'expired',
    'suppressed',
    'held',
    'superseded',
    'in_flight',
    'unaccounted',
    'delayed',
    ...percentiles('total'),
    ...percentiles('insight_to_detected'),
    ...percentiles('detected_to_sent'),
    ...percentiles('sent_to_accepted'),
    ...percentiles('accepted_to_verified'),
    'sla_limit_ms',
    'sla_in_time',
    'sla_judged',
    'sla_attainment',
    'attempts_writes',
    'attempts_reads',
    'attempts_writes_per_action',
    'attempts_reads_per_action',
    'attempts_most_writes',
    'attempts_put_off',
    'oldest_open_key',
    'oldest_open_entity',
    'oldest_open_state',
    'oldest_open_reason',
    'oldest_open_age_ms',
  ],
  reasons: ['signal', 'destination', 'kind', 'count', 'reason', 'examples'],
  dead_letters: [
    'key',
    'signal',
    'destination',
    'entity',
    'state',
    'reason',
    'attempts',
    'external_id',
    'detected_at',
    'settled_at',
  ],
};
