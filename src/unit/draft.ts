import type { Destination, Enrichment, Project, Signal } from '../config/model.ts';
import { ReadbackError } from '../errors.ts';
import { decodeEntity, encodeEntity } from '../ledger/entity.ts';
import { previewSignal } from '../preview.ts';
import { everything } from '../warehouses/given.ts';
import type { Column, Value, Warehouse } from '../warehouses/warehouse.ts';
import type { Given, UnitTest } from './definition.ts';
import { type Masking, mask } from './mask.ts';
import { refuseRealValues } from './real-values.ts';
import { type Happening, happening } from './run.ts';
import { type ReadTable, tablesOf } from './tables.ts';

type OpenWarehouse = (name: string) => Promise<Warehouse>;

/** Of one table: a test that needs more is not one of a row. */
const mostRows = 50;

export interface Draft {
  /** The masked key. */
  entity: string;
  given: readonly Given[];
  now: Date;
  happening: Happening;
  /** What its author should know. */
  remarks: string[];
}

/**
 * A test made of the real rows of one entity, masked, with what really becomes of them as its expectation.
 *
 * @throws ReadbackError SELECTION when there is no such row; USAGE when a real value would get into the test
 */
export async function draftTest(
  project: Project,
  signal: Signal,
  entity: string,
  open: OpenWarehouse,
): Promise<Draft> {
  const key = partsOf(entity, signal);
  const destinations = [...project.destinations.values()].filter(({ signals }) =>
    signals.includes(signal.name),
  );
  const names = new Set(destinations.flatMap(({ enrich }) => enrich));
  const enrichments = [...names].flatMap((name) => project.enrichments.get(name) ?? []);
  const masking: Masking = { kept: literalsOf(signal, enrichments, destinations), keys: new Set(key) };
  const remarks: string[] = [];
  const given: Given[] = [];
  for (const query of [signal, ...enrichments]) {
    const warehouse = await open(query.warehouse);
    for (const table of tablesOf(query)) {
      if (given.some(({ input }) => input === table.input)) continue;
      const found = await givenOf(
        table,
        warehouse,
        { signal, key, masking, timeoutMs: query.timeoutMs },
        remarks,
      );
      if (found) given.push(found);
    }
  }
  if (!given.some(({ rows }) => rows.length > 0))
    throw new ReadbackError('SELECTION', `no table that ${signal.name} reads has rows of ${entity}`, {
      hint: `rows are looked for by ${signal.key.join(', ')} in the tables behind from and join`,
    });
  const masked = encodeEntity(signal.key.map((name) => firstValue(given, name))) ?? entity;
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  const happens = await happening(project, unitTest(signal, given, now, destinations), open);
  const real = await previewSignal(project, signal, open, { limit: 1, only: [entity] });
  const own = [...masking.kept, ...destinations.flatMap(textsOf)];
  if (real[0]) refuseRealValues(real[0].row, given, happens, own);
  if (real.length > 0 && happens.moves.length === 0)
    remarks.push('the real row is in the signal, the masked one is not: mend the given rows');
  for (const { destination, outcome, ...rest } of happens.entities.flatMap(({ actions }) => actions))
    if (outcome === 'refused' && 'reason' in rest)
      remarks.push(`${destination} is left out, as it refuses the masked row: ${rest.reason}`);
  return { entity: masked, given, now, happening: happens, remarks };
}

function partsOf(entity: string, { name, key }: Signal): string[] {
  try {
    return decodeEntity(entity, key.length);
  } catch {
    throw new ReadbackError('USAGE', `\`${entity}\` is no key of ${name}`, {
      hint: `write the values of ${key.join(', ')} as a JSON array: --key '["C-1","EU"]'`,
    });
  }
}

interface Wanted {
  signal: Signal;
  key: readonly string[];
  masking: Masking;
  timeoutMs: number;
}

/** Undefined for what is no table. */
async function givenOf(
  { input, relation }: ReadTable,
  warehouse: Warehouse,
  { signal, key, masking, timeoutMs }: Wanted,
  remarks: string[],
): Promise<Given | undefined> {
  const read = { timeoutMs };
  const columns = await warehouse.describe(everything(relation), read).catch((error: unknown) => {
    if (error instanceof ReadbackError && error.code === 'SIGNAL_SQL') return undefined;
    throw error;
  });
  if (!columns) return undefined;
  const keyColumns = signal.key.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  const rows: Map<string, Value>[] = [];
  if (keyColumns.length < signal.key.length)
    remarks.push(`${input} has no ${signal.key.join(', ')}: add the rows that belong to the test`);
  else {
    const statement = warehouse.lookup(everything(relation), keyColumns, [[...key]]);
    for await (const batch of warehouse.read(statement, read)) {
      for (const values of batch.slice(0, mostRows - rows.length))
        rows.push(maskedRow(columns, values, masking));
      if (rows.length === mostRows) break;
    }
    if (rows.length === mostRows) remarks.push(`of ${input} the first ${mostRows} rows are taken`);
  }
  const types = Object.fromEntries(columns.map(({ name, nativeType }) => [name, nativeType]));
  return { input, place: { file: '' }, columns: types, rows };
}

function maskedRow(
  columns: readonly Column[],
  values: readonly Value[],
  masking: Masking,
): Map<string, Value> {
  return new Map(columns.map((column, at) => [column.name, mask(values[at] ?? null, column, masking)]));
}

/** A part of the key as it is masked. */
function firstValue(given: readonly Given[], column: string): Value {
  const values = given.flatMap(({ rows }) => rows.map((row) => row.get(column) ?? null));
  return values.find((value) => value !== null) ?? null;
}

/** A test of all the signal's destinations that expects nothing yet. */
function unitTest(
  signal: Signal,
  given: readonly Given[],
  now: Date,
  destinations: readonly Destination[],
): UnitTest {
  const place = { file: '' };
  return {
    name: '',
    file: '',
    description: '',
    signal: signal.name,
    signalPlace: place,
    now,
    given,
    before: undefined,
    transitions: undefined,
    actions: new Map(destinations.map(({ name }) => [name, { place, actions: [] }])),
  };
}

/** All templates of a destination. */
function textsOf({ fields, leftFields }: Destination): string[] {
  return [...Object.values(fields), ...Object.values(leftFields ?? {})];
}

/** Every text in quotes that stands in SQL, conditions and templates. */
function literalsOf(
  signal: Signal,
  enrichments: readonly Enrichment[],
  destinations: readonly Destination[],
): Set<string> {
  const texts = [
    signal.sql,
    signal.when,
    signal.rearm,
    ...enrichments.map(({ sql }) => sql),
    ...destinations.flatMap((one) => [one.when, ...textsOf(one)]),
  ];
  const quoted = texts.flatMap((text) => [...(text ?? '').matchAll(/'((?:[^']|'')*)'|"([^"]*)"/g)]);
  return new Set(quoted.map(([, single, double]) => single?.replaceAll("''", "'") ?? double ?? ''));
}
