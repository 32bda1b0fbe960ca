import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import type { FaultKind } from '../../src/connectors/connector.ts';
import { sandboxEnvironment } from '../../src/connectors/environment.ts';
import { actions } from '../../src/connectors/kafka/actions.ts';
import { connector } from '../../src/connectors/kafka/index.ts';
import { type KafkaSandbox, startSandbox } from '../../src/connectors/kafka/sandbox.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { type Rig, rig } from '../helpers/project.ts';

const { events } = parse(connector.example);
const files = {
  'readback.yml': stringify({
    project: 'rig',
    warehouses: { analytics: { type: 'duckdb', path: './warehouse.duckdb' } },
    connections: { events: { ...events, brokers: 'env:KAFKA_BROKERS', tls: 'env:KAFKA_TLS', timeout: '1s' } },
  }),
  'signals/risk.sql': '/*\nkey: company\nwhen: score < 10\n*/\nselect company, plan, score from customers',
  // The example of the documentation, as it stands there.
  'destinations/published.yaml': stringify({
    connection: 'events',
    action: 'publish',
    signals: ['risk'],
    ...actions.publish.example,
    verify: { lag: '300ms' },
  }),
};

let sandbox: KafkaSandbox;
let house: Rig;
let engine: Engine;
let next = 0;

before(async () => {
  sandbox = await startSandbox();
  const setup =
    "create table customers as select 'C-' || i as company, 'pro' as plan, 50 as score from range(20) as r (i)";
  house = await rig(files, setup, sandboxEnvironment('kafka', sandbox));
  engine = await house.engine();
  await poll();
});
after(async () => {
  await house.close();
  await sandbox.close();
});

async function poll(): Promise<void> {
  await engine.poll(house.project.signals.get('risk') ?? assert.fail('no signal'));
}

/** One more customer is at risk, while the brokers do this to the first write; how it ended, and the records of it. */
async function atRisk(kind?: FaultKind): Promise<[state: string | undefined, records: number]> {
  next += 1;
  const company = `C-${next}`;
  if (kind) sandbox.inject({ kind, match: 'Produce ' });
  await house.warehouse.run(`update customers set score = 3 where company = '${company}'`);
  await poll();
  const state = (await house.settled('published'))[company];
  return [state, sandbox.records().filter(({ fields }) => fields.key === company).length];
}

test('the documentation’s example publishes an event and reads it back', async () => {
  assert.deepEqual(await atRisk(), ['verified', 1]);
});

test('a connection that broke after the write is read back, and not written to twice', async () => {
  assert.deepEqual(await atRisk('cut_after_write'), ['verified', 1]);
  assert.deepEqual(await atRisk('error_after_write'), ['verified', 1]);
});

test('a connection that broke before the write is proven to have written nothing, and written to again', async () => {
  assert.deepEqual(await atRisk('cut_before_write'), ['verified', 1]);
});
