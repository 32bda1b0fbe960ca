import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withAccount } from './account.ts';

test('the driver writes no file and not a word, and speaks with nobody but the account', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'readback-quiet-'));
  const child = fileURLToPath(new URL('./quiet-child.ts', import.meta.url));
  const loader = import.meta.resolve('tsx');
  try {
    await withAccount(async ({ server }) => {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--import', loader, child, server.url],
        {
          cwd: folder,
          env: { PATH: process.env.PATH, HOME: join(tmpdir(), 'readback-home') },
        },
      );
      assert.equal(stderr, '');
      assert.deepEqual(JSON.parse(stdout), {
        rows: [['1']],
        refused: 'WAREHOUSE_UNREACHABLE',
        hosts: ['127.0.0.1'],
      });
      assert.deepEqual(server.seenAt(/telemetry/), []);
    });
    assert.deepEqual(await readdir(folder), []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
