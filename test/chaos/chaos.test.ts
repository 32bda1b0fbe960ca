import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findDrill, listDrills } from './drills.ts';
import { holds } from './figures.ts';

// The drills in short, on the compiled product: `npm test` builds it first. Their long forms are in README.md.
const shortForms = [
  { name: 'kill-storm', actions: 120 },
  { name: 'drain', actions: 80 },
  { name: 'zombie', actions: 120 },
  { name: 'final-delivery', actions: 60 },
  { name: 'poison', actions: 600 },
  { name: 'postgres', actions: 160 },
  { name: 'failpoints', actions: 240 },
  { name: 'plays', actions: 240 },
  { name: 'honesty', actions: 1 },
];

for (const { name, actions } of shortForms) {
  test(`${name}, in short`, async () => {
    const drill = await findDrill(name);
    const said: string[] = [];
    const figures = await drill?.run({ seed: 1, actions, short: true }, (line) => said.push(line));
    assert.ok(figures && holds(figures), [JSON.stringify(figures), ...said].join('\n'));
  });
}

test('a storm over what people usually write is not survived: the storm is one', async () => {
  const drill = await findDrill('baseline-kill-storm');
  const figures = await drill?.run({ seed: 1, actions: 300, short: true }, () => {});
  assert.ok(figures && figures.duplicates + figures.falseSuccess + figures.lost > 0, JSON.stringify(figures));
});

test('a drill is found however its name is written', async () => {
  for (const written of ['kill-storm', 'Kill Storm', 'kill_storm', 'killStorm', ' KILL-STORM '])
    assert.equal((await findDrill(written))?.name, 'kill-storm', written);
  assert.equal(await findDrill('kill'), undefined);
});

test('every file of drills/ is the drill it is named after', async () => {
  const files = readdirSync('test/chaos/drills').map((file) => file.replace(/\.ts$/, ''));
  assert.deepEqual(
    (await listDrills()).map(({ name }) => name),
    files.sort(),
  );
});

test('the harness imports nothing of the product', () => {
  const files = readdirSync('test/chaos', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  const strays = files.filter((file) =>
    /(from|import\()\s*'[./]*\/(src|dist|helpers)\//.test(readFileSync(`test/chaos/${file}`, 'utf8')),
  );
  assert.ok(files.length > 40);
  assert.deepEqual(strays, []);
});
