import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { load, soundFiles } from './written-project.ts';

const noise = fc.oneof(
  fc.constantFrom(
    '\t',
    '\n',
    '*/',
    '/*',
    '"',
    "'",
    '{{',
    '}}',
    '{%',
    ': ',
    '- ',
    '&a',
    '*a',
    '!!',
    '|',
    '>',
    '#',
    '---',
    '%',
    '[',
    ']',
    '{',
    '}',
    'null',
    '<<: *a',
    '__proto__: 1',
    '\u2028',
    '\uFEFF',
    '\0',
  ),
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 5 }),
);

/** Processor time, which other programs on the machine do not change. */
function cpuMs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test('a file with anything in it never ends the program, and every problem has its place', async () => {
  const mutation = fc.record({
    file: fc.constantFrom(...Object.keys(soundFiles)),
    at: fc.nat(1000),
    cut: fc.nat(40),
    noise,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (mutations) => {
      const files: Record<string, string> = { ...soundFiles };
      for (const { file, at, cut, noise: inserted } of mutations) {
        const text = files[file] ?? '';
        const position = at % (text.length + 1);
        files[file] = text.slice(0, position) + inserted + text.slice(position + cut);
      }
      const before = process.cpuUsage();
      const { problems } = await load({ files });
      assert.ok(cpuMs(before) < 2000);
      for (const { place, message } of problems) {
        assert.ok(place?.file && place.file in files, message);
        assert.ok((place.line ?? 1) >= 1 && (place.column ?? 1) >= 1, message);
        assert.ok((place.line ?? 1) <= (files[place.file] ?? '').split(/\r\n?|\n/).length, message);
      }
    }),
    { numRuns: 150 },
  );
});

const hostile: Record<string, string> = {
  'deep lists': '['.repeat(150_000),
  'deep maps': '{a: '.repeat(40_000),
  'deep blocks': '- '.repeat(90_000),
  'many equal keys': 'a: 1\n'.repeat(35_000),
  'many keys': Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n'),
  'billion laughs': `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[index]}`).join()}]`).join('\n')}`,
  'a megabyte': 'a: b\n'.repeat(190_000),
  'only quotes': '"'.repeat(150_000),
  'only tabs': '\t'.repeat(150_000),
};

for (const [name, text] of Object.entries(hostile))
  test(`takes less than two seconds: ${name}`, async () => {
    const before = process.cpuUsage();
    const { problems } = await load({ files: { 'destinations/retention_task.yaml': text } });
    assert.ok(cpuMs(before) < 2000);
    assert.equal(problems[0]?.place?.file, 'destinations/retention_task.yaml');
  });
