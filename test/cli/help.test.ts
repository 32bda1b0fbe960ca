import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../src/cli/program.ts';
import { readback } from './readback.ts';

const source = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const guide = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

/** Every module that is loaded before a command is chosen. */
function loadedAtStart(file: string, seen = new Set<string>()): Set<string> {
  seen.add(file);
  for (const [, clause = '', from = ''] of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export) (?:(.*?) from )?'([^']+)';/gms,
  )) {
    if (clause.startsWith('type ')) continue;
    const path = from.startsWith('.') ? join(dirname(file), from) : from;
    if (seen.has(path)) continue;
    if (from.startsWith('.')) loadedAtStart(path, seen);
    else seen.add(path);
  }
  return seen;
}

test('the help loads no driver, no SDK and no library but the one that parses the command line', () => {
  const packages = [...loadedAtStart(source)].filter(
    (path) => !path.startsWith('/') && !path.startsWith('node:'),
  );
  assert.deepEqual(packages, ['commander']);
});

test('the help lists every command and the exit codes', async () => {
  const { code, stdout } = await readback('.', '--help');
  assert.equal(code, 0);
  for (const command of buildProgram().commands)
    assert.match(stdout, new RegExp(`^  ${command.name()}\\b`, 'm'));
  assert.match(stdout, /Exit codes: 0 done/);
});

test('without a command the help is shown', async () => {
  const { code, stdout } = await readback('.');
  assert.equal(code, 0);
  assert.match(stdout, /^Usage: readback/);
});

test('docs/cli.md has every command and every option', () => {
  const program = buildProgram();
  for (const option of program.options) assert.ok(guide.includes(`\`${option.flags}\``), option.flags);
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    assert.ok(
      guide.match(new RegExp(`^### \`.*\\b${command.name()}\\b`, 'm')),
      `no section about ${command.name()}`,
    );
    for (const option of command.options)
      assert.ok(guide.includes(`\`${option.flags}\``), `${command.name()} ${option.flags}`);
  }
});

test('a mistyped command or option is told with what was meant, and exits with 2', async () => {
  const command = await readback('.', 'vaildate');
  assert.equal(command.code, 2);
  assert.equal(command.stderr, "USAGE: unknown command 'vaildate'\n  → Did you mean validate?\n");
  const option = await readback('.', 'run', '--selct', 'x');
  assert.equal(option.code, 2);
  assert.equal(option.stderr, "USAGE: unknown option '--selct'\n  → Did you mean --select?\n");
});
