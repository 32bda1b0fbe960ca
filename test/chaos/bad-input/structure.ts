import type { Chance } from './chance.ts';
import { faultAt, faultOfMap, faultWithin, harmOf } from './harm.ts';
import {
  allFiles,
  allKeys,
  endOf,
  fileType,
  type Key,
  keysOf,
  spliced,
  withValue,
  yamlRange,
} from './keys.ts';
import type { Fault, Kinds, Mutator } from './mutation.ts';

/** A key that is not known there does not take away what is known: in readback.yml only the entry around it goes. */
function harmAround(key: Pick<Key, 'file' | 'path'>): Fault['harms'] {
  if (fileType(key.file) !== 'root') return { kind: 'file' };
  const [section = '', name] = key.path.split('.');
  if (section === 'connections' && name !== undefined) return { kind: 'connection', name };
  return section === 'warehouses' && name !== undefined ? { kind: 'warehouse' } : { kind: 'nothing' };
}

const unknownKey: Mutator = (chance) => {
  const file = chance.pick(allFiles);
  const { first, last } = yamlRange(file);
  // Between two top-level keys, or behind the last.
  const starts = [
    ...keysOf(file)
      .filter((key) => key.indent === 0)
      .map((key) => key.index),
    last + 1,
  ];
  const index = chance.pick(starts.filter((one) => one > first));
  const name = chance.pick([
    `x${chance.word()}`,
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '<<',
    '"a b"',
    'schedul',
    'ownr',
    'Description',
    'DESCRIPTION',
    '"\\u0000"',
    `"${'k'.repeat(500)}"`,
    '42',
    'true',
  ]);
  const value = chance.pick(['1', 'text', '[]', '{ a: b }', '']);
  return {
    files: spliced(file, index, 0, `${name}: ${value}`),
    fault: faultAt(file, index, { harms: harmAround({ file, path: '' }) }),
  };
};

const unknownInside: Mutator = (chance) => {
  const inside = allKeys.filter(
    (key) =>
      key.indent > 0 && !/^(warehouses|connections)\.\w+$/.test(key.path) && !key.path.startsWith('fields.'),
  );
  const key = chance.pick(inside);
  const line = `${' '.repeat(key.indent)}x${chance.word()}: ${chance.pick(['1', 'text', '[a]'])}`;
  return {
    files: spliced(key.file, key.index, 0, line),
    fault: faultAt(key.file, key.index, { harms: harmAround(key) }),
  };
};

const missingKey: Mutator = (chance) => {
  const required: Record<string, readonly string[]> = {
    root: ['project', 'warehouses', 'connections'],
    signal: ['key'],
    enrichment: [],
    destination: ['connection', 'action', 'signals', 'fields'],
  };
  const key = chance.pick(allKeys.filter((one) => required[fileType(one.file)]?.includes(one.path)));
  const files = spliced(key.file, key.index, endOf(key) - key.index + 1);
  // Without warehouses or connections readback.yml is fine by itself; what uses them is not.
  if (key.path === 'warehouses' || key.path === 'connections') {
    const user = key.path === 'warehouses' ? 'signals/churn_risk.sql' : 'destinations/churn_alert.yaml';
    const place = keysOf(user).find((one) => one.name === key.path.slice(0, -1));
    return { files, fault: faultAt(user, place?.index ?? 0, { harms: { kind: 'all' } }) };
  }
  return { files, fault: faultOfMap(key.file) };
};

const missingInside: Mutator = (chance) => {
  const required = [
    'warehouses.analytics.type',
    'warehouses.analytics.path',
    'connections.crm.connector',
    'connections.crm.access_token',
    'connections.support.subdomain',
    'connections.support.api_token',
    'connections.team.bot_token',
    'connections.crm.rate_limit.per',
  ];
  const key = chance.pick(keysOf('readback.yml').filter((one) => required.includes(one.path)));
  const above = keysOf('readback.yml').find((one) => one.path === key.path.split('.').slice(0, -1).join('.'));
  const index = above?.index ?? 0;
  // Told where the map is: at its name, or at the first key left in it.
  return {
    files: spliced(key.file, key.index, 1),
    fault: faultWithin(key.file, index, index + 1, { harms: harmAround(key) }),
  };
};

const missingField: Mutator = (chance) => {
  const required: Record<string, readonly string[]> = {
    'destinations/retention_task.yaml': ['subject'],
    'destinations/churn_alert.yaml': ['channel', 'text'],
    'destinations/restock_ticket.yaml': ['body'],
    'destinations/ticket_note.yaml': ['channel', 'text'],
  };
  const file = chance.pick(Object.keys(required));
  const name = chance.pick(required[file] ?? []);
  const fields = keysOf(file).find((one) => one.path === 'fields');
  const key = keysOf(file).find((one) => one.path === `fields.${name}`);
  if (!fields || !key) return undefined;
  return { files: spliced(file, key.index, 1), fault: faultWithin(file, fields.index, fields.index + 1) };
};

const duplicateKey: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.value !== ''));
  const end = chance.pick([key.index + 1, lastOfMap(key) + 1]);
  const line = `${' '.repeat(key.indent)}${chance.pick([key.name, `"${key.name}"`, `'${key.name}'`])}: ${chance.pick([key.value, 'other'])}`;
  return { files: spliced(key.file, end, 0, line), fault: faultAt(key.file, end) };
};

/** Index of the last line of the map that a key stands in. */
function lastOfMap(key: Key): number {
  const keys = keysOf(key.file);
  const below = keys.slice(keys.findIndex((one) => one.index === key.index) + 1);
  return (below.find((one) => one.indent < key.indent)?.index ?? yamlRange(key.file).last + 1) - 1;
}

const tab: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.indent > 0));
  const text = `${chance.pick(['\t', '\t\t', ' \t', '\t  '])}${key.name}: ${key.value}`.trimEnd();
  const below = endOf(key);
  return {
    files: spliced(key.file, key.index, 1, text),
    fault: faultWithin(key.file, key.index, below > key.index ? key.index + 1 : key.index),
  };
};

const indent: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.indent > 0 && one.value !== ''));
  // Deeper than its neighbours, behind a value that is complete: no YAML.
  const previous = keysOf(key.file).find((one) => one.index === key.index - 1);
  if (!previous || previous.value === '' || previous.indent !== key.indent || !/^["[{]/.test(previous.value))
    return undefined;
  const line = `${' '.repeat(key.indent + chance.between(1, 6))}${key.name}: ${key.value}`;
  return {
    files: spliced(key.file, key.index, 1, line),
    fault: faultWithin(key.file, key.index - 1, key.index),
  };
};

const stray: Mutator = (chance) => {
  const file = chance.pick(allFiles);
  const tops = keysOf(file).filter((key) => key.indent === 0);
  const index = chance.pick(tops.slice(1)).index;
  const line = chance.pick([
    ']',
    '}',
    '- item',
    '@x',
    '`x`',
    '%x',
    '"',
    "'",
    '!!x',
    '{',
    '[',
    ': x',
    'just text',
    '&a',
    '*b',
    '> x',
    '? [a]',
    '}{',
    ',',
    '"a" b: c',
    "'x",
    '[a',
    '{ a: b',
    '--- x',
  ]);
  // An opened quote or bracket is told where it begins or where the text ends that it swallowed.
  const open = /^["'[{]/.test(line);
  const last = open ? yamlRange(file).last + 2 : index + 1;
  return { files: spliced(file, index, 0, line), fault: faultWithin(file, Math.max(0, index - 1), last) };
};

const anchor: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.value !== ''));
  const value = chance.pick([
    `*${chance.word()}`,
    '*',
    '&',
    '*__proto__',
    `[*${chance.word()}]`,
    `*${chance.word()} x`,
    '!!binary x',
    '!x y',
    '!!set { a }',
    '!<tag:x> y',
    '!!js/function "x"',
    '!!python/object:os.system x',
  ]);
  return { files: withValue(key, value), fault: faultAt(key.file, key.index) };
};

const mergeKey: Mutator = (chance) => {
  const file = chance.pick(allFiles.filter((one) => fileType(one) !== 'root'));
  const key = chance.pick(
    keysOf(file)
      .filter((one) => one.indent === 0 && one.value !== '')
      .slice(1),
  );
  return {
    files: spliced(file, key.index, 0, `<<: ${chance.pick(['{ description: x }', '[]', '[{ a: b }]'])}`),
    fault: faultAt(file, key.index),
  };
};

const bomb: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.path === 'description'));
  const letters = [...'bcdefghijkl'].slice(0, chance.between(4, 11));
  const wide = chance.between(9, 30);
  const merge = chance.pick([true, false]);
  const rows = letters.map((letter, at) => {
    const below = `*${at === 0 ? 'a' : letters[at - 1]}`;
    return merge
      ? `x${letter}: &${letter} { ${Array.from({ length: wide }, (_, one) => `k${one}: ${below}`).join(', ')} }`
      : `x${letter}: &${letter} [${Array(wide).fill(below).join(', ')}]`;
  });
  const insert = [`xa: &a [${Array(wide).fill('boom').join(', ')}]`, ...rows];
  return {
    files: spliced(key.file, key.index + 1, 0, ...insert),
    fault: faultWithin(key.file, key.index + 1, key.index + insert.length, { harms: harmOf(key.file) }),
  };
};

const badEscape: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.value !== '' && !one.value.startsWith('[')));
  const value = chance.pick([
    '"\\q"',
    '"\\x4"',
    '"\\u12"',
    '"\\U99999999"',
    '"C:\\dir"',
    '"\\',
    '"unclosed',
    "'unclosed",
    '[unclosed',
    '{ unclosed',
    '[a, b',
    '{ a: b',
    '"a" b',
    "'a' b",
    '[a] b',
    '"a""b"',
    '{ a: b } }',
    '[a]]',
  ]);
  const open = /unclosed|"\\$|\[a, b$|\{ a: b$/.test(value);
  const last = open ? yamlRange(key.file).last + 2 : key.index;
  return { files: withValue(key, value), fault: faultWithin(key.file, key.index, last) };
};

const deep: Mutator = (chance) => {
  const key = chance.pick(
    allKeys.filter((one) =>
      ['description', 'owner', 'tags', 'key', 'fields.subject', 'when', 'project', 'defaults.owner'].includes(
        one.path,
      ),
    ),
  );
  const depth = chance.pick([50, 500, 2_000, 5_000, 20_000, 40_000]);
  const [open, close] = chance.pick([
    ['[', ']'],
    ['{ a: ', ' }'],
    ['[{ a: ', ' }]'],
  ] as const);
  const fits = Math.min(depth, Math.floor(190_000 / (open.length + close.length)));
  const value = `${open.repeat(fits)}x${close.repeat(chance.pick([fits, fits - 1, 0]))}`;
  const closed = value.endsWith(close.repeat(fits));
  return {
    files: withValue(key, value),
    fault: faultWithin(key.file, key.index, closed ? key.index : yamlRange(key.file).last + 2),
  };
};

const deepBlock: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.indent === 0 && one.index > yamlRange(one.file).first));
  const depth = chance.between(20, 600);
  const rows = chance.pick([true, false])
    ? [`xdeep: ${'- '.repeat(depth * 50)}x`]
    : ['xdeep:', ...Array.from({ length: Math.min(depth, 500) }, (_, level) => `${' '.repeat(level + 1)}a:`)];
  return {
    files: spliced(key.file, key.index, 0, ...rows),
    fault: faultWithin(key.file, key.index, key.index + rows.length - 1),
  };
};

const documents: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.indent === 0 && one.index > yamlRange(one.file).first));
  const mark = chance.pick(['---', '--- # again', '---\t']);
  return { files: spliced(key.file, key.index, 0, mark), fault: faultAt(key.file, key.index) };
};

function many(chance: Chance): ReturnType<Mutator> {
  const file = chance.pick(allFiles.filter((one) => fileType(one) !== 'root'));
  const index = chance.pick(
    keysOf(file)
      .filter((key) => key.indent === 0)
      .slice(1),
  ).index;
  const count = chance.between(500, 9_000);
  const same = chance.pick([true, false]);
  const rows = Array.from({ length: count }, (_, row) => `x${same ? '' : row}: ${row}`);
  return { files: spliced(file, index, 0, ...rows), fault: faultWithin(file, index, index + count - 1) };
}

export const structureKinds: Kinds = {
  'unknown key': unknownKey,
  'unknown key inside': unknownInside,
  'missing key': missingKey,
  'missing key inside': missingInside,
  'missing field': missingField,
  'duplicate key': duplicateKey,
  tab,
  'wrong indent': indent,
  'stray line': stray,
  'alias of nothing, foreign tag': anchor,
  'merge key': mergeKey,
  'merge bomb': bomb,
  'bad escape, unclosed value': badEscape,
  'deep nesting': deep,
  'deep blocks': deepBlock,
  'several documents': documents,
  'very many keys': many,
};
