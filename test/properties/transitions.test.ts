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

/** What is in the set, and the score it was last told with. */
type Members = ReadonlyMap<string, number>;

/** The set after a poll, said once more without SQL: armed comes in, disarmed goes out, in between stays as it is. */
function setAfter(members: Members, scores: Scores): Members {
  const next = new Map<string, number>();
  for (const [id, score] of scores) {
    const isMember = members.has(id);
    if (score > arms || (isMember && !(score < disarms))) next.set(id, score);
  }
  return next;
}

interface Told {
  entity: string;
  sequence: number;
  transition: 'entered' | 'changed' | 'left';
}

function apply(members: Members, told: readonly Told[], scores: Scores): Members {
  const next = new Map(members);
  for (const { entity, transition } of told) {
    if (transition === 'left') next.delete(entity);
    else next.set(entity, scores.get(entity) ?? Number.NaN);
  }
  return next;
}

const scores = fc
  .array(fc.tuple(fc.constantFrom(...'abcdefgh'), fc.constantFrom(0.1, 0.5, 0.6, 0.7, 0.81, 0.9)), {
    maxLength: 8,
  })
  .map((pairs): Scores => new Map(pairs));

test('the old set with the transitions of a poll applied is the new set, with hysteresis and crashes', async () => {
  let run = 0;
  const step = fc.record({ scores, crash: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const table = await polled.table();
      const signal = aSignal({
        name: `transitions_${++run}`,
        sql: `select id, score from ${table}`,
        when: `score > ${arms}`,
        rearm: `score < ${disarms}`,
        on: ['entered', 'changed', 'left'],
        track: ['score'],
        backfill: 'all',
        guard: { maxNew: undefined, maxNewRatio: undefined, maxAgeMs: undefined, allowEmpty: true },
      });
      let members: Members = new Map();
      let seen = 0;
      const sequences = new Map<string, number>();
      for (const { scores: now, crash } of steps) {
        await polled.fill(table, now);
        // A poll that dies before its commit has told nobody anything; the next one finds the same again.
        const before = await found(signal.name);
        const result = await polled
          .poll(signal, [aDestination({ on: signal.on })], crash ? 'crash' : 'none')
          .catch(() => undefined);
        const messages = await found(signal.name);
        if (!result) {
          assert.equal(messages.length, before.length);
          continue;
        }
        const told = messages.slice(seen);
        seen = messages.length;
        const wanted = setAfter(members, now);
        members = apply(members, told, now);
        assert.deepEqual(sorted(members), sorted(wanted));
        assert.deepEqual(await present(signal.name), [...members.keys()].sort());
        for (const { entity, sequence } of told) {
          assert.ok(sequence > (sequences.get(entity) ?? 0), 'sequences rise');
          sequences.set(entity, sequence);
        }
        assert.equal(new Set(told.map(({ entity }) => entity)).size, told.length, 'one transition an entity');
      }
    }),
    { numRuns: 25 },
  );
});

function sorted(members: Members): [string, number][] {
  return [...members].sort(([one], [other]) => one.localeCompare(other));
}

async function found(signal: string): Promise<Told[]> {
  const { rows } = await polled.ledger.pool.query<Told>(
    'select entity, sequence::integer as sequence, transition from messages where signal = $1 order by poll, entity',
    [signal],
  );
  return rows;
}

async function present(signal: string): Promise<string[]> {
  const { rows } = await polled.ledger.pool.query<{ entity: string }>(
    'select entity from entities where signal = $1 and present order by entity',
    [signal],
  );
  return rows.map(({ entity }) => entity);
}
