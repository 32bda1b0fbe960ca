import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Candidate, patient } from './fixture.ts';

export function examineStopping(candidate: Candidate): void {
  it('stops a query at its deadline, on the server too', async () => {
    const started = performance.now();
    const reading = candidate.rows(candidate.fixture.dialect.slow, { timeoutMs: 400 });
    await assert.rejects(reading, { code: 'WAREHOUSE_QUERY', message: /deadline of 400 ms/ });
    assert.ok(performance.now() - started < 5000);
    await nothingRuns(candidate);
  });

  it('stops a query when its caller gives up, on the server too', async () => {
    const controller = new AbortController();
    const reading = candidate.rows(candidate.fixture.dialect.slow, { signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    await assert.rejects(reading, { code: 'WAREHOUSE_QUERY', message: /cancelled/ });
    await nothingRuns(candidate);
  });

  it('does not begin what was given up before', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(candidate.rows('select 1', { signal }), { code: 'WAREHOUSE_QUERY' });
    await assert.rejects(candidate.warehouse.check({ ...patient, signal }), { code: 'WAREHOUSE_QUERY' });
  });

  it('never ends normally after its caller gave up between two batches', async () => {
    const controller = new AbortController();
    const statement = { sql: candidate.fixture.dialect.series(100_000), params: [] };
    const reading = async () => {
      for await (const _ of candidate.warehouse.read(statement, { ...patient, signal: controller.signal })) {
        controller.abort();
      }
    };
    await assert.rejects(reading(), { code: 'WAREHOUSE_QUERY' });
  });

  it('counts the time of a slow reader', async () => {
    const statement = { sql: candidate.fixture.dialect.series(100_000), params: [] };
    const reading = async () => {
      for await (const _ of candidate.warehouse.read(statement, { timeoutMs: 500 })) await sleep(600);
    };
    await assert.rejects(reading(), { code: 'WAREHOUSE_QUERY', message: /deadline/ });
  });

  it('is as good as new afterwards', async () => {
    await candidate.warehouse.check(patient);
    assert.deepEqual(await candidate.rows('select 1'), [['1']]);
  });
}

async function nothingRuns({ fixture }: Candidate): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await fixture.running()) === 0) return;
    await sleep(25);
  }
  assert.fail('the server still runs the query');
}
