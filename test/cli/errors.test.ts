import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeFailure } from '../../src/cli/failure.ts';
import { errorTable, ReadbackError } from '../../src/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

test('docs/errors.md lists exactly the errors of the closed table', () => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d) \| (yes|no) \| (.*?) \|/gm)].map(
    ([, code, exit, retry, summary]) => [code, { exit: Number(exit), retry: retry === 'yes', summary }],
  );
  assert.deepEqual(Object.fromEntries(rows), errorTable);
});

test('an error of the table speaks for itself', () => {
  const error = new ReadbackError('CONFIG_VALUE', 'must be a number', {
    place: { file: 'signals/a.sql', line: 3, column: 7 },
    value: 'x',
    hint: 'write 1',
  });
  const text = 'signals/a.sql:3:7 CONFIG_VALUE: must be a number (got: x)\n  → write 1';
  assert.deepEqual(describeFailure(error, false), { exitCode: 2, text });
});

test('anything else is called a bug, in one line, without its stack', () => {
  const failure = describeFailure(new TypeError('boom\nselect secret from rows'), false);
  assert.equal(failure.exitCode, 70);
  assert.equal(
    failure.text,
    'TypeError: boom\n  → This is a bug in Readback. Run it again with --log-level debug and report what it prints.',
  );
  assert.match(describeFailure(new TypeError('boom'), true).text, /errors\.test\.ts/);
});
