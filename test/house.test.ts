import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { connectorNames } from '../src/connectors/index.ts';
import { actionStates, deadLetterStates, inFlightStates, moves, reportColumns } from '../src/ledger/state.ts';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(`src/${file}`, 'utf8') }));

test('the graph in src/README.md has exactly the moves of the type', () => {
  const graph = readFileSync('src/README.md', 'utf8').match(/```mermaid([\s\S]*?)```/)?.[1] ?? '';
  const drawn = [...graph.matchAll(/^ {2}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} → ${to}`);
  const typed = Object.entries(moves).flatMap(([from, targets]) => targets.map((to) => `${from} → ${to}`));
  assert.deepEqual(drawn.sort(), typed.sort());
});

test('the database knows the same states in the same order', () => {
  const migration = readFileSync('sql/migrations/000001.sql', 'utf8');
  const body = migration.match(/create type action_state as enum \(([\s\S]*?)\)/)?.[1] ?? '';
  assert.deepEqual(
    [...body.matchAll(/'(\w+)'/g)].map(([, state]) => state),
    [...actionStates],
  );
});

test('every state stands in exactly one column of the report', () => {
  const columns: string[] = Object.values(reportColumns).flat();
  assert.deepEqual([...columns].sort(), [...actionStates].sort());
});

test('what is in flight has somewhere to go, and what has ended moves only by a retry', () => {
  for (const state of inFlightStates) assert.ok(moves[state].length > 0, state);
  for (const state of deadLetterStates) assert.deepEqual(moves[state], ['ready'], state);
});

test('the map in src/README.md names every room and no other', () => {
  const map = readFileSync('src/README.md', 'utf8').match(/## Rooms\s+```([\s\S]*?)```/)?.[1] ?? '';
  const drawn = [...map.matchAll(/^ *([\w.]+)\/? {2,}/gm)].map(([, room]) => room);
  const rooms = readdirSync('src').filter((room) => room !== 'README.md');
  assert.deepEqual(drawn.sort(), rooms.sort());
});

test('a vendor is named in its own folder and nowhere else', () => {
  // No vendors: a protocol that most of them speak, a way to be told that others have too, and the ledger's own database.
  const vendors = connectorNames.filter((name) => !['http', 'webhook', 'postgres'].includes(name));
  const names = new RegExp(`\\b(${vendors.join('|')}|salesforce|jira|snowflake|bigquery)\\b`, 'i');
  const strays = sources.filter(
    ({ file, text }) => !/^(connectors|warehouses)\//.test(file) && names.test(withoutComments(text)),
  );
  assert.deepEqual(
    strays.map(({ file }) => file),
    [],
  );
});

test('no connector uses fetch, which cannot be kept from sending what it has begun', () => {
  const strays = sources.filter(
    ({ file, text }) => file.startsWith('connectors/') && /(?<![.#\w]|async )fetch\([^)]*\)(?!: )/.test(text),
  );
  assert.deepEqual(
    strays.map(({ file }) => file),
    [],
  );
});

test('stages do not import each other; only the pipeline, its plan and its preview know more than one', () => {
  const stages = ['detect', 'emit', 'enrich', 'route', 'act', 'verify', 'report'];
  const strays = sources.flatMap(({ file, text }) => {
    const stage = stages.find((name) => file.startsWith(`${name}/`));
    if (!stage) return [];
    const imported = [...text.matchAll(/from '\.\.\/(\w+)\//g)].map(([, folder]) => folder ?? '');
    return imported.filter((folder) => stages.includes(folder)).map((folder) => `${file} → ${folder}`);
  });
  assert.deepEqual(strays, []);
  const known = new Map<string, Set<string>>();
  for (const { file, text } of sources) {
    const [room = ''] = file.split('/');
    const imported = stages.filter(
      (name) => new RegExp(`from '\\.{1,2}/${name}/`).test(text) && name !== 'report',
    );
    known.set(room, new Set([...(known.get(room) ?? []), ...imported]));
  }
  const joiners = [...known].filter(([, imported]) => imported.size > 1).map(([room]) => room);
  assert.deepEqual(joiners.sort(), ['pipeline.ts', 'plan', 'preview.ts']);
});

test('SQL lives in .sql files', () => {
  const statement =
    /[`'"]\s*(select|insert into|update|delete from|create table|with)\s+\w+[\s\S]{0,40}?\b(from|set|values|as)\b/i;
  const strays = sources.filter(({ text }) => statement.test(withoutComments(text)));
  assert.deepEqual(
    strays.map(({ file }) => file),
    [],
  );
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}
