import { humanDuration, utcTime } from './duration.ts';
import type { Activation, DeadLetter, Percentiles, Report, StoppedConnection } from './model.ts';
import { stages } from './model.ts';
import { countColumns, percent } from './words.ts';

export interface Column {
  head: string;
  /** Numbers go right. Text is the only kind that gives way when a line is too long. */
  kind: 'number' | 'text';
}

/** A part of the report as a table, for whatever draws tables. */
export interface Section {
  title: string;
  columns: Column[];
  rows: string[][];
}

/** People read the first few; JSON and CSV have more. */
const lettersDrawn = 20;

const number = (head: string): Column => ({ head, kind: 'number' });
const text = (head: string): Column => ({ head, kind: 'text' });
const route = (one: { signal: string; destination: string }) => `${one.signal} → ${one.destination}`;
const pairColumn = text('signal → destination');

/** The report's parts that have something to say, in the order of what a reader needs first. */
export function sections(report: Report): Section[] {
  const all = [
    counts(report),
    stopped(report),
    reasons(report),
    times(report),
    oldest(report),
    polls(report),
    deadLetters(report),
  ];
  return all.filter((section) => section.rows.length > 0);
}

/** A row for each pair, and one for all when there are several. */
function withTotal(report: Report, cells: (one: Activation) => string[]): string[][] {
  const rows = report.pairs.map((one) => [route(one), ...cells(one)]);
  if (rows.length > 1) rows.push(['all', ...cells(report.totals)]);
  return rows;
}

function counts(report: Report): Section {
  const always = ['verified', 'failed', 'in_flight'];
  const shown = countColumns.filter(({ name }) => always.includes(name) || report.totals[name] > 0);
  const lost = report.pairs.some((pair) => pair.unaccounted !== 0);
  return {
    title: 'Detected versus acted',
    columns: [
      pairColumn,
      number('detected'),
      ...shown.map(({ word }) => number(word)),
      ...(lost ? [number('unaccounted')] : []),
    ],
    rows: withTotal(report, (one) =>
      [one.detected, ...shown.map(({ name }) => one[name]), ...(lost ? [one.unaccounted] : [])].map(String),
    ),
  };
}

function reasons(report: Report): Section {
  return {
    title: 'Not verified, and why',
    columns: [text('what'), pairColumn, number('count'), text('reason'), text('for example')],
    rows: report.reasons.map((group) => [
      group.kind.replace('_', ' '),
      route(group),
      String(group.count),
      group.reason,
      group.examples.join(', '),
    ]),
  };
}

function deadLetters(report: Report): Section {
  const { total } = report.deadLetters;
  const shown = report.deadLetters.shown.slice(0, lettersDrawn);
  const more = total > shown.length ? `, the newest ${shown.length} and ${total - shown.length} more` : '';
  return {
    title: `Dead letters (${total})${more}; readback retry sends them again`,
    columns: [text('entity'), pairColumn, text('state'), number('attempts'), text('settled'), text('reason')],
    rows: shown.map((letter: DeadLetter) => [
      letter.entity,
      route(letter),
      letter.state,
      String(letter.attempts),
      utcTime(letter.settledAt),
      letter.reason ?? 'no reason recorded',
    ]),
  };
}

function stopped(report: Report): Section {
  const connections = report.stopped.map((one) => [
    `connection ${one.connection}`,
    why(one),
    until(one),
    one.destinations.join(', '),
  ]);
  const paused = report.paused.map((one) => [
    `${one.kind} ${one.name}`,
    `paused: ${one.reason ?? 'no reason given'}`,
    'readback resume',
    one.kind === 'destination' ? one.name : '',
  ]);
  return {
    title: 'Stopped',
    columns: [text('what'), text('why'), text('until'), text('destinations')],
    rows: [...connections, ...paused],
  };
}

function why(one: StoppedConnection): string {
  const breaker =
    one.breaker === 'closed'
      ? []
      : [`breaker ${one.breaker.replace('_', ' ')}: ${one.lastError ?? 'failures'}`];
  const paused = one.pausedUntil ? [`paused: ${one.pausedReason ?? 'rate limit'}`] : [];
  return [...breaker, ...paused].join('; ');
}

function until(one: StoppedConnection): string {
  const times = [one.retryAt, one.pausedUntil].filter((at) => at !== null).map((at) => at.getTime());
  return times.length === 0 ? 'the next try' : utcTime(new Date(Math.max(...times)));
}

function times(report: Report): Section {
  const spread = (one: Percentiles | null) =>
    one ? [one.p50, one.p95, one.p99].map(humanDuration) : ['–', '–', '–'];
  const each = (value: number | null) => (value === null ? '–' : value.toFixed(2));
  return {
    title: 'Time to action (p50, p95, p99), and its four stages (p95)',
    columns: [
      pairColumn,
      ...['p50', 'p95', 'p99', 'to detect', 'to send', 'to accept', 'to verify'].map(number),
      number('within SLA'),
      number('writes each'),
      number('reads each'),
    ],
    rows: withTotal(report, (one) => [
      ...spread(one.time.total),
      ...stages.slice(1).map((stage) => (one.time[stage] ? humanDuration(one.time[stage].p95) : '–')),
      percent(one.sla.attainment),
      each(one.attempts.writesPerAction),
      each(one.attempts.readsPerAction),
    ]),
  };
}

function oldest(report: Report): Section {
  const open = report.pairs.flatMap((pair) => (pair.oldestOpen ? [{ pair, open: pair.oldestOpen }] : []));
  return {
    title: 'Oldest open action',
    columns: [pairColumn, number('age'), text('entity'), text('state'), text('reason')],
    rows: open.map(({ pair, open }) => [
      route(pair),
      humanDuration(open.ageMs),
      open.entity,
      open.state,
      open.reason ?? '',
    ]),
  };
}

function polls(report: Report): Section {
  return {
    title: 'Polls',
    columns: [text('signal'), text('state'), number('count'), text('latest'), text('reason')],
    rows: report.polls.map((group) => [
      group.signal,
      group.state,
      String(group.count),
      utcTime(group.latestAt),
      group.reason ?? '',
    ]),
  };
}
