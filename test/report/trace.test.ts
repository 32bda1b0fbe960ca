import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { traceEntity, traceToJson, traceToText } from '../../src/report/index.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { at, seed } from './seed.ts';

const { pool } = await freshDatabase();
const lyon = '["FR","Lyon"]';

describe('the trace of an entity', () => {
  before(async () => {
    await seed(pool, [
      {
        signal: 'churn',
        destination: 'crm',
        entity: 'C-1042',
        state: 'verified',
        observed: 0,
        detected: 2_000,
        sent: 2_500,
        accepted: 3_000,
        settled: 5_000,
        attempts: [
          { kind: 'write', outcome: 'intent', decision: 'send' },
          {
            kind: 'write',
            outcome: 'ambiguous',
            decision: 'read back before anything else',
            reason: 'socket \u001b[31mhang up',
          },
          { kind: 'read', outcome: 'verified', decision: 'done' },
        ],
      },
      {
        signal: 'churn',
        destination: 'team',
        poll: 1,
        entity: 'C-1042',
        state: 'suppressed',
        reason: 'cooldown',
      },
      { signal: 'stock', destination: 'team', entity: lyon, state: 'accepted', detected: 1_000 },
      { signal: 'stock', destination: 'team', entity: 'a,b', state: 'held', reason: 'destination paused' },
    ]);
    await pool.query(`
      insert into signals (name, version, shape) values ('churn', 'v1', '');
      insert into entities (signal, entity, bucket, present, fingerprint, sequence, fired_at)
      values ('churn', 'C-1042', 1, true, 'x', 2, '2026-03-01 00:00:02Z')`);
  });

  it('tells every message, action and attempt in order', async () => {
    const trace = await traceEntity(pool, 'C-1042');
    assert.deepEqual(trace.memberships, [
      { signal: 'churn', entity: 'C-1042', present: true, sequence: 2, lastFiredAt: at(2_000) },
    ]);
    assert.deepEqual(
      trace.messages.map((message) => message.actions.map(({ destination, state }) => [destination, state])),
      [[['team', 'suppressed']], [['crm', 'verified']]],
    );
    const [, first] = trace.messages;
    assert.deepEqual(
      [first?.type, first?.subject, first?.sequence, first?.time, first?.poll?.cause],
      ['dev.readback.transition.entered', 'C-1042', '1', at(2_000), 'schedule'],
    );
    assert.deepEqual(
      first?.actions[0]?.attempts.map(({ kind, outcome, durationMs }) => [kind, outcome, durationMs]),
      [
        ['write', 'intent', 12],
        ['write', 'ambiguous', 12],
        ['read', 'verified', 12],
      ],
    );
  });

  it('reads well in a terminal, and lets no reason take it over', async () => {
    const text = traceToText(await traceEntity(pool, 'C-1042'));
    assert.match(
      text,
      /^C-1042\n {2}is in churn now \(transitions so far: 2, last acted on 2026-03-01 00:00:02 UTC\)\n/,
    );
    assert.match(text, /2026-03-01 01:00:00 UTC {2}entered churn {2}#2 {2}high\n/);
    assert.match(text, /→ team {2}suppressed after 0 ms: cooldown\n/);
    assert.match(text, /→ crm {2}verified after 5 s\n/);
    assert.match(text, /write +ambiguous +read back before anything else +12 ms +socket \[31mhang up\n/);
    assert.match(text, /write +intent [\s\S]*write +ambiguous [\s\S]*read +verified /);
    for (const line of text.split('\n')) assert.ok(line.length <= 120, line);
  });

  it('is told as JSON with the same facts', async () => {
    const json = JSON.parse(traceToJson(await traceEntity(pool, 'C-1042')));
    assert.equal(json.messages[1].actions[0].attempts[1].duration_ms, 12);
    assert.equal(json.messages[1].observed_at, '2026-03-01T00:00:00.000Z');
    assert.equal(json.memberships[0].last_fired_at, '2026-03-01T00:00:02.000Z');
  });

  it('takes a key of several columns as a list or as JSON, however it is spaced', async () => {
    for (const key of ['FR,Lyon', 'FR, Lyon', lyon, '[ "FR", "Lyon" ]']) {
      const trace = await traceEntity(pool, key);
      assert.deepEqual(
        trace.messages.map((message) => message.subject),
        [lyon],
        key,
      );
    }
  });

  it('takes a key with a comma in it as it stands', async () => {
    assert.equal((await traceEntity(pool, 'a,b')).messages[0]?.actions[0]?.state, 'held');
  });

  it('can be narrowed to a signal or a destination', async () => {
    const { messages } = await traceEntity(pool, 'C-1042', { destination: 'crm' });
    assert.deepEqual(
      messages.map((message) => message.sequence),
      ['1'],
    );
    assert.deepEqual((await traceEntity(pool, 'C-1042', { signal: 'stock' })).messages, []);
  });

  it('says when nothing is known, and who is nearly called that', async () => {
    const trace = await traceEntity(pool, 'C-1049');
    assert.deepEqual(trace.near, ['C-1042']);
    assert.equal(traceToText(trace), 'Nothing is known of C-1049.\nDid you mean: C-1042?\n');
    assert.deepEqual((await traceEntity(pool, 'FR,Lyo')).near, [lyon]);
    assert.match(
      traceToText(await traceEntity(pool, 'zzz')),
      /^Nothing is known of zzz\.\nNo poll has seen it/,
    );
  });

  it('shows an action whose message is gone rather than hide it', async () => {
    await seed(pool, [{ signal: 'gone', destination: 'crm', entity: 'G-1', state: 'dead', reason: 'no' }]);
    await pool.query(`delete from messages where entity = 'G-1'`);
    const trace = await traceEntity(pool, 'G-1');
    assert.equal(trace.loose[0]?.state, 'dead');
    assert.match(traceToText(trace), /an action whose message is gone\n {2}→ crm {2}dead after 0 ms: no/);
  });

  it('shows the newest hundred messages of a restless entity and counts the rest', async () => {
    await seed(
      pool,
      Array.from({ length: 130 }, (_, index) => ({
        signal: 'restless',
        destination: 'crm',
        entity: 'R-1',
        state: 'verified' as const,
        detected: index * 1_000,
      })),
    );
    const trace = await traceEntity(pool, 'R-1');
    assert.equal(trace.messages.length, 100);
    assert.equal(trace.messages[0]?.sequence, '130');
    assert.equal(trace.earlier, 30);
    assert.deepEqual(trace.loose, []);
    assert.match(traceToText(trace), /\nand 30 earlier messages\n$/);
  });
});
