import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { FaultyDesks, parsed } from './faulty-desks.ts';
import { deskKinds } from './standins/config.ts';

const desks = await FaultyDesks.start(7);
const { place, asking } = desks;
after(() => place.stop());
const fresh = () => desks.fresh();
const under = desks.under.bind(desks);

describe('throttling', () => {
  for (const desk of deskKinds) {
    test(`the ${desk} desk tells the time to wait in seconds, as a date, or not`, async () => {
      const more = { retryAfterSeconds: 7 };
      const ask = () => asking.write(desk, fresh());
      const seconds = await under(desk, 'throttled_seconds', ask, more);
      assert.equal(seconds.headers.get('retry-after'), '7');
      const date = await under(desk, 'throttled_date', ask, more);
      const waitMs = Date.parse(date.headers.get('retry-after') ?? '') - Date.now();
      assert.ok(waitMs > 4000 && waitMs <= 7000, String(waitMs));
      const bare = await under(desk, 'throttled_bare', ask, more);
      assert.deepEqual([bare.status, bare.headers.get('retry-after')], [429, null]);
    });
  }
});

describe('how an answer travels', () => {
  for (const desk of deskKinds) {
    test(`the ${desk} desk writes and sends half of the JSON`, async () => {
      const { status, text, truth } = await under(desk, 'truncated_json', () => asking.write(desk, fresh()));
      assert.ok(status === 200 || status === 201);
      assert.throws(() => JSON.parse(text));
      assert.equal(truth.filter(({ event }) => event === 'applied').length, 1);
    });

    test(`the ${desk} desk writes and lets the answer drip`, async () => {
      const started = performance.now();
      const ask = () => asking.write(desk, fresh());
      const { body } = await under(desk, 'slow_drip', ask, { slowMs: 200 });
      // A timer of 20 ms can fire a millisecond early, ten times.
      assert.ok(performance.now() - started >= 150);
      assert.notDeepEqual(body, {});
    });
  }
});

describe('reading', () => {
  for (const desk of deskKinds) {
    test(`the ${desk} desk can refuse to be read, or show what was`, async () => {
      const entity = fresh();
      await (await asking.write(desk, entity)).text();
      const read = () => asking.read(desk, entity);
      const token = `t-${entity.slice(2)}`;
      assert.equal((await under(desk, 'read_429', read)).status, 429);
      assert.equal((await under(desk, 'read_500', read)).status, 500);
      const stale = await under(desk, 'stale_read', read, { staleMs: 60_000 });
      assert.doesNotMatch(stale.text, new RegExp(token));
      assert.match(await (await read()).text(), new RegExp(token));
    });
  }

  test('a channel is paged from the newest on, between two times, each message once', async () => {
    for (let more = 0; more < 25; more++) await (await asking.write('marker', fresh())).text();
    type Page = { messages: { ts: string }[]; has_more: boolean; response_metadata: { next_cursor: string } };
    const history = async (range: object) => (await (await asking.history(range)).json()) as Page;
    const { messages: all } = await history({ limit: 999 });
    const times = all.map(({ ts }) => ts);
    assert.deepEqual(times, times.toSorted().reverse());
    const paged: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const page: Page = await history({ limit: 10, ...(cursor ? { cursor } : {}) });
      paged.push(...page.messages.map(({ ts }) => ts));
      cursor = page.has_more ? page.response_metadata.next_cursor : undefined;
    }
    assert.deepEqual(paged, times);
    const [latest, oldest] = [times[3] as string, times[9] as string];
    const between = async (inclusive: boolean) =>
      (await history({ latest, oldest, inclusive })).messages.map(({ ts }) => ts);
    assert.deepEqual(await between(true), times.slice(3, 10));
    assert.deepEqual(await between(false), times.slice(4, 9));
  });

  test('a stale contact has the value before its last change', async () => {
    const entity = fresh();
    await (await asking.upsert([entity], { first: 'old ' })).text();
    await (await asking.upsert([entity], { first: 'new ' })).text();
    const stale = await under('upsert', 'stale_read', () => asking.read('upsert', entity), {
      staleMs: 60_000,
    });
    assert.match(stale.text, /"firstname":"old /);
  });
});

describe('batches', () => {
  const results = (body: Record<string, unknown>) =>
    (body.results as { objectWriteTraceId: string }[]).map((one) => one.objectWriteTraceId);
  const many = () => Array.from({ length: 12 }, fresh);

  test('a part of the batch fails, named by trace id, and is not written; the rest is', async () => {
    const batch = many();
    const { status, body, truth } = await under('upsert', 'partial_207', () => asking.upsert(batch));
    const errors = body.errors as { context: { objectWriteTraceId: string[] }; category: string }[];
    const failed = errors.flatMap((error) => error.context.objectWriteTraceId);
    assert.equal(status, 207);
    assert.equal(body.numErrors, failed.length);
    assert.ok(failed.length > 0 && failed.length < 12, String(failed.length));
    assert.deepEqual([...results(body), ...failed].sort(), batch.map((one) => `trace-${one}`).sort());
    assert.equal(truth.filter(({ event }) => event === 'applied').length, 12 - failed.length);
  });

  test('the results come in another order', async () => {
    const batch = many();
    const { status, body } = await under('upsert', 'shuffled_207', () => asking.upsert(batch));
    const asked = batch.map((one) => `trace-${one}`);
    assert.equal(status, 207);
    assert.notDeepEqual(results(body), asked);
    assert.deepEqual(results(body).sort(), asked);
  });

  test('results are missing, though all was written', async () => {
    const { body, truth } = await under('upsert', 'short_207', () => asking.upsert(many()));
    assert.ok(results(body).length < 12);
    assert.equal(body.errors, undefined);
    assert.equal(truth.filter(({ event }) => event === 'applied').length, 12);
  });

  test('one bad write condemns every batch it is in, unnamed, until it is alone', async () => {
    const batch = many();
    const whole = await under('upsert', 'batch_400', () => asking.upsert(batch));
    assert.deepEqual([whole.status, whole.body.errors], [400, undefined]);
    assert.ok(!whole.truth.some(({ event }) => event === 'applied'));
    const before = (await place.truth()).length;
    const statuses: number[] = [];
    for (const entity of batch) statuses.push((await asking.upsert([entity])).status);
    assert.deepEqual(statuses.sort(), [...Array<number>(11).fill(200), 400]);
    const refused = (await place.truth()).slice(before).flatMap((line) => (line.refused as object[]) ?? []);
    assert.equal(refused.length, 1);
  });

  test('a batch is too large, a single write never is', async () => {
    const { status, truth } = await under('upsert', 'too_large_413', () => asking.upsert(many()));
    assert.equal(status, 413);
    assert.deepEqual(truth.find(({ event }) => event === 'answered')?.refused, []);
    await place.standins.change('upsert', { faults: { share: 1, kinds: ['too_large_413'] } });
    assert.equal((await asking.upsert([fresh()])).status, 200);
    await place.standins.change('upsert', { faults: null });
  });

  test('bad entities are refused each by name, or with the whole batch', async () => {
    const [bad = '', ...good] = many();
    await place.standins.change('upsert', { bad: [bad] });
    const single = parsed(await (await asking.upsert([bad, ...good])).text());
    assert.deepEqual([single.numErrors, results(single).length], [1, 11]);
    await place.standins.change('upsert', { atomic: true });
    assert.doesNotMatch(await (await asking.upsert([bad, ...good])).text(), /trace-/);
    await place.standins.change('upsert', { names: true });
    const named = await asking.upsert([bad, ...good]);
    assert.equal(named.status, 400);
    assert.match(await named.text(), new RegExp(`"objectWriteTraceId":\\["trace-${bad}"\\]`));
    await place.standins.change('upsert', { bad: [], atomic: false });
  });
});

describe('the promise of an idempotency key', () => {
  const ask = (entity: string) => asking.write('keyed', entity);

  test('is kept: the second request gets the first answer, and another body is refused', async () => {
    const entity = fresh();
    const [first, second] = [await ask(entity), await ask(entity)];
    assert.deepEqual(
      [first.headers.get('x-idempotency-lookup'), second.headers.get('x-idempotency-lookup')],
      ['miss', 'hit'],
    );
    assert.equal(await first.text(), await second.text());
    const other = await asking.write('keyed', fresh(), { key: entity });
    assert.equal(other.status, 400);
    assert.match(await other.text(), /IdempotentRequestError/);
  });

  test('is not made by a request that was never executed', async () => {
    for (let again = 0; ; again++) {
      const entity = fresh();
      const { truth } = await under('keyed', 'html_200', () => ask(entity));
      if (truth.some(({ event }) => event === 'applied') && again < 20) continue;
      assert.equal((await ask(entity)).headers.get('x-idempotency-lookup'), 'miss');
      break;
    }
  });

  for (const fault of ['key_ignored', 'key_expired'] as const) {
    test(`is broken by ${fault}: a second ticket`, async () => {
      const entity = fresh();
      await (await ask(entity)).text();
      await under('keyed', fault, () => ask(entity));
      const { tickets } = (await (await asking.read('keyed', entity)).json()) as { tickets: object[] };
      assert.equal(tickets.length, 2);
    });
  }
});

test('values come back as the vendor tidies them', async () => {
  const entity = fresh();
  const contact = () => asking.upsert([entity], { first: '  ' });
  const { body } = await under('upsert', 'normalised', contact);
  const [result] = body.results as { properties: { firstname: string } }[];
  assert.equal(result?.properties.firstname, `${entity} v1 t-${entity.slice(2)}`);
});

test('a 401 is a burst of three requests', async () => {
  let statuses = '';
  await place.standins.change('plain', { faults: { share: 0.1, kinds: ['unauthorized_401'] } });
  for (let more = 0; more < 60; more++)
    statuses += (await asking.write('plain', fresh())).status === 401 ? 'no ' : 'yes ';
  await place.standins.change('plain', { faults: null });
  assert.match(statuses, /yes no no no yes/);
  assert.doesNotMatch(statuses, /yes (no ){1,2}yes/);
});
