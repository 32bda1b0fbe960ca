import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/cli/exit.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { actionStates } from '../../src/ledger/state.ts';
import { compileTemplate } from '../../src/templates/index.ts';
import { bare, codes, tablesOf } from './blocks.ts';

describe('the tables of README.md', () => {
  const tables = tablesOf('README.md');
  const tableWith = (column: string) => tables.find(({ columns }) => columns[0] === column);

  test('list exactly the commands, with what they take', () => {
    const usages = buildProgram().commands.map((command) =>
      [
        command.name(),
        ...command.registeredArguments.map((one) => {
          const name = `${one.name()}${one.variadic ? '...' : ''}`;
          return one.required ? `<${name}>` : `[${name}]`;
        }),
      ].join(' '),
    );
    assert.deepEqual(
      tableWith('command')?.rows.map(([usage = '']) => bare(usage)),
      usages,
    );
  });

  test('name only options that exist', () => {
    const program = buildProgram();
    for (const [usage = '', meaning] of tableWith('command')?.rows ?? []) {
      const command = program.commands.find((one) => one.name() === bare(usage).split(' ')[0]);
      const known = command?.options.map(({ long }) => long);
      for (const [option] of (meaning ?? '').matchAll(/--[\w-]+/g))
        assert.ok(known?.includes(option), `${usage} ${option}`);
    }
  });

  test('list exactly the exit codes', () => {
    const written = tableWith('exit code')?.rows.flatMap(([code = '']) => code.split(', ').map(Number));
    assert.deepEqual(written, [...Object.values(exitCodes), 130, 143]);
  });

  test('list exactly the states of an action', () => {
    const written = tableWith('state')?.rows.flatMap(([names]) => codes(names));
    assert.deepEqual(written?.sort(), [...actionStates].sort());
  });

  test('explain every idempotency class', () => {
    const written = tableWith('class')?.rows.map(([name = '']) => name);
    assert.deepEqual(written, ['keyed', 'upsert', 'marker', 'none']);
  });

  test('show what each filter really gives', () => {
    const rows = tableWith('filter')?.rows ?? [];
    assert.ok(rows.length >= 6);
    for (const [, example, gives] of rows) {
      const template = codes(example)[0] ?? '';
      assert.equal(compileTemplate(template, { file: 'README.md' }).render({}), codes(gives)[0], template);
    }
  });
});
