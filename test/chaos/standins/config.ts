import { readFileSync } from 'node:fs';
import { type FaultKind, faultKinds } from './faults.ts';

export const deskKinds = ['keyed', 'upsert', 'marker', 'plain'] as const;
export type DeskKind = (typeof deskKinds)[number];

/** What the process is started with. */
export interface StandinsConfig {
  seed: number;
  /** The truth file, appended to. */
  truth: string;
  /** Port for the control; any free one unless said. */
  control?: number;
  desks: DeskConfig[];
}

/** One destination; everything but name, kind and port can be changed while it runs. */
export interface DeskConfig extends DeskSettings {
  name: string;
  kind: DeskKind;
  /** Any free one unless said. */
  port?: number;
}

export interface DeskSettings {
  faults?: FaultConfig | null;
  /** More requests than this in any window are answered with 429. Every request counts, those refused too. */
  limit?: { requests: number; perMs: number } | null;
  /** Share of requests that are accepted (0..1); the others get a 503. */
  accept?: number;
  /** Connections are destroyed. */
  dead?: boolean;
  /** Every request gets a 429. */
  alwaysThrottle?: boolean;
  /** Time between a request's effect and its answer. */
  delayMs?: number;
  /** Entities whose writes are refused for good. */
  bad?: string[];
  /** A batch with a bad item is refused whole. */
  atomic?: boolean;
  /** Whether that refusal names the bad items. */
  names?: boolean;
}

export interface FaultConfig {
  /** Share of requests that meet a fault (0..1). */
  share: number;
  /** Which; all that fit the desk and the request unless said. */
  kinds?: FaultKind[];
  /** How late a late write can be. Default 3000. */
  lateMaxMs?: number;
  /** How long a dripped answer takes. Default 500. */
  slowMs?: number;
  /** How old a stale read is. Default 1000. */
  staleMs?: number;
  /** What a 429 tells in Retry-After. Default 1. */
  retryAfterSeconds?: number;
}

export function readConfig(file: string): StandinsConfig {
  const config = JSON.parse(readFileSync(file, 'utf8')) as StandinsConfig;
  for (const desk of config.desks) {
    if (!deskKinds.includes(desk.kind))
      throw new Error(`desk ${desk.name}: kind is ${desk.kind}; write one of ${deskKinds.join(', ')}`);
    checkSettings(desk.name, desk);
  }
  return config;
}

const settingNames = [
  'faults',
  'limit',
  'accept',
  'dead',
  'alwaysThrottle',
  'delayMs',
  'bad',
  'atomic',
  'names',
] as const satisfies (keyof DeskSettings)[];

/** A misspelt fault would be a drill that proves nothing. */
export function checkSettings(desk: string, settings: object): void {
  for (const name of Object.keys(settings)) {
    if (!['name', 'kind', 'port', ...settingNames].includes(name))
      throw new Error(`desk ${desk}: there is no setting ${name}; there are ${settingNames.join(', ')}`);
  }
  for (const kind of (settings as DeskSettings).faults?.kinds ?? []) {
    if (!Object.hasOwn(faultKinds, kind))
      throw new Error(`desk ${desk}: no fault ${kind}; there are ${Object.keys(faultKinds).join(', ')}`);
  }
}
