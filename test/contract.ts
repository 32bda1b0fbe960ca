import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connector, Reading } from '../src/connectors/connector.ts';
import { NotSent, type Outcome, type Sandbox, type Unavailable } from '../src/connectors/connector.ts';
import { type Candidate, Desk, examinedActions, exampleSettings, fileSettings } from './helpers/desk.ts';

/**
 * The exam every connector sits: `examine(connector, { action: candidate, … })`. It judges by what the sandbox really
 * holds, and after every question by what no answer may ever contain or claim (see `Desk`).
 */
export function examine(connector: Connector, candidates: Record<string, Candidate>): void {
  describe(`the connector ${connector.name}`, () => {
    it('declares as many actions as sit the exam', () => {
      assert.deepEqual(Object.keys(candidates).sort(), Object.keys(examinedActions(connector)).sort());
    });
    it('shows an example connection that its own schema accepts', () => {
      const { connector: name, ...settings } = exampleSettings(connector);
      assert.equal(name, connector.name);
      fileSettings(connector, settings);
    });
    it('refuses a secret written in the open, without repeating it', async () => {
      const sandbox = await connector.sandbox({ token: 'written-in-the-open' });
      await sandbox.close();
      const result = connector.schema.safeParse(sandbox.settings);
      assert.equal(result.success, false);
      assert.doesNotMatch(String(result.error), /written-in-the-open/);
    });
    for (const [name, candidate] of Object.entries(candidates)) {
      describe(name, () => {
        const ask = (question: string, work: (desk: Desk) => Promise<void>) =>
          it(question, () => Desk.sit(connector, name, candidate, work));
        writing(ask);
        refusals(ask);
        doubt(ask);
        if (examinedActions(connector)[name]?.unverifiable === undefined) readingBack(ask);
        else neverAsked(ask);
        gate(ask);
      });
    }
  });
}

type Ask = (question: string, work: (desk: Desk) => Promise<void>) => void;

function writing(ask: Ask): void {
  ask('shows an example that its own schemas accept', async ({ action }) => {
    action.fields.parse(action.example.fields);
    action.options.parse(action.example.options ?? {});
  });
  ask('writes a batch, and reads the same values back by id and without', async (desk) => {
    const items = desk.items(Math.min(3, desk.action.maxBatch));
    const outcomes = await desk.write(items);
    assert.equal(desk.writes(), items.length);
    for (const item of items) assert.equal(outcomes.get(item.key)?.kind, 'applied', item.key);
    const ids = new Map(items.map((item) => [item.key, idOf(outcomes.get(item.key))]));
    if (!desk.readable) return;
    for (const readings of [await desk.read(items, ids), await desk.read(items)]) {
      for (const item of items)
        assert.deepEqual(desk.differences(item, readings.get(item.key)), [], item.key);
    }
  });
  ask('leaves one record when the same key is written twice', async (desk) => {
    const [item] = desk.items(1);
    const first = await desk.writeOne(item);
    const records = desk.sandbox.records().length;
    if (['keyed', 'upsert'].includes(desk.action.idempotency)) {
      assert.equal(idOf(await desk.writeOne(item)), idOf(first));
      assert.equal(desk.sandbox.records().length, records);
    }
    // Without a key of the vendor's, a second write is prevented by finding the first.
    if (desk.readable) assert.deepEqual(desk.differences(item, await desk.readOne(item)), []);
  });
}

function refusals(ask: Ask): void {
  ask('names the one item of a batch that is refused, and writes the others', async (desk) => {
    const items = desk.items(Math.min(3, desk.action.maxBatch));
    const bad = items[items.length - 1];
    desk.sandbox.inject({ kind: 'reject_item', match: desk.markOf(bad) });
    const outcomes = await desk.write(items);
    const refused = outcomes.get(bad?.key ?? '');
    assert.equal(refused?.kind, 'rejected');
    assert.ok(refused.kind === 'rejected' && refused.reason !== '' && refused.permanent);
    for (const item of items) if (item !== bad) assert.equal(outcomes.get(item.key)?.kind, 'applied');
    assert.equal(desk.writes(), items.length - 1);
  });
  ask('refuses a field the vendor does not know, and says which', async (desk) => {
    const [item] = desk.items(1);
    const fields = { ...item.fields, unknown_field: 'x' };
    const checked = desk.action.fields.safeParse(fields);
    const said = checked.success ? await desk.writeOne({ ...item, fields }) : String(checked.error);
    if (typeof said !== 'string') assert.equal(said.kind, 'rejected');
    assert.match(JSON.stringify(said), /unknown_field/);
    assert.equal(desk.writes(), 0);
  });
  ask('is throttled by a 429, for as long as Retry-After says', async (desk) => {
    const [item] = desk.items(1);
    const said = desk.candidate.saysWhen === false ? null : 7000;
    desk.sandbox.inject({ kind: 'throttle', retryAfterSeconds: 7 });
    const outcome = await desk.writeOne(item);
    assert.ok(outcome.kind === 'throttled', outcome.kind);
    assert.equal(outcome.retryAfterMs, said);
    assert.equal(desk.writes(), 0);
    desk.sandbox.inject({ kind: 'throttle', retryAfterSeconds: 7 });
    const again = desk.readable ? await desk.readOne(item) : await desk.writeOne(item);
    assert.equal(again.kind, 'throttled');
    assert.deepEqual(
      desk.gate.heeded.map((refusal) => refusal.kind === 'throttled' && refusal.retryAfterMs),
      [said, said],
      'the gate was not told at once',
    );
  });
  ask('is throttled by a 429 without Retry-After', async (desk) => {
    const [item] = desk.items(1);
    desk.sandbox.inject({ kind: 'throttle_bare' });
    const outcome = await desk.writeOne(item);
    assert.ok(outcome.kind === 'throttled', outcome.kind);
    assert.ok(outcome.retryAfterMs === null || outcome.retryAfterMs > 0);
    assert.equal(desk.writes(), 0);
  });
  ask('is unavailable when the credentials are refused, and doctor says so', async (desk) => {
    const [item] = desk.items(1);
    const stranger = await desk.stranger();
    const outcome = (await stranger.write(desk.name, desk.options, [item], desk.call())).get(item.key);
    desk.evidence.push(outcome);
    assert.equal(outcome?.kind, 'unavailable');
    const findings = await stranger.check([{ action: desk.name, options: desk.options }], desk.call());
    desk.evidence.push(findings);
    assert.ok(findings.length > 0 && findings.every(({ problem, hint }) => problem !== '' && hint !== ''));
    await stranger.close();
    desk.sandbox.inject({ kind: 'unauthorized' });
    const again = desk.readable ? await desk.readOne(item) : await desk.writeOne(item);
    assert.equal(again.kind, 'unavailable');
    assert.equal(desk.writes(), 0);
    assert.deepEqual(
      await desk.client.check([{ action: desk.name, options: desk.options }], desk.call()),
      [],
    );
  });
  ask('is unavailable when no connection can be made', async (desk) => {
    const [item] = desk.items(1);
    const castaway = await desk.castaway();
    const outcome = await castaway.write(desk.name, desk.options, [item], desk.call());
    const findings = await castaway.check([], desk.call());
    desk.evidence.push(outcome, findings);
    assert.equal(outcome.get(item.key)?.kind, 'unavailable');
    if (desk.readable) {
      const readings = await castaway.read(desk.name, desk.options, [desk.readItem(item)], desk.call());
      desk.evidence.push(readings);
      assert.equal(readings.get(item.key)?.kind, 'unavailable');
    }
    assert.ok(findings.length > 0);
  });
}

function doubt(ask: Ask): void {
  const kinds = {
    error_before_write: false,
    error_after_write: true,
    cut_before_write: false,
    cut_after_write: true,
    garbage: false,
  } as const;
  for (const [kind, written] of Object.entries(kinds)) {
    ask(`is in doubt after ${kind}, until read-back tells`, async (desk) => {
      const [item] = desk.items(1);
      desk.sandbox.inject({ kind: kind as keyof typeof kinds, ...desk.atWrite() });
      assert.equal((await desk.writeOne(item)).kind, 'ambiguous');
      assert.equal(desk.writes() > 0, written);
      if (desk.readable)
        assert.equal(desk.isWritten(item, await desk.readOne(item), desk.candidate.later), written);
    });
  }
  ask('is in doubt when no answer comes in time; the write may land later', async (desk) => {
    const [item] = desk.items(1);
    desk.sandbox.inject({ kind: 'slow', delayMs: 900, ...desk.atWrite() });
    const call = { signal: new AbortController().signal, timeoutMs: 400 };
    assert.equal((await desk.writeOne(item, call)).kind, 'ambiguous');
    await landed(desk);
    if (desk.readable) assert.equal((await desk.readOne(item)).kind, 'found');
  });
  ask('lets go at once when it is told to stop, and is in doubt', async (desk) => {
    const [item] = desk.items(1);
    desk.sandbox.inject({ kind: 'slow', delayMs: 300, ...desk.atWrite() });
    const stop = new AbortController();
    const writing = desk.writeOne(item, { signal: stop.signal, timeoutMs: 5000 });
    await underWay(desk.sandbox);
    stop.abort();
    assert.equal((await writing).kind, 'ambiguous');
    assert.equal(desk.writes(), 0);
    await landed(desk);
  });
}

function readingBack(ask: Ask): void {
  ask('is told absent, or the old values, when the vendor only said it had written', async (desk) => {
    const [item] = desk.items(1);
    desk.sandbox.inject({ kind: 'accept_without_write', match: desk.markOf(item) });
    const outcome = await desk.writeOne(item);
    assert.ok(['applied', 'ambiguous'].includes(outcome.kind), outcome.kind);
    assert.equal(desk.writes(), 0);
    assert.equal(desk.isWritten(item, await desk.readOne(item)), false);
    const id = outcome.kind === 'applied' ? outcome.id : undefined;
    if (id !== undefined) assert.equal(desk.isWritten(item, await desk.readOne(item, id)), false);
  });
  ask('does not take a stale read for the written value, and reads right the next time', async (desk) => {
    const [item] = desk.items(1);
    const id = idOf(await desk.writeOne(item));
    desk.sandbox.inject({ kind: 'stale_read', times: desk.candidate.absence ?? 1, ...desk.atRead() });
    assert.equal(desk.isWritten(item, await desk.readOne(item, id)), false);
    assert.deepEqual(desk.differences(item, await desk.readOne(item, id)), []);
  });
  ask('sees no difference in a value that the vendor only put in another form', async (desk) => {
    const [item] = desk.items(1);
    desk.sandbox.inject({ kind: 'normalise', match: desk.markOf(item) });
    const id = idOf(await desk.writeOne(item));
    assert.deepEqual(desk.differences(item, await desk.readOne(item, id)), []);
  });
  ask('sees the difference when the vendor stored another value', async (desk) => {
    const [item] = desk.items(1);
    desk.sandbox.inject({ kind: 'alter', match: desk.markOf(item) });
    const id = idOf(await desk.writeOne(item));
    const reading = await desk.readOne(item, id);
    assert.equal(reading.kind, 'found');
    assert.notDeepEqual(desk.differences(item, reading), []);
  });
  for (const kind of ['read_error', 'garbage'] as const) {
    ask(`does not know, this time, after ${kind} on a read`, async (desk) => {
      const [item] = desk.items(1);
      const id = idOf(await desk.writeOne(item));
      desk.sandbox.inject({ kind, ...desk.atRead() });
      assert.equal((await desk.readOne(item, id)).kind, 'failed');
    });
  }
  ask('does not know, this time, when a read gets no answer in time', async (desk) => {
    const [item] = desk.items(1);
    const id = idOf(await desk.writeOne(item));
    desk.sandbox.inject({ kind: 'slow', delayMs: 700, ...desk.atRead() });
    // Long enough to reach the sandbox: 100 ms were not, on a machine with a load of twenty.
    const call = { signal: new AbortController().signal, timeoutMs: 300 };
    assert.equal((await desk.readOne(item, id, call)).kind, 'failed');
  });
  ask('knows that a record it never wrote is absent', async (desk) => {
    const [written, other] = desk.items(2);
    await desk.writeOne(written);
    if (other && other.parentId === undefined) assert.equal((await desk.readOne(other)).kind, 'absent');
  });
}

function neverAsked(ask: Ask): void {
  ask('says why it can never be asked, and does not ask', async (desk) => {
    const [item] = desk.items(1);
    await desk.writeOne(item);
    const before = desk.sandbox.requests().length;
    assert.deepEqual(await desk.readOne(item), { kind: 'unreadable', reason: desk.action.unverifiable });
    assert.equal(desk.sandbox.requests().length, before);
  });
}

function gate(ask: Ask): void {
  ask('sends nothing that the gate does not let pass', async (desk) => {
    const [item] = desk.items(1);
    const closed: Unavailable = { kind: 'unavailable', code: 'breaker', reason: 'closed for the exam' };
    desk.gate.closeAfter(0, closed);
    const before = desk.sandbox.requests().length;
    assert.deepEqual(await settled(desk.writeOne(item)), closed);
    if (desk.readable) assert.deepEqual(await settled(desk.readOne(item)), closed);
    assert.equal(desk.sandbox.requests().length, before);
  });
  ask('sends nothing when the process was suspended after the gate let it pass', async (desk) => {
    const [item] = desk.items(1);
    const { passed } = desk.gate;
    const before = desk.sandbox.requests().length;
    const outcome = await desk.writeOne(item, { ...desk.call(), beginBy: performance.now() - 1 });
    assert.ok(!['applied', 'already'].includes(outcome.kind), outcome.kind);
    assert.equal(desk.sandbox.requests().length, before);
    // It let pass what was not sent then.
    desk.gate.passed = passed;
  });
  ask('claims nothing untrue, wherever the gate closes on it half-way', async (desk) => {
    const [item] = desk.items(1);
    const closed: Unavailable = { kind: 'unavailable', code: 'breaker', reason: 'closed for the exam' };
    for (let passes = 0, done = false; !done; passes += 1) {
      assert.ok(passes < 20, 'one write of one item should not take 20 requests');
      const before = desk.writes();
      desk.gate.closeAfter(passes, closed);
      const outcome = await settled(desk.writeOne(item));
      desk.gate.open();
      const wrote = desk.writes() > before;
      if (wrote) assert.ok(['applied', 'already', 'ambiguous'].includes(outcome.kind), outcome.kind);
      else assert.notEqual(outcome.kind, 'applied');
      done = outcome.kind === 'applied' || outcome.kind === 'already' || desk.action.idempotency === 'none';
    }
  });
}

function idOf(outcome: Outcome | undefined): string {
  assert.ok(outcome?.kind === 'applied' || outcome?.kind === 'already', JSON.stringify(outcome));
  return outcome.id;
}

/** A `NotSent` may escape from a write or a read; it carries the same outcome. */
async function settled<T extends Outcome | Reading>(work: Promise<T>): Promise<T | NotSent['outcome']> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NotSent) return error.outcome;
    throw error;
  }
}

/** Waits for the request that the caller gave up to take effect. It must have been sent by then. */
async function landed(desk: Desk): Promise<void> {
  const until = performance.now() + 10_000;
  while (desk.writes() === 0) {
    assert.ok(performance.now() < until, 'the write never landed');
    await sleep(5);
  }
}

/** Waits until a request has arrived that is not answered yet. */
async function underWay(sandbox: Sandbox): Promise<void> {
  while (!sandbox.requests().some(({ status }) => status === 0)) await sleep(5);
}
