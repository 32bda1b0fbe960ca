import type { FastifyInstance } from 'fastify';
import type { Project } from '../config/model.ts';
import { type Health, readHealth } from '../engine/health.ts';
import { reportColumns } from '../ledger/state.ts';
import { buildReport, promisesOf, type Report } from '../report/index.ts';
import type { Queryable } from '../store/queries.ts';

/** As `readback report` without `--since`. */
const windowMs = 24 * 60 * 60_000;
/** The ledger is asked no more often, however many scrape: a report of a day reads all of the day's actions. */
const freshMs = 15_000;

type Labels = Record<string, string>;
/** Labels and value of one sample. */
type Sample = [Labels, number];

/**
 * `GET /metrics`, in the text format of Prometheus: what `readback report` and `readback status` say, of all processes, from
 * the ledger. One scraped process is enough, and any other that has the port says the same.
 */
export function addMetrics(app: FastifyInstance, project: Project, ledger: Queryable): void {
  let known: { at: number; text: Promise<string> } | undefined;
  app.get('/metrics', async (_request, reply) => {
    if (!known || performance.now() - known.at > freshMs) {
      const text = metricsText(project, ledger);
      known = { at: performance.now(), text };
      text.catch(() => {
        known = undefined;
      });
    }
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await known.text);
  });
}

/** Loads the client library when somebody scrapes for the first time. */
async function metricsText(project: Project, ledger: Queryable): Promise<string> {
  const { Gauge, Registry } = await import('prom-client');
  const since = new Date(Date.now() - windowMs);
  const report = await buildReport(ledger, { since, ...promisesOf(project) });
  const health = await readHealth(ledger, project);
  const registry = new Registry();
  for (const [name, [help, samples]] of Object.entries({ ...ofReport(report), ...ofHealth(health) })) {
    const labelNames = Object.keys(samples[0]?.[0] ?? {});
    const gauge = new Gauge({ name: `readback_${name}`, help, labelNames, registers: [registry] });
    for (const [labels, value] of samples) gauge.set(labels, value);
  }
  return registry.metrics();
}

type Metrics = Record<string, [help: string, samples: Sample[]]>;

function ofReport({ pairs, totals }: Report): Metrics {
  const each = (samples: (pair: Report['pairs'][number], labels: Labels) => Sample[]): Sample[] =>
    pairs.flatMap((pair) => samples(pair, { signal: pair.signal, destination: pair.destination }));
  const states = Object.keys(reportColumns) as (keyof typeof reportColumns)[];
  return {
    detected: [
      'Actions that polls of the last 24 hours detected.',
      each((pair, of) => [[of, pair.detected]]),
    ],
    actions: [
      'Those actions by what became of them; the sum over all states is what was detected.',
      each((pair, of) => states.map((state) => [{ ...of, state }, pair[state]])),
    ],
    delayed_actions: [
      'Those in flight for longer than the SLA, or 15 minutes without one.',
      each((pair, of) => [[of, pair.delayed]]),
    ],
    unaccounted_actions: [
      'Detected and not accounted for; anything but 0 is a bug.',
      [[{}, totals.unaccounted]],
    ],
    time_to_action_seconds: [
      'From the row’s observed_at, or its detection, to the read-back; verified actions only.',
      each(({ time: { total } }, of) =>
        Object.entries(total ?? {}).map(([name, ms]) => [
          { ...of, quantile: `0.${name.slice(1)}` },
          ms / 1000,
        ]),
      ),
    ],
    sla_attainment_ratio: [
      'Verified within the SLA, of all that are judged by it.',
      each(({ sla: { attainment } }, of) => (attainment === null ? [] : [[of, attainment]])),
    ],
  };
}

function ofHealth({ processes, signals, destinations, troubles }: Health): Metrics {
  const each = (value: (one: Health['destinations'][number]) => number): Sample[] =>
    destinations.map((one) => [{ destination: one.destination }, value(one)]);
  return {
    processes: [
      'Processes that said so in the last 20 s.',
      [[{}, processes.filter((one) => one.alive).length]],
    ],
    poll_age_seconds: [
      'Since the end of the last poll.',
      signals.flatMap(({ signal, age_ms: age }): Sample[] =>
        age === null ? [] : [[{ signal }, age / 1000]],
      ),
    ],
    signal_overdue: [
      '1 when a schedule has silently stopped.',
      signals.map(({ signal, overdue }) => [{ signal }, Number(overdue)]),
    ],
    open_actions: ['Actions that are not done.', each(({ open }) => open)],
    due_actions: ['Actions that a worker should look at now.', each(({ due }) => due)],
    oldest_due_seconds: [
      'For how long the longest due one has been due.',
      each(({ oldest_ms: oldest }) => Math.max(0, oldest ?? 0) / 1000),
    ],
    destination_resting: [
      '1 while its connection may not be called: too many requests, or failures.',
      each(({ breaker, rests_ms: rests }) => Number(breaker !== 'closed' || rests > 0)),
    ],
    destination_stuck: [
      '1 when actions are due that nobody takes.',
      each(({ destination }) =>
        Number(troubles.some(({ kind, name }) => kind === 'stuck' && name === destination)),
      ),
    ],
  };
}
