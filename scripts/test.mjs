// Runs every test file with Node's own runner. `node --test` takes no glob before Node 21, so the files are listed
// here. Three at once: they wait half of their time, for clocks of vendors and of dead processes. Usage: npm test, or: node scripts/test.mjs test/detect.test.ts
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

const run = (command, ...args) => spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
const listed = (folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' });

// Many tests start the compiled product, which must be that of these sources. A folder is newer when a file of it is gone.
const compiled = 'dist/cli/main.js';
const writtenAt = Math.max(...listed('src').map((path) => statSync(`src/${path}`).mtimeMs));
if (!existsSync(compiled) || statSync(compiled).mtimeMs < writtenAt) {
  const built = run('npm', 'run', '--silent', 'build');
  if (built !== 0) process.exit(built);
}

const named = process.argv.slice(2);
const files =
  named.length > 0
    ? named
    : listed('test')
        .filter((file) => file.endsWith('.test.ts'))
        .map((file) => `test/${file}`)
        .sort();
process.exit(
  run(
    process.execPath,
    '--import',
    'tsx',
    '--test',
    '--test-concurrency=3',
    '--test-reporter=spec',
    ...files,
  ),
);
