import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Sandbox } from '../../src/connectors/connector.ts';
import { sandboxEnvironment } from '../../src/connectors/environment.ts';
import { loadConnector } from '../../src/connectors/index.ts';
import { freshDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { duckdbFile, type TestWarehouse } from '../helpers/warehouse.ts';
import { blocksOf, filesOf } from './blocks.ts';
import { emptyFolder, writeFiles } from './project.ts';
import { aRun, Shell } from './shell.ts';

const blocks = blocksOf('docs/record-sync.md');

let warehouse: TestWarehouse;
let ledger: TestDatabase;
let hubspot: Sandbox;
let salesforce: Sandbox;
let shell: Shell;

before(async () => {
  warehouse = await duckdbFile();
  ledger = await freshDatabase();
  hubspot = await sandboxOf('hubspot');
  salesforce = await sandboxOf('salesforce');
  const root = await writeFiles(filesOf(blocks));
  const file = join(root, 'readback.yml');
  const text = filesOf(blocks).get('readback.yml') ?? '';
  await writeFile(file, text.replace('./warehouse.duckdb', warehouse.path));
  const environment = {
    ...sandboxEnvironment('hubspot', hubspot),
    ...sandboxEnvironment('salesforce', salesforce),
    READBACK_DATABASE_URL: ledger.url,
  };
  shell = await Shell.open(await emptyFolder(), root, environment);
});
after(async () => {
  await shell.close();
  await hubspot.close();
  await salesforce.close();
  await ledger.drop();
  await warehouse.remove();
});

async function sandboxOf(name: string): Promise<Sandbox> {
  const connector = await loadConnector(name);
  assert.ok(connector);
  return connector.sandbox();
}

/** As somebody would in HubSpot's own pages. */
async function correct(customer: string, properties: Record<string, string>): Promise<void> {
  const { access_token, base_url } = hubspot.settings;
  const answer = await fetch(`${base_url}/crm/v3/objects/contacts/batch/upsert`, {
    method: 'POST',
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ idProperty: 'customer_id', id: customer, properties }] }),
  });
  assert.equal(answer.status, 200);
}

test('the guide of keeping records equal does what it shows', async () => {
  let printed = '';
  let outputs = 0;
  for (const block of blocks) {
    const run = block.attributes.get('run');
    if (run === 'warehouse') await warehouse.run(block.text);
    if (run === 'warehouse' && block.text.includes('Rome')) await correct('C-2', { city: 'Rome' });
    if (run === 'sync') printed = await shell.run(block);
    if (!block.attributes.has('output')) continue;
    outputs += 1;
    assert.ok(
      printed.endsWith(block.text),
      `${block.guide}:${block.line} shows something else than\n${printed}`,
    );
  }
  assert.equal(outputs, 3);
  assert.match(printed, /customers: nothing to do/);
  const there = hubspot
    .records()
    .map(({ fields: { customer_id, email, city, lifecyclestage } }) => [
      customer_id,
      email,
      city,
      lifecyclestage,
    ]);
  assert.deepEqual(there.sort(), [
    ['C-1', 'ada@acme.example', 'Paris', 'customer'],
    ['C-2', 'grace@acme.example', 'Rome', 'customer'],
    ['C-3', 'linus@acme.example', null, 'other'],
    ['C-4', 'alan@acme.example', 'Wilmslow', 'customer'],
  ]);
  const held = salesforce
    .records()
    .map(({ fields: { Customer_Id__c, Email, MailingCity, Is_Customer__c } }) => [
      Customer_Id__c,
      Email,
      MailingCity,
      Is_Customer__c,
    ]);
  assert.deepEqual(held.sort(), [
    ['C-1', 'ada@acme.example', 'Paris', true],
    ['C-2', 'grace@acme.example', 'Rome', true],
    ['C-3', 'linus@acme.example', null, false],
    ['C-4', 'alan@acme.example', 'Wilmslow', true],
  ]);
});

test('a plan is CSV and JSON for programs, and its exit code says whether it can be carried out', async () => {
  await warehouse.run("update customers set city = 'Nice' where customer_id = 'C-1'");
  const csv = await shell.run(aRun('npx readback plan --select customers --output csv 2>&1'));
  assert.equal(
    csv,
    [
      'signal,destination,entity,transition,effect,fields,reason',
      'customers,hubspot_contact,C-1,changed,update,city,',
      'customers,salesforce_contact,C-1,changed,update,MailingCity,\n',
    ].join('\n'),
  );
  const { polls, counts, actions } = JSON.parse(await shell.run(aRun('npx readback plan --output json')));
  assert.deepEqual([polls.length, counts[0].update, counts[0].not_read], [1, 1, 0]);
  assert.deepEqual(actions[0].fields, ['city']);
  const none = await shell.run(aRun('npx readback plan --only C-9 --limit 1'));
  assert.match(none, /customers: nothing to do/);
  await warehouse.run("update customers set city = null where customer_id = 'C-1'");
  assert.match(await shell.run(aRun('npx readback plan || echo exit code $?')), /refused[\s\S]*exit code 1/);
});
