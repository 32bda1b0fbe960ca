// What people usually write: poll the table, put a job into a queue, send it with fetch, retry on errors. The comparison
// for the kill storm, in a process of its own: node --import tsx test/chaos/baseline/deliver.ts
import pg from 'pg';
import { PgBoss } from 'pg-boss';

type Job = { entity: string; desk: string; kind: string; version: number; text: string; channel: string };

const desks = JSON.parse(process.env.DESKS ?? '{}') as Record<string, { kind: string; url: string }>;
const warehouse = new pg.Pool({ connectionString: process.env.WAREHOUSE_URL, max: 2 });
const ledger = new pg.Pool({ connectionString: process.env.LEDGER_URL, max: 10 });
for (const pool of [warehouse, ledger]) pool.on('error', () => {});

await ledger.query(`
  create table if not exists deliveries (
    entity text, version integer, desk text, state text not null default 'queued', attempts integer not null default 0,
    detected_at timestamptz not null default clock_timestamp(), settled_at timestamptz, primary key (entity, version)
  );
  create table if not exists high_water (at timestamptz not null);
  insert into high_water select '-infinity' where not exists (select from high_water)`);

const boss = new PgBoss({ connectionString: process.env.LEDGER_URL ?? '' });
boss.on('error', () => {});
await boss.start();
await boss.createQueue('deliver', { retryLimit: 10, retryDelay: 1, retryBackoff: true, expireInSeconds: 15 });
for (let worker = 0; worker < 4; worker += 1) {
  await boss.work<Job>('deliver', { batchSize: 10, pollingIntervalSeconds: 0.5 }, async (jobs) => {
    await Promise.all(jobs.map((job) => deliver(job.data)));
  });
}
for (;;) {
  await poll().catch((error) => console.error(error.message));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}

/** Rows newer than the newest row seen so far. */
async function poll(): Promise<void> {
  const { rows } = await ledger.query('select at from high_water');
  const found = await warehouse.query(
    'select *, updated_at::text as at from accounts where updated_at > $1 order by updated_at',
    [rows[0].at],
  );
  for (const row of found.rows) {
    const kind = desks[row.desk]?.kind ?? '';
    const text = `${row.entity} v${row.version} ${row.token}`;
    await ledger.query(
      'insert into deliveries (entity, version, desk) values ($1, $2, $3) on conflict do nothing',
      [row.entity, row.version, row.desk],
    );
    const { entity, desk, version, channel } = row;
    await boss.send('deliver', { entity, desk, kind, version, text, channel });
    await ledger.query('update high_water set at = $1', [row.at]);
  }
}

/** A 200 is a success; anything else is tried again by the queue. */
async function deliver(job: Job): Promise<void> {
  const { entity, version } = job;
  await ledger.query('update deliveries set attempts = attempts + 1 where entity = $1 and version = $2', [
    entity,
    version,
  ]);
  const [path, body] = request(job);
  const response = await fetch(`${desks[job.desk]?.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${process.env.DESK_TOKEN}`,
      'idempotency-key': `${entity}-${version}`,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(3_000),
  });
  if (!response.ok) throw new Error(`${response.status}`);
  await ledger.query(
    "update deliveries set state = 'verified', settled_at = clock_timestamp() where entity = $1 and version = $2",
    [entity, version],
  );
}

function request({ entity, kind, text, channel }: Job): [string, object] {
  switch (kind) {
    case 'keyed':
      return ['/api/v2/tickets.json', { ticket: { subject: text, comment: { body: 'Made by a drill.' } } }];
    case 'upsert': {
      const properties = { email: `${entity}@chaos.example`, firstname: text };
      const inputs = [{ id: properties.email, idProperty: 'email', properties }];
      return ['/crm/v3/objects/contacts/batch/upsert', { inputs }];
    }
    case 'marker':
      return ['/api/chat.postMessage', { channel, text }];
    default:
      return ['/orders', { reference: entity, note: text }];
  }
}
