import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Project, Signal } from '../../src/config/model.ts';
import { loadProject } from '../../src/config/project.ts';
import type { Sandbox } from '../../src/connectors/connector.ts';
import { sandboxEnvironment } from '../../src/connectors/environment.ts';
import { loadConnector } from '../../src/connectors/index.ts';
import { Engine } from '../../src/engine/engine.ts';
import { settle } from '../../src/engine/settle.ts';
import type { Log } from '../../src/log.ts';
import { freshDatabase, type TestDatabase } from './postgres.ts';
import { duckdbFile, type TestWarehouse } from './warehouse.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A whole Readback on real parts: project files, DuckDB file, ledger, sandboxes, engine. */
export interface Rig {
  root: string;
  /** What a child process needs to run the same project on the same ledger. */
  env: Record<string, string>;
  project: Project;
  warehouse: TestWarehouse;
  database: TestDatabase;
  sandboxes: ReadonlyMap<string, Sandbox>;
  /** Starts another process' worth of engine on the same ledger. */
  engine(options?: { scheduled?: boolean; log?: Log }): Promise<Engine>;
  /** Waits until nothing is open; returns the states by entity, for one destination. */
  settled(destination: string, timeoutMs?: number): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const rootFile = `
project: rig
warehouses:
  analytics: { type: duckdb, path: ./warehouse.duckdb }
connections:
  crm: { connector: hubspot, access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: env:HUBSPOT_BASE_URL, rate_limit: { requests: 100000, per: 1s }, timeout: 2s }
  support: { connector: zendesk, subdomain: acme, email: env:ZENDESK_EMAIL, api_token: env:ZENDESK_API_TOKEN, base_url: env:ZENDESK_BASE_URL, rate_limit: { requests: 100000, per: 1s }, timeout: 2s }
  team: { connector: slack, bot_token: env:SLACK_BOT_TOKEN, base_url: env:SLACK_BASE_URL, rate_limit: { requests: 100000, per: 1s }, timeout: 2s }
`;

/**
 * @param files project files by path; `readback.yml` is given, unless it is among them
 * @param given what else the files refer to by `env:`
 */
export async function rig(
  files: Record<string, string>,
  setup: string,
  given: Record<string, string> = {},
): Promise<Rig> {
  const warehouse = await duckdbFile();
  const root = dirname(warehouse.path);
  await warehouse.run(setup);
  const sandboxes = new Map<string, Sandbox>();
  const env: Record<string, string> = { ...given };
  for (const name of ['hubspot', 'zendesk', 'slack', 'http']) {
    const sandbox = await (await loadConnector(name))?.sandbox({ rateLimit: null });
    if (!sandbox) throw new Error(`no sandbox for ${name}`);
    sandboxes.set(name, sandbox);
    Object.assign(env, sandboxEnvironment(name, sandbox));
  }
  for (const [file, text] of Object.entries({ 'readback.yml': rootFile, ...files })) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
  const project = await loadProject(root, { env });
  if (project.problems.length > 0) throw new Error(project.problems.map((one) => one.format()).join('\n'));
  const database = await freshDatabase();
  const engines = new Set<Engine>();
  return {
    root,
    env: { ...env, READBACK_DATABASE_URL: database.url },
    project,
    warehouse,
    database,
    sandboxes,
    engine: async (options = {}) => {
      const engine = await Engine.start({
        project,
        database: { ...database, close: async () => {} },
        log: options.log ?? silent,
        role: options.scheduled ? 'all' : 'run',
      });
      engines.add(engine);
      return engine;
    },
    settled: async (destination, timeoutMs = 30_000) => {
      const open = await settle(database.pool, { signals: [...project.signals.keys()], waitMs: timeoutMs });
      if (open.length > 0) throw new Error(`still open: ${JSON.stringify(open)}`);
      return states(database, destination);
    },
    close: async () => {
      for (const engine of engines) await engine.drain();
      for (const sandbox of sandboxes.values()) await sandbox.close();
      await database.drop();
      await warehouse.remove();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A project of these signals and nothing else, for tests below the project files. */
export function aProject(signals: readonly Signal[]): Project {
  return {
    root: '/',
    name: 'test',
    warehouses: new Map(),
    connections: new Map(),
    signals: new Map(signals.map((signal) => [signal.name, signal])),
    destinations: new Map(),
    enrichments: new Map(),
    api: undefined,
    retentionMs: 90 * 86_400_000,
    problems: [],
  };
}

async function states(database: TestDatabase, destination: string): Promise<Record<string, string>> {
  const { rows } = await database.pool.query(
    'select entity, state from actions where destination = $1 order by entity, sequence',
    [destination],
  );
  return Object.fromEntries(rows.map((row) => [row.entity, row.state]));
}
