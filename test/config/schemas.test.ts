import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { transitions } from '../../src/config/model.ts';
import { jsonSchemas } from '../../src/config/schemas.ts';
import { connectorNames, loadConnector } from '../../src/connectors/index.ts';
import { cloudEvent } from '../../src/emit/message.ts';
import { loadWarehouse, warehouseNames } from '../../src/warehouses/index.ts';
import { soundFiles } from './written-project.ts';

const accepts = (schema: unknown, value: unknown): boolean =>
  new Ajv2020({ strict: false, validateFormats: false }).compile(schema as object)(value);
const yamlOf = (file: string) => parse(soundFiles[file] ?? '');

test('the editors’ schemas accept what the loader accepts, and refuse a slip', async () => {
  const schemas = await jsonSchemas();
  const destination = yamlOf('destinations/retention_task.yaml');
  assert.ok(accepts(schemas['destination.json'], destination));
  assert.ok(!accepts(schemas['destination.json'], { ...destination, signal: 'x' }));
  // Of an action that one connector alone has: which of several is meant, only the connection knows.
  const misspelt = { ...destination, action: 'reply_in_thread', fields: { text: 'x', subjekt: 'x' } };
  assert.ok(accepts(schemas['destination.json'], { ...misspelt, fields: { text: 'x' } }));
  assert.ok(!accepts(schemas['destination.json'], misspelt), 'a field that the action does not have');
  assert.ok(accepts(schemas['signal.json'], { key: 'id', every: '5m', guard: { max_age: '6h' } }));
  assert.ok(accepts(schemas['signal.json'], { key: ['a', 'b'] }));
  assert.ok(!accepts(schemas['signal.json'], { key: 'id', every: 5 }));
  assert.ok(accepts(schemas['enrichment.json'], {}));
  const root = yamlOf('readback.yml');
  assert.ok(accepts(schemas['readback.json'], root));
  assert.ok(
    !accepts(schemas['readback.json'], {
      ...root,
      connections: { team: { connector: 'slack', bot_token: 'open' } },
    }),
  );
});

test('the editors’ schemas accept the example of every warehouse and connector', async () => {
  const schemas = await jsonSchemas();
  for (const name of warehouseNames) {
    const example = { type: name, ...parse((await loadWarehouse(name))?.example ?? '') };
    assert.ok(accepts(schemas['readback.json'], { project: 'p', warehouses: { w: example } }), name);
  }
  for (const name of connectorNames) {
    const connections = parse((await loadConnector(name))?.example ?? '');
    assert.ok(accepts(schemas['readback.json'], { project: 'p', connections }), name);
  }
});

test('a message is what schema/message/v1.json says, and nothing more', () => {
  const schema = JSON.parse(readFileSync('schema/message/v1.json', 'utf8'));
  for (const transition of transitions) {
    const at = new Date('2026-01-31T09:30:00Z');
    const row = {
      id: 'm1',
      signal: 'churn_risk',
      version: '0e02430271477110',
      entity: '42',
      sequence: 7,
      transition,
      severity: 'high' as const,
      observed_at: transition === 'left' ? null : at,
      detected_at: at,
    };
    const event = cloudEvent('acme', row, { customer_id: '42' });
    assert.ok(accepts(schema, event));
    assert.ok(!accepts(schema, { ...event, email: 'someone@example.com' }));
    assert.ok(!accepts(schema, { ...event, data: { ...(event.data as object), name: 'Someone' } }));
    assert.deepEqual(Object.keys(event).sort(), Object.keys(schema.properties).sort());
  }
});
