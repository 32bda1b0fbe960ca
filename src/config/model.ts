import type { Actions } from '../connectors/connector.ts';
import type { FreshnessLevel } from '../dbt/freshness.ts';
import type { DbtProject } from '../dbt/project.ts';
import type { DbtSql } from '../dbt/sql.ts';
import type { Place, ReadbackError } from '../errors.ts';
import type { Secret } from './secret.ts';

/** What a project looks like once its files are read and checked. Durations are milliseconds. */
export interface Project {
  /** Absolute folder of `readback.yml`. */
  root: string;
  name: string;
  warehouses: ReadonlyMap<string, WarehouseConfig>;
  connections: ReadonlyMap<string, ConnectionConfig>;
  signals: ReadonlyMap<string, Signal>;
  destinations: ReadonlyMap<string, Destination>;
  enrichments: ReadonlyMap<string, Enrichment>;
  /** Where `start` listens for pokes; absent: nowhere. */
  api: ApiConfig | undefined;
  /** The dbt project beside this one. */
  dbt?: DbtProject | undefined;
  /** How long the ledger keeps what is done for signals without a file of their own any more. */
  retentionMs: number;
  /** Everything wrong with the files. What is broken is left out of the maps above; the rest runs. */
  problems: readonly ReadbackError[];
}

export interface ApiConfig {
  host: string;
  /** 0: any free one. */
  port: number;
  token: Secret;
}

export interface WarehouseConfig {
  name: string;
  type: string;
  /** Validated by the warehouse's own schema; secrets are `Secret`s, paths are absolute. */
  settings: Record<string, unknown>;
  /** Why no signal with `diff: warehouse` can be polled there; undefined: it can. */
  noSnapshots: string | undefined;
  /** Where readback.yml names it. */
  place: Place;
}

export interface ConnectionConfig {
  name: string;
  connector: string;
  /** Validated by the connector's own schema; secrets are `Secret`s. */
  settings: Record<string, unknown>;
  /** What can be done there: the connector's actions, or those that the settings describe. */
  actions: Actions;
  /** Overrides the connector's declared request budget. */
  rateLimit: RateLimit | undefined;
  /** Deadline of one call. */
  timeoutMs: number;
}

/** At most `requests` in any window of `perMs`. */
export interface RateLimit {
  requests: number;
  perMs: number;
}

export const transitions = ['entered', 'changed', 'left'] as const;
export type Transition = (typeof transitions)[number];

/** Where two sets are compared: by digests of buckets, in the ledger row by row, or in the warehouse. */
export const diffs = ['digest', 'rows', 'warehouse'] as const;
export type Diff = (typeof diffs)[number];

export const severities = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

export type Schedule = { cron: string; timezone: string } | { everyMs: number };

export interface Guard {
  /** Hold the poll when more entities than this would enter at once. */
  maxNew: number | undefined;
  /** Hold the poll when entering entities exceed this share (0–1) of the present set. */
  maxNewRatio: number | undefined;
  /** Hold the poll when the newest `observed_at` is older than this. */
  maxAgeMs: number | undefined;
  /** The column that tells when the source was loaded, for `maxAgeMs`. `observedAt` if absent. */
  loadedAt?: string | undefined;
  /** Hold the poll when dbt finds a source behind the SQL stale. */
  sourceFreshness?: FreshnessLevel | undefined;
  /** Accept a poll that returns no rows although entities are present. Default: hold it. */
  allowEmpty: boolean;
}

/** What makes a signal be looked at before its schedule does. Whatever a trigger loses, the schedule finds. */
export interface Trigger {
  /** A NOTIFY channel of the warehouse. */
  listen: string | undefined;
  /** Rows of the warehouse as they are committed. Without a slot of the user's: a temporary one. */
  replicate: { publication: string; slot: string | undefined } | undefined;
  /** Whether the API may be asked to poke it. */
  webhook: boolean;
  /** Polled when the query's answer changes. */
  probe: { sql: string; everyMs: number } | undefined;
}

/** A `signals/*.sql` file. */
export interface Signal {
  name: string;
  /** Path relative to the project root. */
  file: string;
  description: string;
  owner: string | undefined;
  warehouse: string;
  /** Absent: polled only by `readback run`. */
  schedule: Schedule | undefined;
  trigger: Trigger | undefined;
  key: string[];
  when: string | undefined;
  rearm: string | undefined;
  on: Transition[];
  track: string[] | undefined;
  observedAt: string | undefined;
  severity: Severity;
  tags: string[];
  slaMs: number | undefined;
  cooldownMs: number | undefined;
  ttlMs: number | undefined;
  /** How long the ledger keeps what is done. */
  retentionMs: number;
  guard: Guard;
  backfill: 'none' | 'all';
  diff: Diff;
  timeoutMs: number;
  sql: string;
  /** Line of the file on which `sql` begins, to translate the warehouse's error positions. */
  sqlLine: number;
  /** The SQL before `ref()` and `source()` were resolved, where there are any. */
  dbt?: DbtSql | undefined;
  /** Places of header keys in the file, for errors found later (a `when` the warehouse refuses). */
  places: ReadonlyMap<string, { line: number; column: number }>;
  /** Hash of everything that decides which rows are meant; travels in every message. */
  version: string;
  /** Hash of what makes two result sets comparable (warehouse, key, track). A new shape takes a new baseline. */
  shape: string;
}

/** What becomes of a play when one of its steps ends without its effect. */
export const failurePolicies = ['stop', 'skip', 'compensate'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/** A `destinations/*.yaml` file, or the undoing of one. */
export interface Destination {
  name: string;
  file: string;
  description: string;
  owner: string | undefined;
  tags: string[];
  connection: string;
  connector: string;
  action: string;
  /** The action's own untemplated settings, validated by its `options` schema. */
  options: Record<string, unknown>;
  signals: string[];
  on: Transition[];
  /** A Liquid condition over the enriched row. */
  when: string | undefined;
  enrich: string[];
  /** Field name to Liquid template. */
  fields: Record<string, string>;
  /** The same for a row that has left, where the file says so. */
  leftFields: Record<string, string> | undefined;
  /** Work on the record that this destination's action made for the same entity. */
  follows: string | undefined;
  /** The steps of a play that come right before this one. */
  after: string[];
  /** What a play does when this step ends without its effect. */
  onFailure: FailurePolicy;
  /** The destination whose records this one undoes: made by us for a play that compensates, not by a file. */
  undoes: string | undefined;
  verify: { fields: string[] | undefined; withinMs: number; lagMs: number | undefined };
  ttlMs: number;
  /** How many lanes may work in parallel; one entity always stays in one lane. */
  lanes: number;
  maxAttempts: number;
  places: ReadonlyMap<string, { line: number; column: number }>;
}

/** A `sql/enrich/*.sql` file. */
export interface Enrichment {
  name: string;
  file: string;
  warehouse: string;
  key: string[];
  /** How long a fetched row may be reused. */
  freshMs: number;
  timeoutMs: number;
  sql: string;
  sqlLine: number;
  dbt?: DbtSql | undefined;
}
