import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { Secret } from '../../src/config/secret.ts';
import { flavourNames, flavourOf, flavours } from '../../src/warehouses/postgres/flavours.ts';
import { warehouse } from '../../src/warehouses/postgres/index.ts';
import { settingsSchema } from '../../src/warehouses/postgres/settings.ts';
import { targetOf } from '../../src/warehouses/postgres/target.ts';
import { examine } from './exam.ts';
import { type Fixture, patient } from './fixture.ts';
import { makeFixture } from './postgres/fixture.ts';
import { type Played, played } from './postgres/flavours.ts';
import { openGate } from './postgres/gate.ts';

const others = flavourNames.filter((name) => name !== 'postgres');

/** The exam's Postgres, dressed as a flavour, behind a gate. */
async function dress({ version, functions, refusals, dialect, lacks }: Played): Promise<Fixture> {
  const fixture = await makeFixture();
  const url = (fixture.settings.url as Secret).reveal();
  const database = new URL(url).pathname.slice(1);
  const all = [...functions, `version() returns text language sql as $$ select '${version}' $$`];
  await fixture.execute(`create schema flavour`);
  for (const one of all) await fixture.execute(`create function flavour.${one}`);
  await fixture.execute(`alter database ${database} set search_path = flavour, pg_catalog, public`);
  const gate = await openGate(url, refusals);
  const has = (sql: string) => !lacks.test(sql);
  return {
    ...fixture,
    settings: { url: new Secret(gate.url) },
    dialect: {
      ...fixture.dialect,
      ...dialect,
      values: fixture.dialect.values.filter(({ sql }) => has(sql)),
      keys: fixture.dialect.keys.filter(has),
    },
    async close() {
      await gate.close();
      await fixture.close();
    },
  };
}

for (const flavour of others) {
  const make = async (): Promise<Fixture> => {
    const fixture = await dress(played[flavour]);
    return { ...fixture, settings: { ...fixture.settings, flavour } };
  };
  examine({ ...warehouse, name: `postgres, flavour ${flavour}` }, make);

  describe(`A server that is ${flavour}`, () => {
    let fixture: Fixture;
    before(async () => {
      fixture = await make();
    });
    after(() => fixture.close());
    const url = () => (fixture.settings.url as Secret).reveal();

    it('is not read as another', async () => {
      const wrong = await warehouse.open(
        warehouse.schema.parse({ ...fixture.settings, flavour: 'postgres' }),
      );
      await assert.rejects(wrong.check(patient), {
        code: 'WAREHOUSE_UNREACHABLE',
        message: new RegExp(`is ${flavours[flavour].label}, not PostgreSQL$`),
        hint: `write \`flavour: ${flavour}\``,
      });
      await wrong.close();
    });

    it('would refuse what Postgres is asked', async () => {
      const plain = await warehouse.open(warehouse.schema.parse({ url: new Secret(url()) }));
      const query = { sql: 'select 1 as id', key: ['id'], when: undefined, rearm: undefined, track: ['id'] };
      const { sql } = plain.members({ ...query, observedAt: undefined }, 16);
      const client = new pg.Client({ connectionString: url() });
      await client.connect();
      for (const text of [sql, 'listen changes', 'set local jit = off'])
        await assert.rejects(client.query(text), /^error: (?!.*near "refused")/);
      await client.end();
    });

    it('tells of nothing, and keeps no snapshots', async () => {
      const settings = warehouse.schema.parse(fixture.settings);
      assert.deepEqual(warehouse.tells?.(settings), []);
      const opened = await warehouse.open(settings);
      assert.deepEqual(
        [opened.follow, opened.snapshots, opened.differences],
        [undefined, undefined, undefined],
      );
      const refused = settingsSchema.safeParse({ ...fixture.settings, scratch_schema: 'kept' });
      assert.match(refused.error?.message ?? '', /write `diff: digest`/);
    });
  });
}

describe('The flavour of a server', () => {
  it('is what its version says; of one that nobody knows, Postgres', () => {
    for (const flavour of others) assert.equal(flavourOf(played[flavour].version), flavour);
    for (const version of [
      'PostgreSQL 16.4 on x86_64-pc-linux-gnu',
      'PostgreSQL 9.4.26 (Greenplum Database 7)',
    ])
      assert.equal(flavourOf(version), 'postgres');
  });

  it('has its own usual port', () => {
    const port = (settings: Record<string, unknown>) =>
      targetOf(settingsSchema.parse(settings), 'redshift').config.port;
    assert.equal(port({ host: 'db', flavour: 'redshift' }), 5439);
    assert.equal(port({ url: new Secret('postgres://db/shop') }), 5439);
    assert.equal(port({ url: new Secret('postgres://db:5440/shop') }), 5440);
  });
});
