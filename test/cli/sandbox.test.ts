import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, test } from 'node:test';
import { emptyFolder, start } from './readback.ts';

const folder = await emptyFolder();
const sandbox = start(folder.folder, ['sandbox', 'teams']);
after(async () => {
  await sandbox.stop();
  await folder.remove();
});

test('a shell takes the printed settings as they are meant, also an address with parameters', async () => {
  await sandbox.printed(/until Ctrl-C/);
  const [lines = ''] = await sandbox.printed(/( {2}export .*\n)+/);
  const address = execFileSync('sh', ['-c', `${lines}printf %s "$TEAMS_WEBHOOK_URL"`], { encoding: 'utf8' });
  const body = JSON.stringify({ type: 'message', attachments: [] });
  const { status } = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  assert.equal(status, 202);
});
