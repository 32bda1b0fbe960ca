import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotSent } from '../../src/connectors/connector.ts';
import { ConnectionGate } from '../../src/ledger/connection.ts';
import { freshDatabase, type TestDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
before(async () => {
  database = await freshDatabase();
});
after(() => database.drop());

const { signal } = new AbortController();
const generous = { requests: 10_000, perMs: 1_000 };
const tight = { requests: 100, perMs: 1_000 };

async function gate(name: string, limit = generous): Promise<ConnectionGate> {
  const one = new ConnectionGate(database.pool, name, limit);
  await one.register();
  return one;
}

async function refusal(one: ConnectionGate): Promise<NotSent['outcome']> {
  const error = await one.pass(signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof NotSent, 'the gate let the call through');
  return error.outcome;
}

test('two workers together stay inside one budget', async () => {
  const workers = [await gate('shared', tight), await gate('shared', tight)];
  const passed: number[] = [];
  const until = performance.now() + 2_500;
  await Promise.all(
    workers.map(async (worker) => {
      while (performance.now() < until) {
        const answered = await worker.pass(signal);
        passed.push(performance.now());
        answered();
      }
    }),
  );
  passed.sort((a, b) => a - b);
  const worst = Math.max(
    ...passed.map((start) => passed.filter((at) => at >= start && at < start + 1_000).length),
  );
  assert.ok(worst <= tight.requests, `${worst} calls in one second`);
  // How much of the budget is used is the benchmark's to measure; here only that the next window opens too.
  assert.ok(passed.length > tight.requests, `only ${passed.length} calls in 2.5 s`);
});

test('a call that is not answered yet keeps its permit', async () => {
  const single = { requests: 1, perMs: 100 };
  const [one, other] = [await gate('unanswered', single), await gate('unanswered', single)];
  const answered = await one.pass(signal);
  const sentAt = performance.now();
  let passedAt = 0;
  const passing = other.pass(signal).then(() => {
    passedAt = performance.now();
  });
  await sleep(400);
  assert.equal(passedAt, 0, 'a second call went out beside the first');
  answered();
  await passing;
  assert.ok(passedAt - sentAt > 500, `the second call went out ${passedAt - sentAt} ms after the first`);
});

test('a limit too large to be kept call by call is kept in blocks, and nearly all of it is there', async () => {
  const large = await gate('large', { requests: 1_999, perMs: 60_000 });
  const { rows } = await database.pool.query<{ permits: number }>(
    "select cardinality(permits) as permits from connections where name = 'large'",
  );
  const calls = Math.ceil(1_999 / 500) * (rows[0]?.permits ?? 0);
  assert.ok(calls <= 1_999 && calls > 1_990, `${calls} calls`);
  await large.pass(signal);
});

test('a changed limit is in force at once and forgets no call', async () => {
  const before = await gate('changed', { requests: 2, perMs: 60_000 });
  (await before.pass(signal))();
  const after = await gate('changed', { requests: 1, perMs: 60_000 });
  assert.equal((await refusal(after)).kind, 'throttled');
});

test('a 429 seen by one worker stops the others', async () => {
  const [one, other] = [await gate('throttled'), await gate('throttled')];
  await one.pause({ kind: 'throttled', retryAfterMs: 60_000, reason: 'HTTP 429' });
  const outcome = await refusal(other);
  assert.equal(outcome.kind, 'throttled');
  assert.ok(outcome.kind === 'throttled' && (outcome.retryAfterMs ?? 0) > 50_000);
});

test('a 429 on the second call of a write pauses the connection although the item is only ambiguous', async () => {
  const one = await gate('second call');
  const meanwhile = { kind: 'throttled' as const, retryAfterMs: 60_000, reason: 'HTTP 429' };
  assert.equal(await one.learn([{ kind: 'ambiguous', reason: 'not confirmed', meanwhile }]), false);
  assert.equal((await refusal(one)).kind, 'throttled');
});

test('a 429 heeded in the middle of a batch stops the rest of it at once', async () => {
  const one = await gate('heeding');
  await one.pass(signal);
  one.heed({ kind: 'throttled', retryAfterMs: 60_000, reason: 'HTTP 429' });
  assert.equal((await refusal(one)).kind, 'throttled');
});

test('a shorter pause does not shorten a longer one', async () => {
  const one = await gate('longest');
  await one.pause({ kind: 'throttled', retryAfterMs: 60_000, reason: 'HTTP 429' });
  await one.pause({ kind: 'throttled', retryAfterMs: 1, reason: 'HTTP 429' });
  const outcome = await refusal(one);
  assert.ok(outcome.kind === 'throttled' && (outcome.retryAfterMs ?? 0) > 50_000);
});

test('five failures in a row open the breaker for every worker, four do not', async () => {
  // Of a larger budget one permit is good for several calls, and in hand for up to half a second.
  const small = { requests: 20, perMs: 10_000 };
  const [one, other] = [await gate('failing', small), await gate('failing', small)];
  for (let failure = 1; failure <= 4; failure += 1) {
    assert.equal(await one.failed('HTTP 500', false), undefined);
  }
  await other.pass(signal);
  assert.ok((await one.failed('HTTP 500', false)) !== undefined);
  const outcome = await refusal(other);
  assert.ok(outcome.kind === 'unavailable' && outcome.code === 'BREAKER_OPEN');
  assert.match(outcome.reason, /HTTP 500/);
});

test('a success between failures keeps the breaker closed', async () => {
  const one = await gate('recovering');
  for (let round = 0; round < 3; round += 1) {
    for (let failure = 0; failure < 4; failure += 1) await one.failed('HTTP 500', false);
    await one.succeeded();
  }
  await one.pass(signal);
});

test('after the rest exactly one of many workers may probe, and its success frees all', async () => {
  const workers = await Promise.all(Array.from({ length: 8 }, () => gate('probed')));
  await workers[0]?.failed('HTTP 401', true);
  await database.pool.query("update connections set retry_at = clock_timestamp() where name = 'probed'");
  const results = await Promise.allSettled(workers.map((worker) => worker.pass(signal)));
  const admitted = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
  assert.equal(admitted.length, 1);
  await workers[admitted[0] ?? 0]?.succeeded();
  await Promise.all(workers.map((worker) => worker.pass(signal)));
});

/** As if the rest were over. */
async function wake(name: string): Promise<void> {
  await database.pool.query('update connections set retry_at = clock_timestamp() where name = $1', [name]);
}

test('a failed probe rests twice as long as the one before', async () => {
  const one = await gate('resting');
  for (let failure = 1; failure <= 4; failure += 1) await one.failed('HTTP 500', false);
  const rests = [(await one.failed('HTTP 500', false)) ?? 0];
  for (let probe = 0; probe < 2; probe += 1) {
    await wake('resting');
    await one.pass(signal);
    rests.push((await one.failed('HTTP 500', false)) ?? 0);
  }
  const [first = 0, second = 0, third = 0] = rests;
  assert.ok(second > 1.5 * first && third > 1.5 * second, rests.join(', '));
});

test('calls that were under way when the breaker opened do not make its rest longer', async () => {
  const one = await gate('busy');
  for (let failure = 1; failure <= 5; failure += 1) await one.failed('HTTP 503', false);
  for (let late = 1; late <= 20; late += 1) {
    const rest = await one.failed('HTTP 503', late % 2 === 0);
    assert.ok(rest !== undefined && rest < 6_000, `late failure ${late} made the rest ${rest} ms`);
  }
});

test('who asks by hand ends the rest for one probe, whose answer closes the breaker', async () => {
  const one = await gate('by hand');
  await one.failed('HTTP 401', true);
  assert.match((await refusal(one)).reason, /resting/);
  await one.endRest();
  const answered = await one.pass(signal);
  answered(true);
  await one.settled();
  const { rows } = await database.pool.query("select breaker from connections where name = 'by hand'");
  assert.deepEqual(rows, [{ breaker: 'closed' }]);
});

test('a probe that succeeds in a batch whose other calls were refused closes the breaker', async () => {
  const one = await gate('probe in a batch');
  await one.failed('HTTP 401', true);
  await wake('probe in a batch');
  await one.pass(signal);
  const refused = await refusal(one);
  assert.equal(await one.learn([{ kind: 'applied', id: '1' }, refused, refused]), false);
  await one.pass(signal);
});

test('a probe that fails in such a batch rests again', async () => {
  const one = await gate('failed probe in a batch');
  await one.failed('HTTP 401', true);
  await wake('failed probe in a batch');
  await one.pass(signal);
  const refused = await refusal(one);
  assert.equal(await one.learn([{ kind: 'failed', reason: 'HTTP 500' }, refused]), false);
  const outcome = await refusal(one);
  assert.match(outcome.reason, /HTTP 500/);
  const { rows } = await database.pool.query(
    "select breaker, probe_until from connections where name = 'failed probe in a batch'",
  );
  assert.deepEqual(rows, [{ breaker: 'open', probe_until: null }]);
});

test('work that takes several calls goes on from a probe that was answered, and rests again when that one fails', async () => {
  const one = await gate('several calls');
  await one.failed('HTTP 401', true);
  await wake('several calls');
  (await one.pass(signal))(true);
  for (let page = 2; page <= 4; page += 1) (await one.pass(signal))(true);
  await one.failed('HTTP 401', true);
  await wake('several calls');
  (await one.pass(signal))(false);
  const outcome = await refusal(one);
  assert.match(outcome.reason, /HTTP 401/);
});

test('what begins too late is not sent, and a permit is not waited for beyond that', async () => {
  const one = await gate('late');
  await assert.rejects(one.pass(signal, performance.now() - 1), NotSent);
  (await one.pass(signal, performance.now() + 60_000))();
  const narrow = await gate('late and narrow', { requests: 1, perMs: 60_000 });
  (await narrow.pass(signal))();
  const started = performance.now();
  await assert.rejects(narrow.pass(signal, performance.now() + 1_000), NotSent);
  assert.ok(performance.now() - started < 1_500);
});
