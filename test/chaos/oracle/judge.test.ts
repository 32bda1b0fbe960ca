import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeskKind, Expected } from '../workload/workload.ts';
import {
  automaticResends,
  callsPerAction,
  dropped,
  duplicates,
  falseFailure,
  falseSuccess,
  judges,
  lost,
  makeCase,
  orderViolations,
  phantom,
  rateBreachSeconds,
} from './judge.ts';
import type { LedgerAction, ReportPair } from './ledger.ts';
import type { Effect, Truth, Write } from './truth.ts';

const desk: Record<string, DeskKind> = { crm: 'upsert', tickets: 'keyed', chat: 'marker', orders: 'plain' };

/** `e-1` is expected at a desk, in as many versions as said. */
function expect(at: string, versions = 1): Map<string, Expected> {
  const tokens = Array.from({ length: versions }, (_, index) => `t-${index + 1}`);
  return new Map([['e-1', { desk: at, version: versions, tokens }]]);
}

const effect = (at: number, desk: string, version = 1, change: Partial<Effect> = {}): Effect => ({
  at,
  desk,
  request: at,
  record: 'r-1',
  late: false,
  refers: null,
  entity: 'e-1',
  version,
  token: `t-${version}`,
  ...change,
});

const write = (at: number, desk: string, change: Partial<Write> = {}): Write => ({
  at,
  desk,
  request: at,
  entities: ['e-1'],
  status: 201,
  fault: null,
  refused: [],
  ...change,
});

const action = (state: string, change: Partial<LedgerAction> = {}): LedgerAction => ({
  key: 'k-1',
  signal: 'due',
  destination: 'any',
  entity: 'e-1',
  sequence: 1,
  transition: 'entered',
  state,
  reason: null,
  attempts: 1,
  external_id: null,
  detected_at: new Date(0).toISOString(),
  sent_at: new Date(1).toISOString(),
  accepted_at: null,
  settled_at: ['planned', 'ready', 'sending', 'accepted', 'unknown', 'held'].includes(state)
    ? null
    : new Date(10_000).toISOString(),
  ...change,
});

function look(
  expected: Map<string, Expected>,
  actions: LedgerAction[],
  truth: Partial<Truth>,
  pairs: ReportPair[] = [],
  limit?: { requests: number; perMs: number },
) {
  const desks = Object.entries(desk).map(([name, kind]) => ({ name, kind, ...(limit ? { limit } : {}) }));
  const nothing: Truth = { effects: [], undos: [], unmarked: 0, writes: [], requests: new Map() };
  return makeCase(expected, desks, { actions, pairs }, { ...nothing, ...truth });
}

test('a run in which all went well raises nothing', () => {
  for (const at of Object.keys(desk)) {
    const it = look(expect(at), [action('verified')], { effects: [effect(5, at)], writes: [write(5, at)] }, [
      { signal: 'due', destination: 'any', detected: 1, verified: 1, in_flight: 0, unaccounted: 0 },
    ]);
    for (const [figure, judge] of Object.entries(judges))
      assert.deepEqual(judge(it), [], `${figure} at ${at}`);
    assert.equal(callsPerAction(it), 1);
  }
});

test('lost: neither at the desk nor in the ledger', () => {
  assert.equal(lost(look(expect('tickets'), [], {})).length, 1);
});

test('lost: superseded by nothing that arrived', () => {
  assert.equal(lost(look(expect('tickets'), [action('superseded')], {})).length, 1);
});

test('lost: verified, and not there', () => {
  assert.equal(lost(look(expect('tickets'), [action('verified')], {})).length, 1);
});

test('lost: an older value stayed at the desk and the ledger knows nothing of the newer', () => {
  assert.equal(
    lost(look(expect('crm', 2), [action('verified')], { effects: [effect(5, 'crm', 1)] })).length,
    1,
  );
});

test('not lost: still open, or honestly failed', () => {
  for (const state of ['ready', 'unknown', 'rejected', 'dead', 'expired', 'escalated', 'differs', 'held'])
    assert.deepEqual(lost(look(expect('tickets'), [action(state)], {})), [], state);
});

test('dropped: the report counts a detection that the list lacks', () => {
  const pair = { signal: 'due', destination: 'any', detected: 3, verified: 1, in_flight: 0, unaccounted: 0 };
  assert.equal(dropped(look(expect('tickets'), [action('verified')], {}, [pair])).length, 2);
});

test('dropped: the report itself says that something is unaccounted', () => {
  const pair = { signal: 'due', destination: 'any', detected: 1, verified: 1, in_flight: 0, unaccounted: -1 };
  assert.equal(dropped(look(expect('tickets'), [action('verified')], {}, [pair])).length, 1);
});

test('duplicates: two records for one entity', () => {
  for (const at of ['tickets', 'chat', 'crm']) {
    const effects = [effect(5, at), effect(6, at, 1, { record: 'r-2' })];
    assert.equal(duplicates(look(expect(at), [action('verified')], { effects })).length, 1, at);
  }
});

test('no duplicate: an upsert of the same record twice', () => {
  const effects = [effect(5, 'crm'), effect(6, 'crm')];
  assert.deepEqual(duplicates(look(expect('crm'), [action('verified')], { effects })), []);
});

test('automaticResends: a second create after a 500, a timeout, an answer that was applied, or none at all', () => {
  for (const first of [{ status: 500 }, { status: 504 }, { status: null }]) {
    const writes = [write(5, 'orders', first), write(9, 'orders')];
    const it = look(expect('orders'), [action('verified')], { writes, effects: [effect(9, 'orders')] });
    assert.equal(automaticResends(it).length, 1, JSON.stringify(first));
  }
  const writes = [write(5, 'orders'), write(9, 'orders')];
  const effects = [effect(5, 'orders'), effect(9, 'orders', 1, { record: 'r-2' })];
  assert.equal(automaticResends(look(expect('orders'), [], { writes, effects })).length, 1);
});

test('no automatic resend: after a refusal, or after a success that proved to be nothing', () => {
  for (const first of [{ status: 429 }, { status: 503 }, { status: 400 }, { status: 201 }]) {
    const writes = [write(5, 'orders', first), write(9, 'orders')];
    const it = look(expect('orders'), [action('verified')], { writes, effects: [effect(9, 'orders')] });
    assert.deepEqual(automaticResends(it), [], JSON.stringify(first));
  }
});

test('phantom: an entity, a version, a token or a desk that nobody asked for', () => {
  const wrong: Partial<Effect>[] = [
    { entity: 'e-2' },
    { version: 2, token: 't-2' },
    { token: 't-9' },
    { desk: 'chat' },
  ];
  for (const change of wrong) {
    const effects = [effect(5, 'tickets', 1, change)];
    assert.equal(phantom(look(expect('tickets'), [], { effects })).length, 1, JSON.stringify(change));
  }
});

test('falseSuccess: verified, and not at the desk', () => {
  assert.equal(falseSuccess(look(expect('tickets'), [action('verified')], {})).length, 1);
});

test('falseSuccess: the newest action is verified, and the desk holds an older value', () => {
  const actions = [action('verified'), action('verified', { key: 'k-2', sequence: 2 })];
  const it = look(expect('crm', 2), actions, { effects: [effect(5, 'crm', 1)] });
  assert.equal(falseSuccess(it).length, 1);
});

test('falseSuccess: verified before anything was there', () => {
  const it = look(expect('tickets'), [action('verified')], { effects: [effect(60_000, 'tickets')] });
  assert.equal(falseSuccess(it).length, 1);
});

test('falseFailure: the ledger gave up on what is there', () => {
  for (const state of ['rejected', 'dead', 'expired', 'differs']) {
    const truth = {
      effects: [effect(5, 'tickets')],
      writes: [write(5, 'tickets', { status: 504, fault: 'timeout_after' })],
    };
    assert.equal(falseFailure(look(expect('tickets'), [action(state)], truth)).length, 1, state);
  }
});

test('no false failure: the last answer refused it by name', () => {
  const refused = [{ entity: 'e-1', version: 1, token: 't-1' }];
  const truth = {
    effects: [effect(5, 'tickets')],
    writes: [write(5, 'tickets', { status: null }), write(8, 'tickets', { status: 400, refused })],
  };
  assert.deepEqual(falseFailure(look(expect('tickets'), [action('rejected')], truth)), []);
});

test('orderViolations: an older version came after a newer one', () => {
  const effects = [effect(5, 'crm', 1), effect(6, 'crm', 2), effect(7, 'crm', 1), effect(8, 'crm', 2)];
  assert.equal(orderViolations(look(expect('crm', 2), [], { effects })).length, 1);
});

test('rateBreachSeconds: a window holds more requests than the limit', () => {
  const limit = { requests: 5, perMs: 2_000 };
  const evenly = Array.from({ length: 50 }, (_, index) => index * 400);
  const burst = [...evenly, ...Array.from({ length: 6 }, (_, index) => 30_000 + index)];
  const breach = (times: number[]) =>
    rateBreachSeconds(look(expect('crm'), [], { requests: new Map([['crm', times]]) }, [], limit)).length;
  assert.equal(breach(evenly), 0);
  assert.ok(breach(burst) >= 1);
});

test('callsPerAction counts every entity of a batch', () => {
  const writes = [write(5, 'crm', { entities: ['e-1', 'e-2'] }), write(6, 'crm')];
  const actions = [action('verified'), action('verified', { entity: 'e-2' })];
  assert.equal(callsPerAction(look(expect('crm'), actions, { writes })), 1.5);
});
