import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { humanDuration, type Report, toCsv, toJson, toMarkdown, toTable } from '../../src/report/index.ts';
import { buildReport } from '../../src/report/report.ts';
import { drawTable } from '../../src/report/table.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { at, hour, type SeedAction, seed } from './seed.ts';

const { pool } = await freshDatabase();
const slas = new Map([['churn_risk', 30 * 60_000]]);
const owners = new Map([['churn_risk', 'retention@acme.example']]);
const build = (options: object = {}): Promise<Report> =>
  buildReport(pool, { slas, owners, now: at(2 * hour), ...options });

/** 16 verified in 4 s, 3 rejected, 1 waiting: detected and verified are not the same. */
const story: SeedAction[] = [
  ...Array.from({ length: 16 }, () => one({})),
  ...Array.from({ length: 3 }, () =>
    one({ state: 'rejected', reason: '=1+1 | <b>no</b> *such* field\u001b[31m' }),
  ),
  one({ destination: 'team_alert', state: 'accepted', entity: '["FR","Lyon"]', reason: 'not there yet' }),
];

describe('the formats of the report', () => {
  let report: Report;
  let empty: Report;
  before(async () => {
    empty = await build();
    await seed(pool, story);
    report = await build();
  });

  it('begin with what was detected and what of it is verified', () => {
    const lines = toTable(report).split('\n');
    assert.equal(lines[0], 'detected 20 · verified 16 · failed 3 · in flight 1');
    assert.equal(lines[1], '4 of 20 detected are not verified; each has its reason below.');
    assert.match(
      toMarkdown(report),
      /^## detected 20 · verified 16 · failed 3 · in flight 1\n\n\*\*4 of 20 detected/,
    );
  });

  it('say so when everything is verified, and when there is nothing', async () => {
    const rejoicing = await build({ signals: ['churn_risk'], since: at(0), destinations: ['none'] });
    assert.match(
      toTable(rejoicing),
      /^detected 0 · verified 0\nNothing was detected in this period\.\n\(polls since 2026-03-01 00:00:00 UTC/,
    );
    assert.match(toTable(empty), /^detected 0 · verified 0\nNothing has been detected yet\.\n/);
    assert.match(toMarkdown(empty), /Nothing has been detected yet/);
    const all = { ...report, totals: { ...report.totals, detected: 16 } };
    assert.match(toTable(all), /\nAll 16 detected are verified\.\n/);
  });

  it('raise the alarm before anything else when the ledger does not add up', () => {
    const lost = { ...report, totals: { ...report.totals, unaccounted: 2 } };
    const [headline, verdict] = toTable(lost).split('\n');
    assert.match(headline ?? '', /UNACCOUNTED 2$/);
    assert.match(verdict ?? '', /does not add up: 2 of 20 .* readback doctor/);
  });

  it('give a reason for each group that is not verified, in the table and in Markdown', () => {
    assert.match(
      toTable(report),
      /failed +churn_risk → retention_task +3 +=1\+1 \| <b>no<\/b> \*such\* field/,
    );
    assert.match(
      toTable(report),
      /delayed +churn_risk → team_alert +1 +accepted: not there yet +\["FR","Lyon"\]/,
    );
    assert.ok(
      toMarkdown(report).includes(
        '| failed | churn\\_risk → retention\\_task | 3 | =1+1 \\| &lt;b>no&lt;/b> \\*such\\* field\\[31m | E16, E18 |',
      ),
    );
  });

  it('never let a vendor’s words move the cursor or change the colour', () => {
    assert.ok(!toTable(report).includes('\u001b'));
    assert.ok(!toMarkdown(report).includes('\u001b'));
  });

  it('show the time to action and the share within the SLA', () => {
    const line = toTable(report)
      .split('\n')
      .filter((text) => text.startsWith('churn_risk → retention_task'))[1];
    assert.deepEqual(line?.split(/ {2,}/), [
      'churn_risk → retention_task',
      '4 s',
      '4 s',
      '4 s',
      '1 s',
      '500 ms',
      '500 ms',
      '2 s',
      '84.2 %',
      '1.00',
      '2.00',
    ]);
  });

  it('keep the table within 120 columns, whatever the names and reasons are', () => {
    const word = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word, fc.nat(), word), { minLength: 1, maxLength: 5 }), (rows) => {
        const columns = [
          { head: 'signal', kind: 'text' as const },
          { head: 'destination', kind: 'text' as const },
          { head: 'in flight', kind: 'number' as const },
          { head: 'reason', kind: 'text' as const },
        ];
        const text = drawTable({ columns, rows: rows.map((row) => row.map(String)) });
        for (const line of text.split('\n')) assert.ok([...line].length <= 120, line);
      }),
      { numRuns: 100 },
    );
    for (const line of toTable(report).split('\n')) assert.ok([...line].length <= 120, line);
  });

  it('keep even the widest table of counts within 120 columns', () => {
    const totals = { ...report.totals };
    for (const name of ['differs', 'escalated', 'expired', 'suppressed', 'held', 'superseded'] as const)
      totals[name] = 1_000_000;
    const pairs = report.pairs.map((pair) => ({
      ...pair,
      ...totals,
      signal: 'a_long_name_of_a_signal',
      destination: 'and_of_its_destination',
    }));
    for (const line of toTable({ ...report, totals, pairs }).split('\n'))
      assert.ok([...line].length <= 120, line);
  });

  it('lose no character of a reason that is too long for its column', () => {
    const reason = `field https://acme.example/${'x'.repeat(150)} is not known`;
    const columns = [
      { head: 'entity', kind: 'text' as const },
      { head: 'reason', kind: 'text' as const },
    ];
    const text = drawTable({ columns, rows: [['E1', reason]] });
    assert.ok(text.replace(/\s/g, '').includes(reason.replace(/\s/g, '')));
  });

  it('keep the JSON’s keys in snake_case and its times in ISO 8601', () => {
    const json = JSON.parse(toJson(report));
    assert.equal(json.generated_at, '2026-03-01T02:00:00.000Z');
    assert.equal(json.since, null);
    assert.equal(json.totals.in_flight, 1);
    assert.deepEqual(json.totals.time.accepted_to_verified, { p50: 2_000, p95: 2_000, p99: 2_000 });
    assert.deepEqual(json.pairs[0].sla, {
      limit_ms: 1_800_000,
      in_time: 16,
      judged: 19,
      attainment: 16 / 19,
    });
    assert.equal(json.pairs[1].oldest_open.age_ms, 2 * hour + 1_000 - 2_000);
    assert.equal(json.dead_letters.shown.length, 3);
    assert.doesNotMatch(toJson(report), /"[a-z_]*[A-Z][A-Za-z_]*":/);
  });

  it('give CSV one row for each pair, under the same columns also when there is none', () => {
    const [head = '', first = '', second = ''] = toCsv(report).split('\n');
    assert.equal(toCsv(empty), `${head}\n`);
    const row = Object.fromEntries(head.split(',').map((name, index) => [name, first.split(',')[index]]));
    assert.equal(row.signal, 'churn_risk');
    assert.equal(row.owner, 'retention@acme.example');
    assert.equal(row.detected, '19');
    assert.equal(row.time_total_p95, '4000');
    assert.equal(row.sla_judged, '19');
    assert.equal(row.oldest_open_key, '');
    assert.match(second, /^churn_risk,team_alert,/);
  });

  it('fill every CSV column that the JSON has something for', () => {
    const columns = (text: string) => text.split('\n')[0]?.split(',').length;
    const leaves = (value: unknown): number =>
      value !== null && typeof value === 'object' && !Array.isArray(value)
        ? Object.values(value).reduce((total: number, inner) => total + leaves(inner), 0)
        : 1;
    const json = JSON.parse(toJson(report));
    const complete = { ...json.pairs[0], oldest_open: json.pairs[1].oldest_open };
    assert.equal(columns(toCsv(report)), leaves(complete));
    assert.equal(columns(toCsv(report, 'reasons')), leaves(json.reasons[0]));
    assert.equal(columns(toCsv(report, 'dead_letters')), leaves(json.dead_letters.shown[0]));
  });

  it('disarm text that a spreadsheet would take for a formula', () => {
    assert.match(toCsv(report, 'reasons'), /,'=1\+1 /);
  });

  it('say durations as people do', () => {
    const said = [
      0,
      850,
      999.6,
      1_234,
      9_960,
      59_700,
      240_000,
      5_400_000,
      10_800_000,
      47 * hour,
      12 * 24 * hour,
    ];
    assert.deepEqual(said.map(humanDuration), [
      '0 ms',
      '850 ms',
      '1 s',
      '1.2 s',
      '10 s',
      '1 min',
      '4 min',
      '1.5 h',
      '3 h',
      '47 h',
      '12 d',
    ]);
  });
});

function one(change: Partial<SeedAction>): SeedAction {
  return {
    signal: 'churn_risk',
    destination: 'retention_task',
    state: 'verified',
    observed: 1_000,
    detected: 2_000,
    sent: 2_500,
    accepted: 3_000,
    settled: 5_000,
    tries: 1,
    attempts: [
      { kind: 'write', outcome: 'intent' },
      { kind: 'write', outcome: 'applied' },
      { kind: 'read', outcome: 'missing' },
      { kind: 'read', outcome: 'verified' },
    ],
    ...change,
  };
}
