import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { supervise } from '../../src/cli/supervisor.ts';
import { emptyFolder } from './readback.ts';

const { folder, remove } = await emptyFolder();
after(remove);

let file = '';
beforeEach((test) => {
  file = join(folder, test.name.replaceAll(/\W/g, '-'));
});

/** A command that notes that it ran, and ends so. */
function ending(how: string): string[] {
  return [process.execPath, '-e', `require('node:fs').appendFileSync(${JSON.stringify(file)}, 'x'); ${how}`];
}

async function runs(): Promise<number> {
  return (await readFile(file, 'utf8')).length;
}

const quick = { restarts: 2, withinMs: 60_000, pauseMs: 10 };

test('what crashes is started again until the budget is used up, and its exit code is passed on', async () => {
  assert.equal(await supervise(ending('process.exit(70)'), quick), 70);
  assert.equal(await runs(), 3);
});

test('what is killed counts as crashed', async () => {
  assert.equal(await supervise(ending("process.kill(process.pid, 'SIGKILL')"), quick), 137);
  assert.equal(await runs(), 3);
});

test('what ends by its own will, or because files are wrong, is not started again', async () => {
  assert.equal(await supervise(ending(''), quick), 0);
  assert.equal(await supervise(ending('process.exit(2)'), quick), 2);
  assert.equal(await runs(), 2);
});

test('crashes that lie far enough apart never use up the budget', async () => {
  const twice = ending(
    `const runs = require('node:fs').readFileSync(${JSON.stringify(file)}).length; setTimeout(() => process.exit(runs < 4 ? 70 : 0), 60)`,
  );
  assert.equal(await supervise(twice, { restarts: 1, withinMs: 50, pauseMs: 1 }), 0);
  assert.equal(await runs(), 4);
});

test('asked to stop, it lets the child finish, with one signal to both of them', async () => {
  const child = ending(
    "process.on('message', () => { setTimeout(() => process.exit(0), 50); }); process.on('SIGTERM', () => process.exit(143));",
  );
  const ended = supervise(child, quick);
  while ((await runs().catch(() => 0)) === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  process.emit('SIGTERM', 'SIGTERM');
  assert.equal(await ended, 0);
  assert.equal(await runs(), 1);
});
