import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { aDestination, aSignal } from '../helpers/signal.ts';
import { openPolled, type Polled, type Scores } from './polled.ts';

let polled: Polled;
before(async () => {
  polled = await openPolled();
});
after(() => polled.close());

const arms = 0.8;
const disarms = 0.5;
const everyone = [...'abcd'];

/** What is in the set, and the score it was last told with. */
type Members = Map<string, number>;
/** `b changed` */
type Told = string;

/** What looking at these entities finds, said once more without SQL. */
function lookAt(members: Members, scores: Scores, entities: readonly string[]): Told[] {
  return entities.flatMap((id) => {
    const [known, score] = [members.get(id), scores.get(id)];
    const isIn = score !== undefined && (score > arms || (known !== undefined && !(score < disarms)));
    if (!isIn) return members.delete(id) ? [`${id} left`] : [];
    members.set(id, score);
    return known === undefined ? [`${id} entered`] : known === score ? [] : [`${id} changed`];
  });
}

const scores = fc
  .array(fc.tuple(fc.constantFrom(...everyone), fc.constantFrom(0.1, 0.6, 0.9)), {
    maxLength: 6,
  })
  .map((pairs): Scores => new Map(pairs));
const step = fc.record({
  scores,
  /** Nobody: a poll of the whole. `x` never has a row. */
  entities: fc.oneof(fc.constant([]), fc.uniqueArray(fc.constantFrom(...everyone, 'x'), { minLength: 3 })),
});

test('a row that a look saw, and that then is as the last poll left it, is news to the next poll', async () => {
  const table = await polled.table();
  const facts = { on: ['changed' as const], track: ['score'], sql: `select id, score from ${table}` };
  const signal = aSignal({ name: 'returns', ...facts });
  const destinations = [aDestination({ on: signal.on })];
  await polled.fill(table, new Map([['a', 1]]));
  await polled.poll(signal, destinations);
  await polled.fill(table, new Map([['a', 2]]));
  await polled.look(signal, destinations, ['a']);
  await polled.fill(table, new Map([['a', 1]]));
  assert.equal((await polled.poll(signal, destinations)).changed, 1);
});

test('looks and polls in any order tell what polls alone would, of whom they look at, and a poll after them all the rest', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const table = await polled.table();
      const signal = aSignal({
        name: `looks_${++run}`,
        sql: `select id, score from ${table}`,
        when: `score > ${arms}`,
        rearm: `score < ${disarms}`,
        on: ['entered', 'changed', 'left'],
        track: ['score'],
        guard: { maxNew: undefined, maxNewRatio: undefined, maxAgeMs: undefined, allowEmpty: true },
      });
      const destinations = [aDestination({ on: signal.on })];
      await polled.poll(signal, destinations);
      const members: Members = new Map();
      const told: Told[] = [];
      const check = async () => {
        assert.deepEqual((await messages(signal.name)).sort(), [...told].sort());
        assert.deepEqual(await present(signal.name), [...members.keys()].sort());
        assert.deepEqual(await wrongBuckets(signal.name), []);
      };
      for (const { scores: now, entities } of steps) {
        await polled.fill(table, now);
        if (entities.length > 0) await polled.look(signal, destinations, entities);
        else await polled.poll(signal, destinations);
        told.push(...lookAt(members, now, entities.length > 0 ? entities : everyone));
        await check();
      }
      await polled.poll(signal, destinations);
      told.push(...lookAt(members, steps.at(-1)?.scores ?? new Map(), everyone));
      await check();
      const again = await polled.poll(signal, destinations);
      assert.equal(again.entered + again.changed + again.departed, 0);
    }),
    { numRuns: 50 },
  );
});

async function messages(signal: string): Promise<Told[]> {
  const { rows } = await polled.ledger.pool.query(
    `select entity || ' ' || transition as told from messages where signal = $1`,
    [signal],
  );
  return rows.map(({ told }) => told);
}

async function present(signal: string): Promise<string[]> {
  const { rows } = await polled.ledger.pool.query(
    'select entity from entities where signal = $1 and present order by entity',
    [signal],
  );
  return rows.map(({ entity }) => entity);
}

/** Buckets that do not count the members that the set has there. */
async function wrongBuckets(signal: string): Promise<unknown[]> {
  const { rows } = await polled.ledger.pool.query(
    `select bucket, coalesce(counted.members, 0) as counted, coalesce(held.members, 0) as held
     from (select bucket, members from buckets where signal = $1 and members <> 0) as counted
     full join (
       select bucket, count(*) as members from entities where signal = $1 and present group by bucket
     ) as held using (bucket)
     where counted.members is distinct from held.members`,
    [signal],
  );
  return rows;
}
