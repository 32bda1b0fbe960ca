import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('stand-ins, proxy and draws import nothing of the product or of its tests’ helpers', () => {
  const files = ['standins', 'proxy'].flatMap((folder) =>
    readdirSync(`test/chaos/${folder}`).map((file) => `test/chaos/${folder}/${file}`),
  );
  const strays = [...files, 'test/chaos/random.ts', 'test/chaos/child.ts'].filter((file) =>
    [...readFileSync(file, 'utf8').matchAll(/from '([^']+)'/g)].some(
      ([, source = '']) => /\/(src|helpers|cli|bench)\//.test(source) || source.startsWith('../../'),
    ),
  );
  assert.ok(files.length > 15);
  assert.deepEqual(strays, []);
});
