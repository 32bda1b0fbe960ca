import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Log } from '../../src/log.ts';
import { type Rig, rig } from '../helpers/project.ts';
import { until } from '../helpers/until.ts';

const files = {
  'signals/churn.sql': `/*
key: customer_id
every: 1s
*/
select customer_id from customers`,
};

let house: Rig;
before(async () => {
  house = await rig(files, "create table customers as select 'C-1' as customer_id");
});
after(() => house.close());

test('polls go on as soon as a ledger that refused to be written accepts it again', async () => {
  const { pool } = house.database;
  await pool.query(`
    create table out_of_space (yes boolean);
    insert into out_of_space values (true);
    create function refuse() returns trigger language plpgsql as $$
    begin
      if (select yes from out_of_space) then raise exception 'no space left on device'; end if;
      return new;
    end $$;
    create trigger refuse before update on polls for each row execute function refuse()`);
  let failures = 0;
  const log: Log = {
    debug() {},
    info() {},
    warn() {},
    error: (_fields, message) => {
      if (message === 'poll failed') failures += 1;
    },
  };
  await house.engine({ scheduled: true, log });
  await until('a poll fails', () => failures > 0);
  const accepted = performance.now();
  await pool.query('update out_of_space set yes = false');
  await until('a poll ends', async () => {
    const { rows } = await pool.query("select 1 from polls where state in ('baseline', 'done')");
    return rows.length > 0;
  });
  // Without trying again it takes the signal's timeout and a minute.
  assert.ok(performance.now() - accepted < 30_000);
});
