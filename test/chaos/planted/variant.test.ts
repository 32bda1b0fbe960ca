import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Bug, bugs } from './bugs.ts';
import { buildVariant, mutate } from './variant.ts';

test('every bug can still be planted in today’s sources', async () => {
  for (const bug of bugs) {
    for (const [file, text] of await mutate(bug)) {
      assert.notEqual(text, await readFile(file, 'utf8'), `${bug.name} changes nothing in ${file}`);
    }
  }
});

test('bugs have names of their own, and enough of them', () => {
  assert.equal(new Set(bugs.map((bug) => bug.name)).size, bugs.length);
  assert.ok(bugs.length >= 12);
});

const bug = (find: string): Bug => ({
  name: 'stray',
  mistake: '',
  exam: 'storm',
  edits: [{ file: 'src/act/decide.ts', find, replace: '' }],
});

test('a bug whose place is gone, or is there twice, is named', async () => {
  await assert.rejects(mutate(bug('this is nowhere')), /the bug stray cannot be planted.*not there/);
  await assert.rejects(mutate(bug('return move(action')), /the bug stray cannot be planted.*there \d times/);
});

test('a build with a bug runs, and the sources stay as they are', async () => {
  const [planted] = bugs;
  assert.ok(planted);
  const file = planted.edits[0]?.file ?? '';
  const before = await readFile(file, 'utf8');
  const main = await buildVariant(planted);
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--version']);
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  assert.equal(stdout.trim(), version);
  assert.equal(await readFile(file, 'utf8'), before);
  const built = await readFile(main.replace('cli/main.js', 'act/write.js'), 'utf8');
  assert.ok(built.indexOf('commitIntents') > built.indexOf('batches.map'), 'the bug is not in the build');
});
