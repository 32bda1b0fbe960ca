// Runs every test file with Node's own runner. `node --test` takes no glob before Node 21, so the files are listed
// here. Three at once: they wait half of their time, for clocks of vendors and of dead processes. Usage: npm test, or: node scripts/test.mjs test/detect.test.ts
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

const named = process.argv.slice(2);
const files =
  named.length > 0
    ? named
    : readdirSync('test', { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.test.ts'))
        .map((file) => `test/${file}`)
        .sort();
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-concurrency=3', '--test-reporter=spec', ...files],
  { stdio: 'inherit' },
);
process.exit(status ?? 1);
