import { createHash } from 'node:crypto';
import { z } from 'zod';
import { freshnessLevels } from '../dbt/freshness.ts';
import type { Manifest } from '../dbt/manifest.ts';
import { resolveSql } from '../dbt/sql.ts';
import { ReadbackError } from '../errors.ts';
import { check, originIn } from './check.ts';
import { duration } from './duration.ts';
import type { SourceFile } from './files.ts';
import { splitHeader } from './header.ts';
import type { Located } from './located.ts';
import { diffs, type Schedule, type Signal, severities, transitions } from './model.ts';
import { type Defaults, retentionOf } from './root.ts';
import { suggest } from './suggest.ts';
import { checkTrigger, triggerOf, triggerSchema } from './trigger.ts';
import { cronExpression, name, oneOrMore, text, timezone } from './vocabulary.ts';
import { parseYaml } from './yaml.ts';

const guardSchema = z.strictObject({
  max_new: z.int().min(1).exactOptional().describe('Hold the poll when more entities would enter at once.'),
  max_new_ratio: z
    .number()
    .min(0)
    .max(1)
    .exactOptional()
    .describe('The same as a share of the present set, 0 to 1.'),
  max_age: duration().exactOptional().describe('Hold the poll when the newest observed_at is older.'),
  loaded_at: text()
    .exactOptional()
    .describe('Column that tells when a row was loaded, for max_age. observed_at if absent.'),
  source_freshness: z
    .enum(freshnessLevels)
    .exactOptional()
    .describe('Hold the poll when a dbt source behind the SQL is as stale as this.'),
  allow_empty: z
    .boolean()
    .default(false)
    .describe('Accept a poll without rows although entities are present.'),
});

/** The header of a `signals/*.sql` file. */
export const signalSchema = z.strictObject({
  description: z.string().default('').describe('What it means when an entity is in this set.'),
  owner: text().exactOptional().describe('Who to ask.'),
  warehouse: name()
    .exactOptional()
    .describe('A warehouse of readback.yml. May be left out when there is only one.'),
  schedule: cronExpression().exactOptional().describe('When to poll, as cron, in quotes.'),
  every: duration(1000).exactOptional().describe('When to poll, as an interval. Instead of schedule.'),
  timezone: timezone().exactOptional().describe('Zone of the schedule.'),
  trigger: triggerSchema.exactOptional().describe('What makes it be polled sooner than its schedule does.'),
  key: oneOrMore(text()).describe('The column or columns that identify a row.'),
  when: text()
    .exactOptional()
    .describe('SQL condition that puts a row into the set. Without it, every row is in.'),
  rearm: text().exactOptional().describe('SQL condition that lets an entity out again. Needs when.'),
  on: oneOrMore(z.enum(transitions))
    .default(['entered', 'left'])
    .describe('Transitions that become messages.'),
  track: oneOrMore(text()).exactOptional().describe('Columns whose change counts, for on: changed.'),
  observed_at: text().exactOptional().describe('Column with the time the row became true.'),
  severity: z.enum(severities).exactOptional().describe('medium if absent.'),
  tags: oneOrMore(name()).default([]).describe('For --select tag:…'),
  sla: duration().exactOptional().describe('Time to action that is promised.'),
  cooldown: duration().exactOptional().describe('How long an entity is left alone after an action.'),
  ttl: duration().exactOptional().describe('How long an action may wait before it expires.'),
  retention: duration(3_600_000).exactOptional().describe('How long the ledger keeps what is done.'),
  guard: guardSchema.default({ allow_empty: false }).describe('When to hold a poll instead of believing it.'),
  backfill: z.enum(['none', 'all']).default('none').describe('Whether the first poll acts on what it finds.'),
  diff: z
    .enum(diffs)
    .default('digest')
    .describe('How a poll finds what changed: by digests of buckets, by all rows, or inside the warehouse.'),
  timeout: duration(1000).default(60_000).describe('Deadline of one query. 60s if absent.'),
});

type Header = z.output<typeof signalSchema>;

/** What a signal file needs to know of the rest of the project. */
export interface SignalContext {
  defaults: Defaults;
  /** Names written under `warehouses:`, broken ones included. */
  warehouses: readonly string[];
  /** What `ref()` and `source()` mean. */
  manifest: Manifest | ReadbackError | undefined;
}

/** Reads one signal file; undefined, with problems, when it is broken. */
export function readSignal(
  source: SourceFile,
  context: SignalContext,
  problems: ReadbackError[],
): Signal | undefined {
  const before = problems.length;
  const { yaml, sqlLine, ...file } = splitHeader(source, '`key:`');
  const located = parseYaml(source.file, yaml, problems);
  if (!located) return undefined;
  const header = check(signalSchema, located.value ?? {}, originIn(located), problems);
  if (!header) return undefined;
  const resolved = resolveSql({ file: source.file, sqlLine, ...file }, context.manifest, problems);
  if (resolved) checkTogether(header, resolved.dbt, located, problems);
  checkTrigger(header.trigger, (header.schedule ?? header.every) !== undefined, located, problems);
  const warehouse = pickWarehouse(header.warehouse, context.warehouses, located, problems);
  if (problems.length > before || warehouse === undefined || !resolved) return undefined;
  const { defaults } = context;
  const { sql } = resolved;
  return {
    name: source.name,
    file: source.file,
    description: header.description,
    owner: header.owner ?? defaults.owner,
    warehouse,
    schedule: scheduleOf(header, defaults),
    trigger: triggerOf(header.trigger),
    key: header.key,
    when: header.when,
    rearm: header.rearm,
    on: header.on,
    track: header.track,
    observedAt: header.observed_at,
    severity: header.severity ?? defaults.severity ?? 'medium',
    tags: header.tags,
    slaMs: header.sla ?? defaults.sla,
    cooldownMs: header.cooldown,
    ttlMs: header.ttl,
    retentionMs: header.retention ?? retentionOf(defaults),
    guard: {
      maxNew: header.guard.max_new,
      maxNewRatio: header.guard.max_new_ratio,
      maxAgeMs: header.guard.max_age,
      loadedAt: header.guard.loaded_at,
      sourceFreshness: header.guard.source_freshness,
      allowEmpty: header.guard.allow_empty,
    },
    backfill: header.backfill,
    diff: header.diff,
    timeoutMs: header.timeout,
    ...resolved,
    sqlLine,
    places: located.places(),
    version: digest(sql.trim(), warehouse, header.key, header.when, header.rearm, tracked(header)),
    shape: digest(warehouse, header.key, tracked(header)),
  };
}

/** Which columns make two rows differ: none, the named ones, or all but the times. */
function tracked(header: Header): unknown {
  if (!header.on.includes('changed')) return [];
  const { loaded_at } = header.guard;
  const allBut = header.observed_at ?? null;
  return header.track ?? { allBut: loaded_at === undefined ? allBut : [allBut, loaded_at] };
}

function digest(...parts: unknown[]): string {
  const json = JSON.stringify(parts.map((part) => part ?? null));
  return createHash('sha256').update(json).digest('hex').slice(0, 16);
}

function scheduleOf(header: Header, defaults: Defaults): Schedule | undefined {
  if (header.every !== undefined) return { everyMs: header.every };
  if (header.schedule === undefined) return undefined;
  return { cron: header.schedule, timezone: header.timezone ?? defaults.timezone ?? 'UTC' };
}

/** Rules between keys. */
function checkTogether(
  header: Header,
  dbt: Signal['dbt'],
  located: Located,
  problems: ReadbackError[],
): void {
  const complain = (key: string[], message: string, hint: string): void => {
    problems.push(new ReadbackError('CONFIG_VALUE', message, { place: located.placeOfKey(key), hint }));
  };
  if (header.rearm !== undefined && header.when === undefined)
    complain(['rearm'], '`rearm` needs `when`', 'write the condition that arms as when:, or remove rearm');
  if (header.schedule !== undefined && header.every !== undefined)
    complain(['every'], '`every` and `schedule` exclude each other', 'keep one of them');
  if (header.timezone !== undefined && header.schedule === undefined)
    complain(['timezone'], '`timezone` needs `schedule`', 'intervals know no time zone; remove it');
  const { max_age, loaded_at, source_freshness } = header.guard;
  if (max_age !== undefined && header.observed_at === undefined && loaded_at === undefined)
    complain(
      ['guard', 'max_age'],
      '`guard.max_age` needs `observed_at`',
      'name the column that tells how old a row is; `guard.loaded_at` where that is when it was loaded',
    );
  if (loaded_at !== undefined && max_age === undefined)
    complain(['guard', 'loaded_at'], '`guard.loaded_at` needs `max_age`', 'say how old the newest may be');
  if (source_freshness !== undefined && dbt?.freshness.sources.length === 0)
    complain(
      ['guard', 'source_freshness'],
      'no source behind the SQL has a freshness in dbt',
      'give one a `warn_after` or `error_after` in dbt, or use `max_age`',
    );
  if (source_freshness !== undefined && !dbt)
    complain(
      ['guard', 'source_freshness'],
      '`guard.source_freshness` needs `ref()` or `source()` in the SQL',
      'refer to the tables by their names in dbt, or use `max_age`',
    );
}

/** The named warehouse, or the only one. Undefined, with a problem, when that leaves a question. */
export function pickWarehouse(
  named: string | undefined,
  known: readonly string[],
  located: Located,
  problems: ReadbackError[],
): string | undefined {
  if (named === undefined && known.length === 1) return known[0];
  if (named !== undefined && known.includes(named)) return named;
  problems.push(
    named === undefined
      ? new ReadbackError('CONFIG_KEY', '`warehouse` is missing', {
          place: located.placeOf([]),
          hint: known.length === 0 ? 'define one in readback.yml' : `one of ${known.join(', ')}`,
        })
      : new ReadbackError('CONFIG_REFERENCE', `there is no warehouse \`${named}\` in readback.yml`, {
          place: located.placeOf(['warehouse']),
          hint: suggest(named, known),
        }),
  );
  return undefined;
}
