// Runs every test file with Node's own runner. Four at once: they wait half of their time, for clocks of vendors and of
// dead processes. Usage: npm test, or: node scripts/test.mjs test/detect.test.ts
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

// Those that wait longest begin first, so that none is alone at the end.
const first = ['test/chaos/chaos.test.ts', 'test/bench/bench.test.ts', 'test/engine/', 'test/warehouses/'];
const rank = (file) => {
  const at = first.findIndex((start) => file.startsWith(start));
  return at === -1 ? first.length : at;
};
const named = process.argv.slice(2);
const all = () =>
  listed('test')
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `test/${file}`)
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
const files = named.length > 0 ? named : all();
process.exit(run(process.execPath, '--import', 'tsx', 'scripts/run-files.mjs', ...files));
