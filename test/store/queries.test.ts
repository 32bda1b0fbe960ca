import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { dumpSchema, schemaFile } from '../../scripts/dump-schema.ts';
import { type Query, queries, sqlFolder } from '../../src/store/queries.ts';
import { freshDatabase } from '../helpers/postgres.ts';

const stages = readdirSync(join(sqlFolder, 'queries')).map((file) => file.replace(/\.sql$/, ''));

test('there are queries to look at', () => assert.ok(stages.length > 0));

for (const stage of stages) {
  test(`Postgres understands every query of ${stage}.sql against the migrated ledger`, async () => {
    const { pool } = await freshDatabase();
    const client = await pool.connect();
    try {
      await client.query('begin');
      for (const query of queries(stage).all.values()) await understands(client, `${stage}.sql`, query);
    } finally {
      client.release(true);
    }
  });
}

test('sql/schema.sql is what the migrations make', async () => {
  const { pool } = await freshDatabase();
  const wanted = await dumpSchema(pool);
  assert.equal(await readFile(schemaFile, 'utf8'), wanted, 'run: node --import tsx scripts/dump-schema.ts');
});

/**
 * Runs it with nulls in the order of the file and takes it back, except for the temporary tables that later ones need.
 * Not PREPARE: that takes only select, insert, update, delete and merge. Nulls may well be refused when it runs
 * (classes 22 and 23); what must not happen is that Postgres does not understand it (class 42), or that the type of a
 * parameter cannot be told.
 */
async function understands(client: pg.PoolClient, file: string, query: Query): Promise<void> {
  const keep = /^create temp/i.test(query.text);
  await client.query('savepoint before');
  try {
    if (/^copy\b.*\bfrom stdin/is.test(query.text)) await copyNothing(client, query.text);
    else await client.query({ text: query.text, values: query.params.map(() => null) });
    await client.query(keep ? 'release before' : 'rollback to before');
  } catch (error) {
    const { code, message, position } = error as pg.DatabaseError;
    const near = position ? ` near: ${query.text.slice(Number(position) - 1, Number(position) + 40)}` : '';
    const named = message.replace(/\$(\d+)/, (_, number) => `:${query.params[number - 1]}`);
    assert.ok(/^(22|23)/.test(code ?? ''), `${file}, query "${query.name}": ${named}${near}`);
    await client.query('rollback to before');
  }
}

async function copyNothing(client: pg.PoolClient, text: string): Promise<void> {
  const stream = client.query(copyFrom(text));
  stream.end();
  await finished(stream);
}
