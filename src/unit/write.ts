import { stringify } from 'yaml';
import { transitions } from '../config/model.ts';
import type { Value } from '../warehouses/warehouse.ts';
import type { Given } from './definition.ts';
import type { Draft } from './draft.ts';

/** A draft as the YAML of a test, with what happens now as what is expected. */
export function unitTestText(signal: string, keyColumns: number, draft: Draft): string {
  const { given, now, happening } = draft;
  const key = (entity: string): unknown => (keyColumns === 1 ? entity : JSON.parse(entity));
  const moved = transitions.flatMap((transition) => {
    const entities = happening.moves.filter((move) => move.transition === transition);
    return entities.length > 0 ? [[transition, entities.map(({ entity }) => key(entity))] as const] : [];
  });
  const all = happening.entities.flatMap(({ actions }) => actions);
  const refused = new Set(all.filter((one) => one.outcome === 'refused').map((one) => one.destination));
  const names = [...new Set(all.map((one) => one.destination))].filter((name) => !refused.has(name));
  const sent = names.map((name) => {
    const actions = happening.entities.flatMap(({ entity, actions }) => {
      const action = actions.find(({ destination }) => destination === name);
      return action?.outcome === 'send' ? [{ entity: key(entity), fields: action.fields }] : [];
    });
    return [name, actions] as const;
  });
  const test = {
    description: 'Made of a real row; its values are masked.',
    signal,
    now: now.toISOString().replace('.000Z', 'Z'),
    given: given.map(givenYaml),
    expect: { transitions: Object.fromEntries(moved), actions: Object.fromEntries(sent) },
  };
  return stringify(test, { lineWidth: 0, aliasDuplicateObjects: false, version: '1.2' });
}

function givenYaml({ input, columns, rows }: Given): object {
  return { input, columns, rows: rows.map(rowYaml) };
}

/** What is left out is null. */
function rowYaml(row: ReadonlyMap<string, Value>): object {
  return Object.fromEntries([...row].filter(([, value]) => value !== null));
}
