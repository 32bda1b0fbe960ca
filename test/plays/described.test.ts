import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { connector } from '../../src/connectors/http/index.ts';
import { type Play, play, signalFile } from '../helpers/play.ts';

const { erp } = parse(connector.example);
const files = {
  'readback.yml': stringify({
    project: 'rig',
    warehouses: { analytics: { type: 'duckdb', path: './warehouse.duckdb' } },
    connections: {
      erp: { ...erp, base_url: 'env:HTTP_BASE_URL', bearer_token: 'env:HTTP_BEARER_TOKEN', timeout: '1s' },
      team: { connector: 'slack', bot_token: 'env:SLACK_BOT_TOKEN', base_url: 'env:SLACK_BASE_URL' },
    },
  }),
  'signals/churn.sql': signalFile,
  'destinations/order.yaml': stringify({
    connection: 'erp',
    action: 'create_purchase_order',
    signals: ['churn'],
    fields: { reference: '{{ name }}', supplier: 'acme', sku: 'gift', quantity: '1' },
    verify: { lag: '300ms' },
  }),
  'destinations/alert.yaml': stringify({
    connection: 'team',
    action: 'post_message',
    signals: ['churn'],
    after: 'order',
    on_failure: 'compensate',
    fields: { channel: 'C0ALERTS', text: 'Ordered for {{ name }}: {{ results.order.url }}' },
    verify: { lag: '300ms' },
  }),
};

let house: Play;
before(async () => {
  house = await play(files);
});
after(() => house.close());

test('what a connection describes has a page, and is undone as it says', async () => {
  house.nextCustomer();
  await house.enter();
  assert.deepEqual(await house.states(), { order: 'verified', alert: 'verified' });
  const [order] = house.records('http', house.customer);
  const [alert] = house.records('slack', house.customer);
  assert.match(String(alert?.fields.text), new RegExp(`https://erp.example/purchase-orders/${order?.id}>$`));

  house.nextCustomer();
  house.sandboxes.get('slack')?.inject({ kind: 'reject_item', match: house.customer });
  await house.enter();
  assert.deepEqual(await house.states(), { order: 'verified', alert: 'rejected', 'order.undo': 'verified' });
  const notes = house.records('http', 'Do not deliver: withdrawn.');
  assert.equal(notes.length, 1);
  assert.deepEqual(await house.unbalanced(), []);
});
