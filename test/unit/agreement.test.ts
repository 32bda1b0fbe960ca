import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { openWarehouses } from '../../src/cli/warehouses.ts';
import type { Signal } from '../../src/config/model.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { movesBetween } from '../../src/unit/moves.ts';
import { type Rig, rig } from '../helpers/project.ts';

const ids = ['a', 'b', 'c', 'd', 'e'];
const rows = fc
  .array(
    fc.record({
      id: fc.constantFrom(...ids),
      score: fc.constantFrom('0.1', '0.6', '0.9'),
      note: fc.constantFrom('x', 'y'),
    }),
    { maxLength: 5 },
  )
  .map((all) => [...new Map(all.map((row) => [row.id, row])).values()]);
type Row = { id: string; score: string; note: string };

let parts: Rig;
let engine: Engine;
let signal: Signal;
before(async () => {
  parts = await rig(
    {
      'readback.yml': 'project: rig\nwarehouses:\n  analytics: { type: duckdb, path: ./warehouse.duckdb }\n',
      'signals/risk.sql':
        '/*\nkey: id\nwhen: score > 0.8\nrearm: score < 0.5\non: [entered, changed, left]\ntrack: [note]\nguard: { allow_empty: true }\n*/\nselect id, score, note from scores',
    },
    'create table scores (id text, score decimal(3, 1), note text)',
  );
  engine = await parts.engine();
  signal = parts.project.signals.get('risk') as Signal;
});
after(() => parts.close());

async function polled(table: readonly Row[]): Promise<string[]> {
  const values = table.map(({ id, score, note }) => `('${id}', ${score}, '${note}')`).join(', ');
  await parts.warehouse.run(`delete from scores; ${values && `insert into scores values ${values}`}`);
  const { state, reason } = await engine.poll(signal);
  assert.ok(state === 'done' || state === 'baseline', `${state}: ${reason}`);
  const { rows } = await parts.database.pool.query(
    'select entity, transition from messages where poll = (select max(id) from polls) order by entity',
  );
  return rows.map(({ entity, transition }) => `${entity} ${transition}`);
}

test('the transitions of a unit test are those of real polls over the same rows', async () => {
  const warehouses = openWarehouses(parts.project);
  const warehouse = await warehouses.warehouse('analytics');
  const given = (table: readonly Row[]): Signal => ({
    ...signal,
    sql: warehouse.given(signal.sql, [
      {
        name: 'scores',
        columns: [
          { name: 'id', nativeType: 'text' },
          { name: 'score', nativeType: 'decimal(3, 1)' },
          { name: 'note', nativeType: 'text' },
        ],
        rows: table.map(({ id, score, note }) => [id, score, note]),
      },
    ]),
  });
  const seen = new Set<string>();
  await polled([]);
  await fc.assert(
    fc.asyncProperty(rows, rows, async (earlier, now) => {
      await polled([]);
      await polled(earlier);
      const real = await polled(now);
      const moves = await movesBetween(given(now), given(earlier), warehouse, new Date());
      const ours = moves.map(({ entity, transition }) => `${entity} ${transition}`);
      assert.deepEqual(ours, real);
      for (const move of real) seen.add(move.slice(2));
    }),
    { numRuns: 12, seed: 7 },
  );
  assert.deepEqual([...seen].sort(), ['changed', 'entered', 'left']);
  await warehouses.close();
});
