import { Secret } from '../../../src/config/secret.ts';
import { emptyDatabase } from '../../helpers/postgres.ts';
import type { Fixture } from '../fixture.ts';

/** A database of a real Postgres, for the exam. */
export async function makeFixture(): Promise<Fixture> {
  const { url, pool, drop } = await emptyDatabase();
  return {
    // With a schema that may be written to, the exam is the harder.
    settings: { url: new Secret(url), scratch_schema: 'public' },
    unreachable: {
      settings: { url: new Secret('postgres://somebody:hunter2@127.0.0.1:1/nothing') },
      secret: 'hunter2',
    },
    execute: async (sql) => void (await pool.query(sql)),
    async running() {
      const { rows } = await pool.query(
        `select from pg_stat_activity
         where application_name = 'readback' and state = 'active' and datname = current_database()`,
      );
      return rows.length;
    },
    close: drop,
    dialect: {
      series: (count) => `select n from generate_series(0::bigint, ${count - 1}) as n`,
      slow: 'select count(*) as n from generate_series(1, 1000000) as a, generate_series(1, 100000) as b',
      failsHalfway: 'select 1 / (n - 500000) as n from generate_series(0, 999999) as n',
      fingerprint: '55f36e84d53ead5e',
      forbidden: [
        'copy stock to stdout',
        `copy stock to program 'cat > /tmp/stolen'`,
        'set timezone = 1',
        'reset all',
        'vacuum',
        'do $$ begin delete from stock; end $$',
        'with gone as (delete from stock returning id) select * from gone',
        'select id into other from stock',
        'listen x',
        'lock table stock',
      ],
      values: [
        { sql: '9007199254740993::bigint', type: 'integer', text: '9007199254740993' },
        {
          sql: `'1234567890123456789.0123456789'::numeric(38, 10)`,
          type: 'decimal',
          text: '1234567890123456789.0123456789',
        },
        { sql: '0.1::float8', type: 'float', text: '0.1' },
        { sql: '0.1::float4', type: 'float', text: '0.1' },
        { sql: 'true', type: 'boolean', text: 'true' },
        { sql: 'false', type: 'boolean', text: 'false' },
        { sql: 'null::boolean', type: 'boolean', text: null },
        {
          sql: `timestamp '2026-01-31 09:30:00.123456'`,
          type: 'timestamp',
          text: '2026-01-31T09:30:00.123456',
        },
        {
          sql: `timestamptz '2026-01-31 09:30:00.1+02'`,
          type: 'timestamp',
          text: '2026-01-31T07:30:00.100000Z',
        },
        { sql: `timestamptz 'infinity'`, type: 'timestamp', text: 'infinity' },
        { sql: `date '2026-01-31'`, type: 'date', text: '2026-01-31' },
        {
          sql: `'naïve 😀 "quoted" ''single'' \\ '::text`,
          type: 'text',
          text: `naïve 😀 "quoted" 'single' \\ `,
        },
        { sql: `''::varchar(10)`, type: 'text', text: '' },
        { sql: `'ab'::char(4)`, type: 'text', text: 'ab  ' },
        { sql: `'{"a": [1, null]}'::json`, type: 'json', text: '{"a": [1, null]}' },
        { sql: `'{"a":   1}'::jsonb`, type: 'json', text: '{"a": 1}' },
        { sql: `'\\xdeadbeef'::bytea`, type: 'other', text: '\\xdeadbeef' },
        { sql: `array[1, 2]`, type: 'other', text: '{1,2}' },
        { sql: `interval '1 day 2 hours'`, type: 'other', text: 'P1DT2H' },
      ],
      keys: [
        '9007199254740993',
        `'12.50'::numeric(10, 2)`,
        `'0b9b8f0e-3f0e-4f0e-8f0e-0b9b8f0e3f0e'::uuid`,
        `date '2026-01-31'`,
        `timestamp '2026-01-31 09:30:00.123456'`,
        `timestamptz '2026-01-31 09:30:00.123456+02'`,
        `'it''s a, "key" {with} \\ 😀'::text`,
        `''::text`,
        `'ab'::char(4)`,
        `'127.0.0.1'::inet`,
        'true',
      ],
    },
  };
}
