import { Secret } from '../../src/config/secret.ts';
import { warehouse } from '../../src/warehouses/bigquery/index.ts';
import { BigQueryServer, serviceAccountKey } from './bigquery/server.ts';
import { examine } from './exam.ts';
import type { Fixture } from './fixture.ts';

const credentials = () => new Secret(JSON.stringify(serviceAccountKey));

/** Standard SQL as GoogleSQL spells it: backslashes escape, and HASH is reserved, and some types have other names. */
function googleSql(sql: string): string {
  return sql
    .replaceAll(
      /'(?:[^']|'')*'/g,
      (text) => `'${text.slice(1, -1).replaceAll('\\', '\\\\').replaceAll("''", "\\'")}'`,
    )
    .replaceAll(/\bhash\b/g, '`hash`')
    .replaceAll('as varchar)', 'as string)')
    .replaceAll('as timestamp with time zone)', 'as timestamp)');
}

/** What of GoogleSQL gets into the SQL of the owner of the data, who speaks DuckDB's. */
const generated = /select n from unnest\(generate_array\(0, (\d+)\)\) as n/g;

async function makeFixture(): Promise<Fixture> {
  const server = await BigQueryServer.open();
  const secret = serviceAccountKey.private_key.split('\n')[5] ?? '';
  return {
    settings: { project: 'acme', dataset: 'main', credentials: credentials(), endpoint: server.url },
    unreachable: {
      settings: { project: 'acme', credentials: credentials(), endpoint: 'http://127.0.0.1:1' },
      secret,
    },
    execute: (sql) =>
      server.engine.execute(sql.replaceAll(generated, 'select n from generate_series(0, $1) as s(n)')),
    running: async () => server.running,
    close: () => server.close(),
    dialect: {
      spell: googleSql,
      column: (name) => `\`${name}\``,
      serverMegabytes: 150,
      refusesTwins: true,
      series: (count) => `select n from unnest(generate_array(0, ${count - 1})) as n`,
      slow: `select count(*) as n
        from unnest(generate_array(1, 10000)) as a, unnest(generate_array(1, 10000)) as b,
          unnest(generate_array(1, 10000)) as c where a * b * c = 7`,
      failsHalfway: `select if(n = 500000, error('no'), 'yes') as n from unnest(generate_array(0, 999999)) as n`,
      // The md5 of `"a",1,null,true`.
      fingerprint: 'a2ec20fec781186f',
      forbidden: [
        'begin transaction',
        'call main.clean()',
        `execute immediate 'drop table stock'`,
        `export data options (uri = 'gs://b/*', format = 'CSV') as select 1 as a`,
        'set x = 1',
        'merge stock using stock as s on false when not matched then insert row',
        "select 'it''s' as a",
        'select 1 as hash',
      ],
      values: [
        { sql: '9007199254740993', type: 'integer', text: '9007199254740993' },
        { sql: `cast('-9223372036854775808' as int64)`, type: 'integer', text: '-9223372036854775808' },
        {
          sql: `numeric '12345678901234567890.012345678'`,
          type: 'decimal',
          text: '12345678901234567890.012345678',
        },
        { sql: `numeric '12.50'`, type: 'decimal', text: '12.5' },
        {
          sql: `bignumeric '1234567890123456789.0123456789'`,
          type: 'decimal',
          text: '1234567890123456789.0123456789',
        },
        { sql: 'cast(0.1 as float64)', type: 'float', text: '0.1' },
        { sql: 'true', type: 'boolean', text: 'true' },
        { sql: 'false', type: 'boolean', text: 'false' },
        { sql: 'cast(null as bool)', type: 'boolean', text: null },
        {
          sql: `datetime '2026-01-31 09:30:00.123456'`,
          type: 'timestamp',
          text: '2026-01-31T09:30:00.123456',
        },
        { sql: `datetime '2026-01-31 09:30:00'`, type: 'timestamp', text: '2026-01-31T09:30:00.000000' },
        {
          sql: `timestamp '2026-01-31 09:30:00.1+02'`,
          type: 'timestamp',
          text: '2026-01-31T07:30:00.100000Z',
        },
        {
          sql: `timestamp '1969-12-31 23:59:59.999999 UTC'`,
          type: 'timestamp',
          text: '1969-12-31T23:59:59.999999Z',
        },
        { sql: `date '2026-01-31'`, type: 'date', text: '2026-01-31' },
        { sql: `time '09:30:00.5'`, type: 'other', text: '09:30:00.5' },
        {
          sql: `'naïve 😀 "quoted" \\'single\\' \\\\ '`,
          type: 'text',
          text: `naïve 😀 "quoted" 'single' \\ `,
        },
        { sql: `''`, type: 'text', text: '' },
      ],
      keys: [
        '9007199254740993',
        `numeric '12.50'`,
        `date '2026-01-31'`,
        `datetime '2026-01-31 09:30:00.123456'`,
        `timestamp '2026-01-31 09:30:00.123456+02'`,
        `'it\\'s a, "key" {with} \\\\ 😀'`,
        `''`,
        'true',
      ],
    },
  };
}

examine(warehouse, makeFixture);
