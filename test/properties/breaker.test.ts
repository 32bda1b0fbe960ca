import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { queries } from '../../src/store/queries.ts';
import { freshDatabase, type TestDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
before(async () => {
  database = await freshDatabase();
});
after(() => database.drop());

const sql = queries('connections');
let count = 0;

interface Draw {
  verdict: string;
  numbers: number[];
}

/** More permits than a run of steps can use up, so that only the breaker refuses. */
async function connection(): Promise<string> {
  const name = `connection_${++count}`;
  await sql.run(database.pool, 'register_connection', { connection: name, permits: 1_000 });
  return name;
}

async function draw(name: string): Promise<Draw> {
  const one = await sql.one<Draw>(database.pool, 'draw', {
    connection: name,
    wanted: 5,
    burst: 1_000,
    pace_seconds: 1e-6,
    window_seconds: 0.001,
    hold_seconds: 60,
    probe_seconds: 30,
    now: null,
  });
  assert.ok(one);
  return one;
}

type Step = { kind: 'draw' | 'draws' | 'success' | 'failure' | 'refused' | 'rest over' | 'probe over' };

test('a breaker that is not closed lets one probe through at a time, and closes only by its success', async () => {
  const step = fc.record<Step>({
    kind: fc.constantFrom('draw', 'draws', 'success', 'failure', 'refused', 'rest over', 'probe over'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const name = await connection();
      const fail = (atOnce: boolean): Promise<unknown> =>
        sql.one(database.pool, 'report_failure', {
          connection: name,
          reason: 'no answer',
          at_once: atOnce,
          threshold: 3,
          base_seconds: 60,
          cap_seconds: 300,
        });
      let failures = 0;
      let open = false;
      let resting = false;
      let probing = false;
      let tried = false;
      for (const { kind } of steps) {
        if (kind === 'draw' || kind === 'draws') {
          const draws = await Promise.all(Array.from({ length: kind === 'draw' ? 1 : 4 }, () => draw(name)));
          const taken = draws.reduce((sum, one) => sum + one.numbers.length, 0);
          if (!open) assert.equal(taken, 5 * draws.length, 'a closed breaker stops nobody');
          else if (resting || probing)
            assert.equal(taken, 0, 'nobody calls while it rests or another one tries');
          else {
            assert.equal(taken, 1, 'one tries');
            assert.equal(draws.filter((one) => one.verdict === 'probe').length, 1);
            [probing, tried] = [true, true];
          }
        } else if (kind === 'success') {
          await sql.run(database.pool, 'report_success', { connection: name });
          [failures, open, resting, probing, tried] = [0, false, false, false, false];
        } else if (kind === 'failure' || kind === 'refused') {
          await fail(kind === 'refused');
          // While it rests, or waits for somebody to try, an answer to an older call says nothing new.
          if (open && !tried) continue;
          failures += 1;
          if (tried || kind === 'refused' || failures >= 3)
            [open, resting, probing, tried] = [true, true, false, false];
        } else if (kind === 'rest over') {
          await database.pool.query(
            "update connections set retry_at = clock_timestamp() - interval '1 second' where name = $1 and retry_at is not null",
            [name],
          );
          resting = false;
        } else {
          await database.pool.query(
            "update connections set probe_until = clock_timestamp() - interval '1 second' where name = $1 and probe_until is not null",
            [name],
          );
          probing = false;
        }
      }
    }),
    { numRuns: 80 },
  );
});
