import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import type { z } from 'zod';
import { destinationSchema } from '../../src/config/destination.ts';
import { enrichmentSchema } from '../../src/config/enrichment.ts';
import { isOpen, schemaKeys } from '../../src/config/keys.ts';
import { writtenDestinations } from '../../src/config/play.ts';
import { rootSchema, sharedSchema } from '../../src/config/root.ts';
import { signalSchema } from '../../src/config/signal.ts';
import { actionSchema, fieldSchema } from '../../src/connectors/http/grammar.ts';
import { unitTestSchema } from '../../src/unit/definition.ts';
import { bare, blocksOf, filesOf, type GuideTable, tablesOf } from './blocks.ts';
import { emptyFolder, loadSound } from './project.ts';
import { isSameDefault } from './schema-keys.ts';
import { aRun, Shell } from './shell.ts';

const reference = blocksOf('docs/reference.md');

describe('docs/reference.md', () => {
  const files = filesOf(reference);

  test('its examples are one sound project, with and without its target', async () => {
    const { project } = await loadSound(files);
    const written = [...files.keys()].filter((file) => file.startsWith('destinations/'));
    assert.equal(writtenDestinations(project).length, written.length);
    await loadSound(files, 'staging');
  });

  test('its SQL and templates find their columns in a warehouse', async () => {
    const { root, env } = await loadSound(files);
    const instance = await DuckDBInstance.create(join(root, 'warehouse.duckdb'));
    const connection = await instance.connect();
    await connection.run(`
      create table customers (customer_id text, company_id text, email text, name text, plan text, seats int, mrr decimal(12, 2), updated_at timestamptz);
      create table tickets_at_risk (ticket_id bigint, minutes int);
      create table account_owners (customer_id text, owner_id bigint, owner_email text);
    `);
    connection.closeSync();
    instance.closeSync();
    const shell = await Shell.open(await emptyFolder(), root, env);
    assert.match(await shell.run(aRun('npx readback validate')), /2 signals, \d+ destinations: all valid/);
  });

  const tables = tablesOf('docs/reference.md');
  const tableOf = (column: string, ...headings: string[]): GuideTable | undefined =>
    tables.find(
      (table) =>
        table.columns[0] === column &&
        headings.every((one) => table.headings.includes(one)) &&
        table.headings.at(-1) === headings.at(-1),
    );

  test('signal, enrichment, destination and readback.yml have exactly the keys of the tables', () => {
    compare(tableOf('key', 'readback.yml'), rootSchema);
    compare(tableOf('key', 'Every connection'), sharedSchema, ['connector']);
    compare(tableOf('key', 'Signal'), signalSchema);
    compare(tableOf('key', 'Enrichment'), enrichmentSchema);
    compare(tableOf('key', 'Destination'), destinationSchema);
    compare(tableOf('key', 'Unit test'), unitTestSchema);
  });

  test('an action of an API, and its fields, have exactly the keys of their tables', () => {
    const title = 'An action of an API';
    const whole = { fields: {}, write: { batch: {} }, read: { by_id: {}, find: {} }, undo: {} };
    compareKeys(tableOf('action key', title), actionSchema, whole);
    compareKeys(tableOf('field key', title), fieldSchema, {});
  });
});

/** A table against a schema with maps inside maps. `whole` has every map there may be, with nothing in it. */
function compareKeys(table: GuideTable | undefined, schema: z.ZodType, whole: object): void {
  const rows = new Map(table?.rows.map(([key = '', fallback = '']) => [bare(key), bare(fallback)]));
  const keys = schemaKeys(schema);
  assert.deepEqual([...rows.keys()].sort(), keys.map(({ name }) => name).sort());
  const issues = schema.safeParse(whole).error?.issues ?? [];
  const missing = new Set(issues.map(({ path }) => path.map(String).join('.')));
  for (const { name, fallback } of keys) {
    const shown = rows.get(name) ?? '';
    assert.equal(shown.startsWith('required'), missing.has(name) || name === 'fields', name);
    if (fallback !== undefined && fallback !== '')
      assert.ok(isSameDefault(shown, fallback), `${name} is ${JSON.stringify(fallback)}, not ${shown}`);
  }
}

/** A table against a schema: the same keys, what is required, and the defaults that the schema knows. */
function compare(
  table: GuideTable | undefined,
  schema: z.ZodType | undefined,
  own: readonly string[] = [],
): void {
  assert.ok(table && schema, 'the table is missing');
  const where = table.headings.join(' › ');
  const rows = new Map(table.rows.map(([key = '', fallback = '']) => [bare(key), bare(fallback)]));
  const keys = schemaKeys(schema);
  const open = isOpen(schema) && keys.every(({ name }) => !name.includes('.'));
  const others = [...rows.keys()].filter((name) => /^any |<.+>/.test(name));
  assert.equal(others.length, open ? 1 : 0, `${where}: any other key ${open ? 'is' : 'is not'} allowed`);
  const written = [...rows.keys()].filter((name) => !own.includes(name) && !others.includes(name));
  assert.deepEqual(written.sort(), keys.map(({ name }) => name).sort(), where);
  for (const { name, required, fallback } of keys) {
    const shown = rows.get(name) ?? '';
    assert.equal(shown === 'required', required, `${where}: ${name} ${required ? 'is' : 'is not'} required`);
    if (fallback !== undefined && !required)
      assert.ok(
        isSameDefault(shown, fallback),
        `${where}: ${name} is ${JSON.stringify(fallback)}, not ${shown}`,
      );
  }
}
