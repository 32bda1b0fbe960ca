import { readFileSync } from 'node:fs';

export const proxyFaults = ['reset_after', 'truncate_after', 'black_hole', 'latency'] as const;
export type ProxyFault = (typeof proxyFaults)[number];

/** What the process is started with. */
export interface ProxyConfig {
  seed: number;
  /** Port for the control; any free one unless said. */
  control?: number;
  routes: RouteConfig[];
}

/** One way to one destination. */
export interface RouteConfig extends RouteSettings {
  name: string;
  /** Port of the destination on loopback. */
  to: number;
  /** Any free one unless said. */
  port?: number;
}

/** What can be changed while it runs. */
export interface RouteSettings {
  faults?: {
    /** Share of exchanges that meet a fault (0..1). */
    share: number;
    /** Which; all unless said. */
    kinds?: ProxyFault[];
    /** The longest `latency`. Default 1000. */
    latencyMs?: number;
  } | null;
  /** The network is down: open connections are reset and new ones too (`reset`), or nothing comes through (`hole`). */
  down?: 'reset' | 'hole' | null;
}

export function readConfig(file: string): ProxyConfig {
  const config = JSON.parse(readFileSync(file, 'utf8')) as ProxyConfig;
  for (const route of config.routes) checkSettings(route.name, route);
  return config;
}

/** A misspelt fault would be a drill that proves nothing. */
export function checkSettings(route: string, { faults, down }: RouteSettings): void {
  for (const kind of faults?.kinds ?? []) {
    if (!proxyFaults.includes(kind))
      throw new Error(`route ${route}: no fault ${kind}; there are ${proxyFaults.join(', ')}`);
  }
  if (down && down !== 'reset' && down !== 'hole')
    throw new Error(`route ${route}: down is ${down}; write reset, hole or null`);
}
