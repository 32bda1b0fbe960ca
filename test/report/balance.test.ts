import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { checkBalance } from '../../src/report/balance.ts';
import { freshDatabase } from '../helpers/postgres.ts';
import { clear, seed } from './seed.ts';

const { pool } = await freshDatabase();

describe('the balance of the ledger', () => {
  beforeEach(async () => {
    await clear(pool);
    await seed(pool, [
      {
        signal: 'churn',
        destination: 'crm',
        state: 'verified',
        attempts: [{ kind: 'write', outcome: 'applied' }],
      },
      { signal: 'churn', destination: 'crm', state: 'planned' },
      { signal: 'stock', destination: 'team', state: 'dead' },
    ]);
  });

  it('finds nothing in a ledger that adds up', async () => {
    assert.deepEqual(await checkBalance(pool), []);
  });

  it('finds the pair that lost an action, and the attempts it left behind', async () => {
    await pool.query(`delete from actions where state = 'verified'`);
    const findings = await checkBalance(pool);
    assert.deepEqual(
      findings.map(({ kind, count }) => [kind, count]),
      [
        ['unaccounted', 1],
        ['attempt without action', 1],
      ],
    );
    assert.equal(findings[0]?.message, 'churn → crm: 2 detected, but 1 actions are recorded');
  });

  it('finds actions whose attempts are gone', async () => {
    await pool.query('delete from attempts');
    const [finding] = await checkBalance(pool);
    assert.deepEqual([finding?.kind, finding?.count], ['action without attempt', 1]);
  });

  it('finds actions that nobody detected', async () => {
    await pool.query(`delete from detections where signal = 'stock'`);
    const [finding] = await checkBalance(pool);
    assert.deepEqual([finding?.kind, finding?.subject, finding?.count], ['unaccounted', 'stock → team', -1]);
  });

  it('finds actions whose message is gone', async () => {
    await pool.query('delete from messages where entity = $1', ['E1']);
    const [finding] = await checkBalance(pool);
    assert.deepEqual([finding?.kind, finding?.count], ['action without message', 1]);
    assert.match(finding?.message ?? '', /^1 × action without message, for example [0-9a-f-]{36}$/);
  });

  it('finds messages whose poll is gone, should the database have let it go', async () => {
    await pool.query('alter table detections drop constraint detections_poll_fkey');
    await pool.query(`delete from polls where signal = 'stock'`);
    const findings = await checkBalance(pool);
    assert.deepEqual(
      findings.map(({ kind, count }) => [kind, count]),
      [
        ['action without poll', 1],
        ['message without poll', 1],
      ],
    );
  });
});
