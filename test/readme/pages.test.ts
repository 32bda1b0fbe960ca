import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { docsFolder, generatedPages } from '../../scripts/dump-docs.ts';
import { connectorPage, warehousePage } from '../../src/cli/docs/page.ts';
import { actionsOf, connectorNames, loadConnector } from '../../src/connectors/index.ts';
import { loadWarehouse, warehouseNames } from '../../src/warehouses/index.ts';
import { readGuide } from './blocks.ts';
import { loadSound } from './project.ts';

type Example = Record<string, unknown>;
const yamlIn = (page: string): Example[] =>
  [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => parse(text ?? '') as Example);

describe('the pages that readback docs prints', () => {
  test('are those in docs/, and no others are there', async () => {
    const pages = await generatedPages();
    for (const [path, text] of pages)
      assert.equal(readGuide(`docs/${path}`), text, `${path}: run scripts/dump-docs.ts`);
    const kept = ['connectors', 'warehouses'].flatMap((folder) =>
      readdirSync(join(docsFolder, folder)).map((file) => `${folder}/${file}`),
    );
    assert.deepEqual(kept.sort(), [...pages.keys()].sort());
  });

  for (const name of connectorNames)
    test(`${name}: every example is sound, and every action has one`, async () => {
      const connector = (await loadConnector(name)) ?? assert.fail(name);
      const examples = yamlIn(connectorPage(connector));
      const connections = Object.assign(
        {},
        ...examples.filter((one) => !('action' in one)).map(connectionsOf),
      );
      const destinations = examples.filter((one) => 'action' in one);
      const { project } = await loadSound(projectOf(connections, destinations));
      assert.ok(project.destinations.size >= destinations.length);
      const shown = new Set(destinations.map(({ action }) => action));
      for (const action of Object.keys(actionsOf(connector) ?? {})) assert.ok(shown.has(action), action);
    });

  for (const name of warehouseNames)
    test(`${name}: every example is sound`, async () => {
      const type = (await loadWarehouse(name)) ?? assert.fail(name);
      const examples = yamlIn(warehousePage(type)).filter((one) => 'warehouses' in one);
      assert.ok(examples.length > 0);
      for (const example of examples)
        await loadSound(new Map([['readback.yml', stringify({ project: 'examples', ...example })]]));
    });
});

function connectionsOf(example: Example): Example {
  return (example.connections as Example | undefined) ?? example;
}

/** A project of these destinations, with the signals and the followed destinations that they take for granted. */
function projectOf(connections: Example, destinations: readonly Example[]): Map<string, string> {
  const followed = new Set(
    destinations.flatMap(({ follows }) => (typeof follows === 'string' ? [follows] : [])),
  );
  const root = destinations.find((one) => one.follows === undefined);
  const named = [
    ...destinations.map((one, index) => [`example_${index}`, one] as const),
    ...[...followed].map((name) => [name, { ...root, signals: undefined }] as const),
  ];
  const signals = new Set(destinations.flatMap((one) => (one.signals as string[] | undefined) ?? ['thing']));
  return new Map([
    [
      'readback.yml',
      stringify({ project: 'examples', warehouses: { main: { type: 'duckdb', path: 'x' } }, connections }),
    ],
    ...[...signals].map((name) => [`signals/${name}.sql`, '/*\nkey: id\n*/\nselect 1 as id'] as const),
    ...named.map(([name, one]) => {
      const wanted = one.signals ?? [...signals];
      return [`destinations/${name}.yaml`, stringify({ ...one, signals: wanted })] as const;
    }),
  ]);
}
