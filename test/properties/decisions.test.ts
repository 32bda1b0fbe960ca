import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '../../src/act/backoff.ts';
import { type ActionState, deadLetterStates, inFlightStates, moves } from '../../src/ledger/state.ts';
import { route } from '../../src/route/route.ts';
import { compileCondition, rowScope } from '../../src/templates/index.ts';

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a retry waits, longer after each attempt, never for ever, and not with all the others', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), share, share, (attempt, one, other) => {
      const ceiling = Math.min(600_000, 2_000 * 2 ** (attempt - 1));
      const wait = backoffMs(attempt, one);
      assert.ok(wait >= ceiling / 10 && wait <= ceiling, `${wait} of ${ceiling}`);
      assert.ok(backoffMs(attempt + 1, one) >= wait, 'later attempts wait longer');
      if (Math.abs(one - other) > 0.01)
        assert.notEqual(backoffMs(attempt, one), backoffMs(attempt, other), 'jitter');
    }),
  );
});

test('no destination decides differently because others decided before it', () => {
  const texts = [
    "plan != 'free'",
    'score > 0.5',
    'score > 0.5 and vip',
    "plan == 'free' or vip",
    'note == nil',
  ];
  const columns = [
    { name: 'plan', type: 'text', nativeType: 'varchar' },
    { name: 'score', type: 'decimal', nativeType: 'decimal' },
    { name: 'vip', type: 'boolean', nativeType: 'boolean' },
    { name: 'note', type: 'text', nativeType: 'varchar' },
  ] as const;
  const row = fc.tuple(
    fc.option(fc.constantFrom('free', 'pro')),
    fc.option(fc.constantFrom('0.4', '0.50', '0.500001', '1')),
    fc.option(fc.constantFrom('true', 'false')),
    fc.option(fc.constant('x')),
  );
  const turns = fc.array(fc.tuple(fc.nat(texts.length - 1), row), { minLength: 1, maxLength: 30 });
  const decide = ([index, values]: readonly [number, (string | null)[]]): string => {
    const text = texts[index] ?? '';
    const condition = compileCondition(text, { file: 'destinations/x.yaml' });
    return JSON.stringify(route(condition, text, rowScope(columns, values)));
  };
  fc.assert(
    fc.property(turns, fc.infiniteStream(fc.nat()), (list, order) => {
      const alone = new Map(list.map((turn) => [JSON.stringify(turn), decide(turn)]));
      const shuffled = list
        .map((turn) => ({ turn, by: order.next().value as number }))
        .sort((a, b) => a.by - b.by);
      for (const { turn } of shuffled) assert.equal(decide(turn), alone.get(JSON.stringify(turn)));
    }),
  );
});

test('a walk along the moves ends where nothing goes on by itself, and only a retry leads away from there', () => {
  const final: readonly ActionState[] = [
    'verified',
    'unverifiable',
    'suppressed',
    'superseded',
    ...deadLetterStates,
  ];
  // What a failed step of a play had stopped begins anew when that step is retried.
  const revived: readonly ActionState[] = ['suppressed'];
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (choices) => {
      let state: ActionState = 'planned';
      let retries = 0;
      for (const choice of choices) {
        const options: readonly ActionState[] = moves[state];
        if (final.includes(state)) {
          if (options.length === 0) return;
          assert.deepEqual(options, [revived.includes(state) ? 'planned' : 'ready'], `from ${state}`);
          retries += 1;
        }
        const next = options[choice % options.length] as ActionState;
        assert.notEqual(next, state);
        // A verdict needs a send, a send needs an intent.
        if (['verified', 'unverifiable', 'differs'].includes(next))
          assert.ok(['accepted', 'unknown'].includes(state));
        if (next === 'accepted' || next === 'unknown') assert.equal(state, 'sending');
        state = next;
      }
      const open = [...inFlightStates, 'held'] as ActionState[];
      assert.ok(retries > 0 || open.includes(state) || final.includes(state));
    }),
  );
});
