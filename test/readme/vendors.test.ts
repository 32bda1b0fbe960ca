import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { connectorNames } from '../../src/connectors/index.ts';
import { warehouseNames } from '../../src/warehouses/index.ts';
import { readGuide } from './blocks.ts';
import { loadSound } from './project.ts';

describe('the READMEs of connectors and warehouses', () => {
  /** What their examples take for granted: the signals and the record that they follow. */
  const connections: Record<string, unknown> = {};
  const texts = new Map<string, string[]>();
  for (const name of [
    ...connectorNames.map((one) => `connectors/${one}`),
    ...warehouseNames.map((one) => `warehouses/${one}`),
  ])
    texts.set(
      name,
      [...readGuide(`src/${name}/README.md`).matchAll(/```yaml\n([\s\S]*?)```/g)].map(
        ([, text]) => text ?? '',
      ),
    );
  const read = (name: string) =>
    (texts.get(name) ?? []).map((text) => parse(text) as Record<string, Record<string, unknown>>);

  test('every connection and destination they show is sound', async () => {
    const destinations = new Map<string, Record<string, unknown>>();
    for (const name of connectorNames) {
      const made: [string, Record<string, unknown>][] = [];
      for (const example of read(`connectors/${name}`)) {
        if (!('action' in example)) Object.assign(connections, example.connections ?? example);
        else made.push([`${name}_${example.action}`, { signals: ['thing'], ...example }]);
      }
      assert.ok(made.length >= 2, `${name} shows ${made.length} destinations`);
      const followed = made.map(([, { follows }]) => follows).find((one) => typeof one === 'string');
      const [first] = made;
      if (first && typeof followed === 'string') first[0] = followed;
      for (const [file, text] of made) destinations.set(file, text);
    }
    assert.equal(Object.keys(connections).length, connectorNames.length);
    const signals = new Set([...destinations.values()].flatMap((one) => one.signals as string[]));
    const files = new Map([
      [
        'readback.yml',
        stringify({ project: 'examples', warehouses: { main: { type: 'duckdb', path: 'x' } }, connections }),
      ],
      ...[...signals].map((name) => [`signals/${name}.sql`, '/*\nkey: id\n*/\nselect 1 as id'] as const),
      ...[...destinations].map(([name, one]) => [`destinations/${name}.yaml`, stringify(one)] as const),
    ]);
    const { project } = await loadSound(files);
    assert.equal(project.destinations.size, destinations.size);
  });

  test('every warehouse they show is sound', async () => {
    for (const name of warehouseNames) {
      const [example] = read(`warehouses/${name}`);
      assert.ok(example?.warehouses, `${name} shows no settings`);
      const files = new Map([['readback.yml', stringify({ project: 'examples', ...example })]]);
      const { project } = await loadSound(files);
      assert.equal(project.warehouses.size, Object.keys(example.warehouses).length);
    }
  });
});
