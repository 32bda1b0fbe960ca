import { Secret } from '../../src/config/secret.ts';
import { warehouse } from '../../src/warehouses/snowflake/index.ts';
import { examine } from './exam.ts';
import type { Fixture } from './fixture.ts';
import { openAccount, settingsFor } from './snowflake/account.ts';

async function makeFixture(): Promise<Fixture> {
  const server = await openAccount();
  const nowhere = { account: 'a', user: 'b', url: 'http://127.0.0.1:1', password: new Secret('hunter2') };
  return {
    settings: settingsFor(server),
    unreachable: { settings: nowhere, secret: 'hunter2' },
    execute: (sql) => server.own(sql),
    running: async () => server.running(),
    close: () => server.close(),
    dialect: {
      series: (count) => `select seq8() as n from table(generator(rowcount => ${count}))`,
      slow: `select count(*) as n from table(generator(rowcount => 100000000000)) as a, table(generator(rowcount => 1000)) as b`,
      failsHalfway: `select cast(case when n = 500000 then 'no' else '1' end as number(10,0)) as n
        from (select seq8() as n from table(generator(rowcount => 1000000))) as s`,
      fingerprint: 'd5293dc9754872c2',
      column: (name) => `readback_${name}`,
      serverMegabytes: 150,
      suggestsNames: false,
      forbidden: [
        'show tables',
        'describe table stock',
        'use role accountadmin',
        'call stop_everything()',
        'set x = 1',
        'alter session set timezone = 1',
        'merge into stock using stock as other on true when matched then delete',
        'copy into @stage from stock',
        `put file:///etc/passwd @stage`,
        '-- quietly\nget @stage file:///tmp',
        'show tables ->> select 1',
        'select 1 ->> delete from stock',
        'with gone as (select 1) delete from stock',
        'begin select 1; end',
        'execute immediate $$ select 1 $$',
      ],
      values: [
        { sql: 'cast(9007199254740993 as number(38,0))', type: 'integer', text: '9007199254740993' },
        {
          sql: `cast('1234567890123456789.0123456789' as number(38,10))`,
          type: 'decimal',
          text: '1234567890123456789.0123456789',
        },
        { sql: 'cast(0.1 as float)', type: 'float', text: '0.1' },
        { sql: 'true', type: 'boolean', text: 'true' },
        { sql: 'false', type: 'boolean', text: 'false' },
        { sql: 'cast(null as boolean)', type: 'boolean', text: null },
        {
          sql: `cast('2026-01-31 09:30:00.123456' as timestamp_ntz(6))`,
          type: 'timestamp',
          text: '2026-01-31T09:30:00.123456',
        },
        {
          sql: `cast('2026-01-31 09:30:00.123456789' as timestamp_ntz(9))`,
          type: 'timestamp',
          text: '2026-01-31T09:30:00.123456789',
        },
        {
          sql: `cast('1961-04-12 06:07:00.25' as timestamp_ntz(6))`,
          type: 'timestamp',
          text: '1961-04-12T06:07:00.250000',
        },
        {
          sql: `cast('2026-01-31 09:30:00.1+02' as timestamp_tz(6))`,
          type: 'timestamp',
          text: '2026-01-31T07:30:00.100000Z',
        },
        { sql: `cast('2026-01-31' as date)`, type: 'date', text: '2026-01-31' },
        { sql: `'naïve 😀 "quoted" ''single'' \\ '`, type: 'text', text: `naïve 😀 "quoted" 'single' \\ ` },
        { sql: `''`, type: 'text', text: '' },
        // A text cast to VARIANT is a variant that holds a text.
        { sql: `parse_json('{"a":[1,null]}')`, type: 'json', text: '{"a":[1,null]}', castable: false },
      ],
      keys: [
        '9007199254740993',
        `cast('12.50' as number(10,2))`,
        `cast('2026-01-31' as date)`,
        `cast('2026-01-31 09:30:00.123456' as timestamp_ntz(6))`,
        `cast('2026-01-31 09:30:00.123456+02' as timestamp_tz(6))`,
        `'it''s a, "key" {with} \\ 😀'`,
        `''`,
        'true',
      ],
    },
  };
}

examine(warehouse, makeFixture);
