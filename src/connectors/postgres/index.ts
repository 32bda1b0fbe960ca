import { type AccessSettings, accessSchema } from '../../warehouses/postgres/settings.ts';
import { render } from '../../warehouses/template.ts';
import type { CallOptions, Client, Connector, Finding, Gate } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { actions } from './actions.ts';
import { Database, templates } from './database.ts';
import { Deletions } from './delete.ts';
import { Rows } from './rows.ts';
import { type Place, placeOf } from './schema.ts';
import { isTrue, quoteTable } from './table.ts';

export const connector: Connector = {
  name: 'postgres',
  summary: 'Tables of a PostgreSQL database: inserts, upserts and deletes rows, and selects them back.',
  schema: accessSchema,
  example: [
    'erp:',
    '  connector: postgres',
    '  host: erp-db.internal',
    '  database: erp',
    '  user: readback',
    '  password: env:ERP_DB_PASSWORD',
    '  sslmode: require',
  ].join('\n'),
  // A statement carries up to 500 rows; this leaves a database of others its breath.
  rateLimit: { requests: 50, perMs: 1_000 },
  actions,
  open: async (settings, gate) => open(settings as AccessSettings, gate),
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

function open(settings: AccessSettings, gate: Gate): Client {
  const database = new Database(settings, gate);
  const opened = new Map<string, Rows>();
  const rowsOf = (options: Record<string, unknown>): Rows => {
    const place = placeOf(options);
    const name = JSON.stringify(place);
    const rows = opened.get(name) ?? new Rows(database, place);
    opened.set(name, rows);
    return rows;
  };
  return {
    check: (wanted, call) => check(database, wanted, call),
    write: async (action, options, items, call) => {
      if (action !== 'delete_row') return rowsOf(options).write(items, call);
      const deletions = new Deletions(database, placeOf(options), rowsOf(options));
      return oneByOne(items, (item) => deletions.write(item, call));
    },
    read: async (action, options, items, call) => {
      if (action !== 'delete_row') return rowsOf(options).read(items, call);
      const deletions = new Deletions(database, placeOf(options), rowsOf(options));
      return oneByOne(items, (item) => deletions.read(item, call));
    },
    close: () => database.close(),
  };
}

const rightsFor: Readonly<Record<string, readonly string[]>> = {
  upsert_row: ['select', 'insert', 'update'],
  insert_row: ['select', 'insert'],
  delete_row: ['select', 'delete'],
};

async function check(
  database: Database,
  wanted: { action: string; options: Record<string, unknown> }[],
  call: CallOptions,
): Promise<Finding[]> {
  // Without actions any table does: the question is whether there is an answer.
  if (wanted.length === 0) return checkTable(database, undefined, [], call);
  const findings: Finding[] = [];
  for (const { action, options } of wanted)
    findings.push(...(await checkTable(database, placeOf(options), rightsFor[action] ?? [], call)));
  return findings;
}

async function checkTable(
  database: Database,
  place: Place | undefined,
  rights: readonly string[],
  call: CallOptions,
): Promise<Finding[]> {
  const params = [place ? quoteTable(place.table) : '"pg_catalog"."pg_class"', place?.key ?? []];
  const answer = await database.run(render(templates, 'readiness', {}), params, call);
  if (answer.kind !== 'rows')
    return [
      {
        problem: `Postgres: ${answer.reason}`,
        hint: 'Check host, port, database, user, password and sslmode of the connection.',
      },
    ];
  const [row] = answer.rows;
  if (!row || !place) return row ? [] : [{ problem: 'Postgres gave no answer.', hint: 'Try again.' }];
  const { table, key } = place;
  if (!isTrue(row.exists))
    return [
      { problem: `There is no table ${table}.`, hint: 'Check `table` and the search for capitals in it.' },
    ];
  const lacking = rights.filter((right) => !isTrue(row[`may_${right}`]));
  if (lacking.length > 0)
    return [
      {
        problem: `${table}: no right to ${lacking.join(' and ')}.`,
        hint: `grant ${rights.join(', ')} on ${table} to the user of the connection`,
      },
    ];
  return isTrue(row.is_unique)
    ? []
    : [
        {
          problem: `${table} has no unique index over ${key.join(', ')}.`,
          hint: `create unique index on ${table} (${key.join(', ')})`,
        },
      ];
}
