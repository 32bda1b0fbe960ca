import { z } from 'zod';
import { check, originIn } from '../config/check.ts';
import type { SourceFile } from '../config/files.ts';
import type { Located, Path } from '../config/located.ts';
import { type Transition, transitions } from '../config/model.ts';
import { name, text } from '../config/vocabulary.ts';
import { parseYaml } from '../config/yaml.ts';
import type { Place, ReadbackError } from '../errors.ts';
import type { Value } from '../warehouses/warehouse.ts';
import { parseCsv } from './csv.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const key = z.union([scalar, z.array(scalar).min(1)]);

const givenSchema = z.strictObject({
  input: text().describe(
    "What the SQL reads: ref('model'), source('a', 'b'), or a table as the SQL names it.",
  ),
  columns: z
    .record(z.string(), text())
    .exactOptional()
    .describe('Column to type of the warehouse. Those of the table itself if absent.'),
  rows: z
    .union([z.array(z.record(z.string(), z.unknown())), z.string()])
    .default([])
    .describe('Rows as maps of column and value, or CSV as a block of text. What a row leaves out is null.'),
});

const keysSchema = z.array(key).default([]);

/** A `tests/*.yaml` file. */
export const unitTestSchema = z.strictObject({
  description: z.string().default('').describe('What is to be true.'),
  signal: name().describe('The signal that is tested.'),
  now: z.iso
    .datetime({ offset: true, error: 'a time is written as 2026-01-31T09:30:00Z' })
    .exactOptional()
    .describe('What `now` is in templates. The time of the test if absent.'),
  given: z.array(givenSchema).min(1).describe('What the tables hold at the poll.'),
  before: z
    .array(givenSchema)
    .exactOptional()
    .describe(
      'What those of them held at the poll before that held something else. Nobody was in the set if absent.',
    ),
  expect: z
    .strictObject({
      transitions: z
        .strictObject({ entered: keysSchema, changed: keysSchema, left: keysSchema })
        .exactOptional()
        .describe('The keys that enter, change and leave: these and no others.'),
      actions: z
        .record(name(), z.array(z.strictObject({ entity: key, fields: z.record(z.string(), scalar) })))
        .exactOptional()
        .describe('Destination to what it is sent: to these entities, with these fields, and nothing else.'),
    })
    .refine(({ transitions, actions }) => transitions !== undefined || actions !== undefined, {
      error: 'nothing is expected; write transitions or actions',
    }),
});

/** What a table holds. */
export interface Given {
  input: string;
  place: Place;
  /** Column to type; undefined: those of the table in the warehouse. */
  columns: Readonly<Record<string, string>> | undefined;
  rows: readonly ReadonlyMap<string, Value>[];
}

export interface ExpectedEntity {
  entity: string;
  place: Place;
}

export interface ExpectedAction extends ExpectedEntity {
  fields: ReadonlyMap<string, { text: string; place: Place }>;
}

export interface UnitTest {
  name: string;
  file: string;
  description: string;
  signal: string;
  signalPlace: Place;
  now: Date | undefined;
  given: readonly Given[];
  before: readonly Given[] | undefined;
  transitions: { place: Place; entities: Record<Transition, ExpectedEntity[]> } | undefined;
  actions: ReadonlyMap<string, { place: Place; actions: ExpectedAction[] }>;
}

/** Reads one test; undefined, with problems, when it is broken. Values are texts as they are written: `1.50` stays `1.50`. */
export function readUnitTest(source: SourceFile, problems: ReadbackError[]): UnitTest | undefined {
  const located = parseYaml(source.file, source.text, problems);
  const data = located && check(unitTestSchema, located.value ?? {}, originIn(located), problems);
  if (!data) return undefined;
  const { expect, now } = data;
  const expected = (path: Path): ExpectedEntity => ({
    entity: entityAt(located, path),
    place: located.placeOf(path),
  });
  const listed = (transition: Transition) =>
    (expect.transitions?.[transition] ?? []).map((_, at) =>
      expected(['expect', 'transitions', transition, at]),
    );
  const actions = Object.entries(expect.actions ?? {}).map(([destination, list]) => {
    const path = ['expect', 'actions', destination];
    const read = list.map(({ fields }, at) => ({
      ...expected([...path, at, 'entity']),
      fields: new Map(
        Object.keys(fields).map((field) => [field, textAt(located, [...path, at, 'fields', field])]),
      ),
    }));
    return [destination, { place: located.placeOfKey(path), actions: read }] as const;
  });
  const entities = Object.fromEntries(transitions.map((one) => [one, listed(one)]));
  return {
    name: source.name,
    file: source.file,
    description: data.description,
    signal: data.signal,
    signalPlace: located.placeOf(['signal']),
    now: now === undefined ? undefined : new Date(now),
    given: data.given.map((one, at) => givenAt(one, located, ['given', at])),
    before: data.before?.map((one, at) => givenAt(one, located, ['before', at])),
    transitions: expect.transitions && {
      place: located.placeOfKey(['expect', 'transitions']),
      entities: entities as Record<Transition, ExpectedEntity[]>,
    },
    actions: new Map(actions),
  };
}

function givenAt(
  { input, columns, rows }: z.output<typeof givenSchema>,
  located: Located,
  path: Path,
): Given {
  const place = located.placeOf([...path, 'input']);
  if (typeof rows === 'string') return { input, place, columns, rows: parseCsv(rows) };
  const read = rows.map(
    (row, at) =>
      new Map(
        Object.entries(row).map(([column, value]) => [
          column,
          located.written([...path, 'rows', at, column]) ?? (value === null ? null : JSON.stringify(value)),
        ]),
      ),
  );
  return { input, place, columns, rows: read };
}

function textAt(located: Located, path: Path): { text: string; place: Place } {
  return { text: located.written(path) ?? '', place: located.placeOf(path) };
}

/** A key of one column is itself; of several, a JSON array. */
function entityAt(located: Located, path: Path): string {
  const alone = located.written(path);
  if (alone !== undefined) return alone;
  const parts: string[] = [];
  for (let at = 0; ; at += 1) {
    const part = located.written([...path, at]);
    if (part === undefined) return JSON.stringify(parts);
    parts.push(part);
  }
}
