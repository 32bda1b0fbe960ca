import {
  type Dialect,
  keyColumns,
  knownColumns,
  knownParams,
  membersSql,
  noKey,
  sameKeys,
} from './compile.ts';
import { loadTemplates, render } from './template.ts';
import type { Snapshots } from './warehouse.ts';

const statements = loadTemplates(import.meta.url, ['snapshots']);

/** The statements of `Snapshots`, with a dialect's fragments. @param place where they are kept, quoted */
export function snapshotCompiler(dialect: Dialect, place: string): Omit<Snapshots, 'write'> {
  const { templates, quote } = dialect;
  const create_table = render(templates, 'create_table', {});
  const fill = (name: string, values: Record<string, string>) => ({
    sql: render(statements, name, { create_table, ...values }),
    params: [],
  });
  const table = (name: string) => `${place}.${quote(name)}`;
  const plain = (width: number) => keyColumns(width, (name) => name);
  return {
    create: (name, query, buckets) =>
      fill('create_snapshot', {
        name: table(name),
        keys: plain(query.key.length),
        members: membersSql(dialect, query, buckets),
      }),
    add: (name, key, known) => ({
      sql: render(statements, 'add_to_snapshot', {
        name: table(name),
        keys: plain(key.length),
        known: knownColumns(templates, key).join(', '),
      }),
      params: knownParams(key.length, known),
    }),
    take: (name, previous, query, buckets) => {
      const width = query.key.length;
      // Without `rearm` every member is armed, and nobody needs to be looked up.
      return fill(query.rearm === undefined ? 'take_snapshot' : 'take_snapshot_after', {
        name: table(name),
        previous: table(previous),
        keys: keyColumns(width, (key) => `members.${key}`),
        match: sameKeys(templates, width, 'members', 'known'),
        members: membersSql(dialect, query, buckets),
      });
    },
    count: (name) => fill('count_snapshot', { name: table(name) }),
    inspect: (name, width) =>
      fill('inspect_snapshot', {
        name: table(name),
        no_key: noKey(templates, width),
        key_texts: keyColumns(width, (column) => render(templates, 'key_text', { column })),
      }),
    differences: (name, previous, width) =>
      fill('snapshot_differences', {
        name: table(name),
        previous: table(previous),
        match: sameKeys(templates, width, 'taken', 'known'),
        keys: keyColumns(width, (key) => `coalesce(taken.${key}, known.${key}) as ${key}`),
      }),
    drop: (name) => fill('drop_snapshot', { name: table(name) }),
  };
}
