import type { Fault, Sandbox } from '../connectors/connector.ts';
import { sandboxEnvironment } from '../connectors/environment.ts';
import { loadConnector } from '../connectors/index.ts';

export interface Sandboxes {
  /** Points the example project at the sandboxes. */
  environment: Record<string, string>;
  /** By connector. */
  running: ReadonlyMap<string, Sandbox>;
  close(): Promise<void>;
}

/** Starts the sandboxes of these connectors. */
export async function startSandboxes(connectors: readonly string[]): Promise<Sandboxes> {
  const running = new Map<string, Sandbox>();
  const environment: Record<string, string> = {};
  for (const name of new Set(connectors)) {
    const connector = await loadConnector(name);
    if (!connector) continue;
    const sandbox = await connector.sandbox();
    running.set(name, sandbox);
    Object.assign(environment, sandboxEnvironment(name, sandbox));
  }
  return {
    environment,
    running,
    close: async () => {
      for (const sandbox of running.values()) await sandbox.close();
    },
  };
}

/** What goes wrong in the demo, on which connection, and how it looks from outside. The rejected row is in the data. */
export const misfortunes: readonly { connection: string; fault: Fault; told: string }[] = [
  {
    connection: 'erp',
    // A new order: on a busy machine one that is read back may come first.
    fault: { kind: 'throttle', retryAfterSeconds: 2, match: 'POST /api/purchase-orders\n' },
    told: 'erp will answer one call with 429, Retry-After 2 s',
  },
  {
    connection: 'erp',
    fault: { kind: 'accept_without_write' },
    told: 'erp will say "created" to one purchase order and not write it',
  },
  {
    connection: 'crm',
    fault: { kind: 'cut_after_write' },
    told: 'crm will write one batch and cut the connection before it answers',
  },
  {
    connection: 'team',
    // About stock: whichever message came first would be another one each time.
    fault: { kind: 'cut_after_write', match: ':package:' },
    told: 'team will post one message about stock and cut the connection before it answers',
  },
];
