import { createServer, type Socket } from 'node:net';
import pg from 'pg';
import { loadTemplates, render } from '../../warehouses/template.ts';
import type { Sandbox, SandboxOptions, SandboxRecord } from '../connector.ts';
import { Faults } from '../sandbox.ts';
import { RollingWindow } from '../sandbox-window.ts';
import { borrowServer } from './sandbox-server.ts';
import { type Desk, relay } from './sandbox-wire.ts';

const templates = loadTemplates(import.meta.url, ['sandbox']);

/** A true Postgres with a table of purchase orders, behind a relay on which the faults happen. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const password = options.token ?? 'sandbox-postgres-password';
  const { url, number, giveBack } = await borrowServer();
  const name = `sandbox_${number}`;
  const root = await connected(url);
  const names = { role: name, database: name, password: pg.escapeLiteral(password) };
  await root.query(render(templates, 'make_role', names));
  await root.query(render(templates, 'make_database', names));
  const own = new URL(url);
  own.pathname = `/${name}`;
  const owner = await connected(own);
  await owner.query(render(templates, 'make_table', names));

  const journal = new Journal(owner);
  const faults = new Faults();
  const desk: Desk = {
    server: { host: url.hostname, port: Number(url.port) },
    faults,
    window: options.rateLimit ? new RollingWindow(options.rateLimit) : undefined,
    log: [],
    refused: new Set(),
    look: () => journal.look(),
  };
  const sockets = new Set<Socket>();
  const relaying = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
    relay(socket, desk);
  });
  const port = await new Promise<number>((resolve, reject) => {
    relaying.once('error', reject);
    relaying.listen(options.port ?? 0, '127.0.0.1', () => {
      const address = relaying.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });

  return {
    url: `postgres://127.0.0.1:${port}/${name}`,
    settings: {
      host: '127.0.0.1',
      port: String(port),
      database: name,
      user: name,
      password,
      sslmode: 'disable',
    },
    inject: (fault) => faults.inject(fault),
    records: () => structuredClone([...journal.records.values()]),
    requests: () => desk.log.map((entry) => ({ ...entry })),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => relaying.close(resolve));
      await journal.look().catch(() => {});
      await owner.end();
      await root.query(render(templates, 'drop_database', names));
      await root.query(render(templates, 'drop_role', names));
      await root.end();
      await giveBack();
    },
  };
}

async function connected(url: URL): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url.href });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** The writes to the table as its own journal has them: never read through the connector. */
class Journal {
  readonly records = new Map<string, SandboxRecord>();
  readonly #owner: pg.Client;
  #seen = '0';
  #looking: Promise<void> = Promise.resolve();

  constructor(owner: pg.Client) {
    this.#owner = owner;
  }

  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#read());
    return this.#looking;
  }

  async #read(): Promise<void> {
    const { rows } = await this.#owner.query(render(templates, 'news', {}), [this.#seen]);
    for (const { seq, row_id: id, after } of rows) {
      const writes = (this.records.get(id)?.writes ?? 0) + 1;
      const fields = after ?? { 'is deleted': true };
      this.records.set(id, { id, type: 'purchase_orders', fields, writes });
      this.#seen = seq;
    }
  }
}
