import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freshDatabase } from '../helpers/postgres.ts';
import { emptyFolder, start } from './readback.ts';

const database = await freshDatabase();
const { folder, remove } = await emptyFolder();
after(remove);
before(() => writeFile(join(folder, 'readback.yml'), 'project: empty\n'));

/** As on a replica: the server refuses whatever would write. */
function readOnly(): string {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c default_transaction_read_only=on');
  return url.href;
}

for (const words of [['report'], ['actions'], ['status'], ['trace', 'C-1']]) {
  test(`${words[0]} reads and nothing else, so that a replica will do`, async () => {
    const { code, stderr } = await start(folder, words, { READBACK_DATABASE_URL: readOnly() }).end();
    assert.ok(code === 0 || code === 1, `${code}: ${stderr}`);
    assert.doesNotMatch(stderr, /read-only|Error/);
  });
}

test('a command that writes says that it needs the primary', async () => {
  const { code, stderr } = await start(folder, ['run'], { READBACK_DATABASE_URL: readOnly() }).end();
  assert.equal(code, 3);
  assert.match(stderr, /^LEDGER_UNREACHABLE: .*replica\?\n {2}→ .*must lead to the primary/m);
});
