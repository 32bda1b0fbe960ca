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
  taken: number;
}

async function connection(capacity: number): Promise<string> {
  const name = `connection_${++count}`;
  await sql.run(database.pool, 'register_connection', { connection: name, capacity });
  return name;
}

async function draw(name: string, capacity: number, perSecond: number, wanted: number): Promise<Draw> {
  const one = await sql.one<Draw>(database.pool, 'draw', {
    connection: name,
    capacity,
    per_second: perSecond,
    wanted,
    probe_seconds: 30,
  });
  assert.ok(one);
  return one;
}

test('however many draw at once, no window lets more through than what it holds and what flows in', async () => {
  const worker = fc.array(fc.record({ wanted: fc.integer({ min: 1, max: 30 }), waitMs: fc.nat(8) }), {
    minLength: 5,
    maxLength: 15,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 400 }),
      fc.array(worker, { minLength: 2, maxLength: 5 }),
      async (capacity, perSecond, workers) => {
        const name = await connection(capacity);
        const drawn: { from: number; to: number; taken: number }[] = [];
        await Promise.all(
          workers.map(async (draws) => {
            for (const { wanted, waitMs } of draws) {
              const from = performance.now();
              const { taken } = await draw(name, capacity, perSecond, wanted);
              drawn.push({ from, to: performance.now(), taken });
              if (waitMs > 4) await new Promise((resolve) => setTimeout(resolve, waitMs));
            }
          }),
        );
        // A draw happened somewhere between `from` and `to`, so a window that holds it whole is at least as long.
        for (const first of drawn) {
          for (const last of drawn) {
            const inside = drawn.filter(({ from, to }) => from >= first.from && to <= last.to);
            const seconds = Math.max(0, last.to - first.from) / 1000;
            const taken = inside.reduce((sum, one) => sum + one.taken, 0);
            assert.ok(
              taken <= capacity + perSecond * seconds + 1e-6,
              `${taken} in ${seconds} s, with ${capacity} and ${perSecond}/s`,
            );
          }
        }
      },
    ),
    { numRuns: 25 },
  );
});

type Step = { kind: 'draw' | 'draws' | 'success' | 'failure' | 'refused' | 'rest over' | 'probe over' };

test('a breaker that is not closed lets one probe through at a time, and closes only by its success', async () => {
  const step = fc.record<Step>({
    kind: fc.constantFrom('draw', 'draws', 'success', 'failure', 'refused', 'rest over', 'probe over'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const name = await connection(1_000);
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
      for (const { kind } of steps) {
        if (kind === 'draw' || kind === 'draws') {
          const draws = await Promise.all(
            Array.from({ length: kind === 'draw' ? 1 : 4 }, () => draw(name, 1_000, 1_000, 5)),
          );
          const taken = draws.reduce((sum, one) => sum + one.taken, 0);
          if (!open) assert.equal(taken, 5 * draws.length, 'a closed breaker stops nobody');
          else if (resting || probing)
            assert.equal(taken, 0, 'nobody calls while it rests or another one tries');
          else {
            assert.equal(taken, 1, 'one tries');
            assert.equal(draws.filter((one) => one.verdict === 'probe').length, 1);
            probing = true;
          }
        } else if (kind === 'success') {
          await sql.run(database.pool, 'report_success', { connection: name });
          [failures, open, resting, probing] = [0, false, false, false];
        } else if (kind === 'failure' || kind === 'refused') {
          await fail(kind === 'refused');
          failures += 1;
          probing = false;
          if (open || kind === 'refused' || failures >= 3) [open, resting] = [true, true];
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
    { numRuns: 40 },
  );
});
