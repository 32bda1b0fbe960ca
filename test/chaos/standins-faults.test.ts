import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Asking, oneOfEach, running, type TruthLine } from './asking.ts';
import { type DeskKind, deskKinds, type FaultConfig } from './standins/config.ts';
import { type FaultKind, faultKinds } from './standins/faults.ts';

const place = await running(7, oneOfEach);
const asking = new Asking(place);
after(() => place.stop());
let entities = 0;

/** An entity that nobody has spoken of. */
const fresh = () => `e-${String(++entities).padStart(5, '0')}`;

/** Asks once under this fault and tells what came back and what was written. */
async function under(
  desk: DeskKind,
  fault: FaultKind,
  ask: () => Promise<Response>,
  more: Partial<FaultConfig> = {},
): Promise<{
  status: number;
  text: string;
  body: Record<string, unknown>;
  headers: Headers;
  truth: TruthLine[];
}> {
  const before = (await place.truth()).length;
  await place.standins.change(desk, { faults: { share: 1, kinds: [fault], ...more } });
  const response = await ask();
  const text = await response.text();
  await place.standins.change(desk, { faults: null });
  const truth = (await place.truth()).slice(before);
  const answered = truth.find(({ event }) => event === 'answered');
  assert.equal(answered?.fault, fault);
  assert.equal(answered?.status, response.status);
  const { status, headers } = response;
  return { status, text, body: parsed(text), headers, truth };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Per desk: status and a piece of the answer's text. */
type Form = Partial<Record<DeskKind, readonly [number, RegExp]>>;
type Written = 'now' | 'never' | 'late' | 'by a draw';

/** Faults whose whole answer is the vendor's own word for it. */
const forms: Partial<Record<FaultKind, { written: Written; refuses?: true; form: Form }>> = {
  ok_with_error_body: {
    written: 'by a draw',
    form: {
      keyed: [200, /"error":"InternalServerError"/],
      upsert: [200, /"status":"error".*"category":"INTERNAL_ERROR"/],
      marker: [200, /^\{"ok":false,"error":"fatal_error"\}$/],
      plain: [200, /"error"/],
    },
  },
  late: {
    written: 'late',
    form: {
      keyed: [201, /"ticket":/],
      upsert: [200, /"results":\[\{/],
      marker: [200, /"ok":true.*"ts":/],
      plain: [201, /"id":/],
    },
  },
  accepted_202: {
    written: 'late',
    form: {
      keyed: [202, /^\{\}$/],
      upsert: [202, /^\{\}$/],
      marker: [202, /"ok":true/],
      plain: [202, /^\{\}$/],
    },
  },
  not_written: {
    written: 'never',
    form: {
      keyed: [201, /"ticket":/],
      upsert: [200, /"results":\[\{/],
      marker: [200, /"ok":true.*"ts":/],
      plain: [201, /"id":/],
    },
  },
  item_400: {
    written: 'never',
    refuses: true,
    form: {
      keyed: [422, /"error":"RecordInvalid".*"details"/],
      upsert: [207, /"numErrors":1.*"category":"VALIDATION_ERROR".*"objectWriteTraceId":\["trace-e-/],
      marker: [200, /^\{"ok":false,"error":"restricted_action"\}$/],
      plain: [400, /"error":"invalid_order"/],
    },
  },
  unauthorized_401: {
    written: 'never',
    form: {
      keyed: [401, /Couldn't authenticate you/],
      upsert: [401, /"category":"INVALID_AUTHENTICATION"/],
      marker: [200, /^\{"ok":false,"error":"invalid_auth"\}$/],
      plain: [401, /unauthorized/],
    },
  },
  gone_404: {
    written: 'never',
    refuses: true,
    form: {
      keyed: [404, /"error":"RecordNotFound"/],
      upsert: [207, /"category":"OBJECT_NOT_FOUND".*"objectWriteTraceId":\["trace-e-/],
      marker: [200, /^\{"ok":false,"error":"channel_not_found"\}$/],
      plain: [404, /not_found/],
    },
  },
  gone_410: {
    written: 'never',
    refuses: true,
    form: { marker: [200, /^\{"ok":false,"error":"is_archived"\}$/], plain: [410, /gone/] },
  },
  conflict_409: {
    written: 'never',
    refuses: true,
    form: {
      keyed: [409, /"error":"DatabaseConflict"/],
      upsert: [207, /"category":"CONFLICT"/],
      plain: [409, /conflict/],
    },
  },
  too_large_413: {
    written: 'never',
    refuses: true,
    form: { keyed: [413, /<html>/], marker: [200, /"error":"msg_too_long"/], plain: [413, /<html>/] },
  },
  throttled_seconds: {
    written: 'never',
    form: {
      keyed: [429, /requests per minute exceeded/],
      upsert: [429, /"errorType":"RATE_LIMIT".*"policyName":"SECONDLY"/],
      marker: [429, /^\{"ok":false,"error":"ratelimited"\}$/],
      plain: [429, /too_many_requests/],
    },
  },
  error_before: {
    written: 'never',
    form: {
      keyed: [500, /error/],
      upsert: [500, /error/],
      marker: [500, /internal_error/],
      plain: [500, /error/],
    },
  },
  error_after: {
    written: 'now',
    form: {
      keyed: [500, /error/],
      upsert: [500, /error/],
      marker: [500, /internal_error/],
      plain: [500, /error/],
    },
  },
  unavailable_503: {
    written: 'never',
    form: { keyed: [503, /./], upsert: [503, /./], marker: [503, /service_unavailable/], plain: [503, /./] },
  },
  timeout_after: {
    written: 'now',
    form: {
      keyed: [504, /<html>/],
      upsert: [504, /<html>/],
      marker: [504, /<html>/],
      plain: [504, /<html>/],
    },
  },
  html_200: {
    written: 'by a draw',
    form: {
      keyed: [200, /<html>/],
      upsert: [200, /<html>/],
      marker: [200, /<html>/],
      plain: [200, /<html>/],
    },
  },
};

describe('each fault has the form its vendor gives it', () => {
  for (const [fault, { written, refuses, form }] of Object.entries(forms)) {
    for (const [desk, [status, pattern]] of Object.entries(form) as [DeskKind, readonly [number, RegExp]][]) {
      test(`${fault} at the ${desk} desk, written ${written}`, async () => {
        const entity = fresh();
        const answer = await under(desk, fault as FaultKind, () => asking.write(desk, entity));
        assert.equal(answer.status, status, answer.text);
        assert.match(answer.text, pattern);
        const applied = answer.truth.filter(({ event }) => event === 'applied');
        if (written !== 'by a draw') assert.equal(applied.length, written === 'never' ? 0 : 1);
        for (const one of applied) {
          assert.deepEqual([one.entity, one.version, one.token], [entity, 1, `t-${entity.slice(2)}`]);
          assert.equal(one.late, written === 'late');
        }
        const answered = answer.truth.find(({ event }) => event === 'answered');
        const refused = (answered?.refused as { entity: string }[]).map((one) => one.entity);
        assert.deepEqual(refused, refuses ? [entity] : []);
      });
    }
  }

  test('every fault of the menu is looked at here, or in a test of its own', () => {
    const others: FaultKind[] = [
      ...([
        'normalised',
        'batch_400',
        'throttled_date',
        'throttled_bare',
        'truncated_json',
        'slow_drip',
      ] as const),
      ...(['partial_207', 'shuffled_207', 'short_207', 'stale_read', 'read_429', 'read_500'] as const),
      ...(['key_ignored', 'key_expired'] as const),
    ];
    assert.deepEqual([...Object.keys(forms), ...others].sort(), Object.keys(faultKinds).sort());
  });
});

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
