import { z } from 'zod';
import { dbtSchema } from '../dbt/project.ts';
import { duration } from './duration.ts';
import { severities } from './model.ts';
import { name, text, timezone } from './vocabulary.ts';

const settings = z.record(z.string(), z.unknown());

export const defaultsSchema = z
  .strictObject({
    timezone: timezone().exactOptional().describe('Zone of cron schedules without one. UTC if absent.'),
    owner: text().exactOptional().describe('Owner of signals and destinations without one.'),
    severity: z.enum(severities).exactOptional().describe('Severity of signals without one.'),
    sla: duration().exactOptional().describe('Time to action promised by signals without one.'),
    ttl: duration().exactOptional().describe('How long an action may wait before it expires. 24h if absent.'),
    retention: duration(3_600_000)
      .exactOptional()
      .describe('How long the ledger keeps what is done. 90d if absent.'),
  })
  .describe('What signals and destinations get that say nothing else.');

export const rateLimitSchema = z.strictObject({
  requests: z
    .int()
    .min(1)
    .max(100_000)
    .describe('The most requests in any window of the length `per`, such as 100.'),
  per: duration(100).describe('The length of the window of `requests`, such as 10s.'),
});

/** What every connection may say, whatever its connector. */
export const sharedSchema = z.strictObject({
  rate_limit: rateLimitSchema.exactOptional().describe('Replaces the request budget of the connector.'),
  timeout: duration(100).exactOptional().describe('Deadline of one call. 15s if absent.'),
});

/** `readback.yml` at large. The settings inside are checked by the schema of their connector or warehouse. */
export const rootSchema = z.strictObject({
  project: name().describe('Name of the project; part of every message’s source.'),
  warehouses: z.record(z.string(), settings).default({}).describe('Where signals are computed, by name.'),
  connections: z.record(z.string(), settings).default({}).describe('Accounts that actions go to, by name.'),
  dbt: dbtSchema.exactOptional(),
  defaults: defaultsSchema.default({}),
  api: settings.exactOptional().describe('Where `start` takes pokes over HTTP.'),
  targets: z
    .record(
      z.string(),
      z.strictObject({
        warehouses: z.record(z.string(), settings).default({}),
        connections: z.record(z.string(), settings).default({}),
      }),
    )
    .default({})
    .describe('Settings laid over those above with --target or READBACK_TARGET.'),
});

export type Root = z.output<typeof rootSchema>;
export type Defaults = z.output<typeof defaultsSchema>;

const defaultRetentionMs = 90 * 24 * 3_600_000;

/** How long a signal that says nothing else keeps what is done. */
export function retentionOf(defaults: Defaults): number {
  return defaults.retention ?? defaultRetentionMs;
}
