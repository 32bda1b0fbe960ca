import type { Chance } from './chance.ts';
import { faultAt, harmOfKey } from './harm.ts';
import { allKeys, type FileType, fileType, withValue } from './keys.ts';
import type { Kinds, Mutator } from './mutation.ts';

/** What a value is to be. */
type Wanted =
  | 'text'
  | 'description'
  | 'path'
  | 'name'
  | 'names'
  | 'duration'
  | 'cron'
  | 'timezone'
  | 'severity'
  | 'transitions'
  | 'backfill'
  | 'count'
  | 'lanes'
  | 'ratio'
  | 'boolean'
  | 'columns'
  | 'map'
  | 'secret'
  | 'kind'
  | 'template';

const wanted: Readonly<Record<FileType, Readonly<Record<string, Wanted>>>> = {
  root: {
    project: 'name',
    warehouses: 'map',
    'warehouses.analytics': 'map',
    'warehouses.analytics.type': 'kind',
    'warehouses.analytics.path': 'path',
    connections: 'map',
    'connections.crm': 'map',
    'connections.crm.connector': 'kind',
    'connections.crm.access_token': 'secret',
    'connections.crm.rate_limit': 'map',
    'connections.crm.rate_limit.requests': 'count',
    'connections.crm.rate_limit.per': 'duration',
    'connections.crm.timeout': 'duration',
    'connections.support.connector': 'kind',
    'connections.support.subdomain': 'text',
    'connections.support.email': 'text',
    'connections.support.api_token': 'secret',
    'connections.team.bot_token': 'secret',
    defaults: 'map',
    'defaults.timezone': 'timezone',
    'defaults.owner': 'text',
    'defaults.severity': 'severity',
    'defaults.sla': 'duration',
    'defaults.ttl': 'duration',
  },
  signal: {
    description: 'description',
    owner: 'text',
    schedule: 'cron',
    every: 'duration',
    timezone: 'timezone',
    key: 'columns',
    when: 'text',
    rearm: 'text',
    on: 'transitions',
    track: 'columns',
    observed_at: 'text',
    severity: 'severity',
    tags: 'names',
    sla: 'duration',
    cooldown: 'duration',
    ttl: 'duration',
    guard: 'map',
    'guard.max_new': 'count',
    'guard.max_new_ratio': 'ratio',
    'guard.max_age': 'duration',
    'guard.allow_empty': 'boolean',
    backfill: 'backfill',
    timeout: 'duration',
  },
  enrichment: { description: 'description', key: 'columns', fresh: 'duration', timeout: 'duration' },
  destination: {
    description: 'description',
    owner: 'text',
    tags: 'names',
    connection: 'name',
    action: 'text',
    options: 'map',
    signals: 'names',
    on: 'transitions',
    when: 'text',
    enrich: 'names',
    fields: 'map',
    'fields.subject': 'template',
    'fields.body': 'template',
    'fields.text': 'template',
    'fields.comment': 'template',
    follows: 'name',
    verify: 'map',
    'verify.within': 'duration',
    'verify.lag': 'duration',
    ttl: 'duration',
    lanes: 'lanes',
    max_attempts: 'count',
  },
};

const nothing = ['', '~', 'null'];
const number = (chance: Chance): string => String(chance.between(-999, 99_999));

/** Values of the wrong type, as YAML, by what is wanted. */
const wrongType: Readonly<Record<Wanted, (chance: Chance) => string>> = {
  text: (chance) =>
    chance.pick([...nothing, number(chance), 'true', '[a, b]', '{ a: b }', '1.5', '""', '"   "']),
  path: (chance) => chance.pick([...nothing, number(chance), 'true', '[a]', '{ a: b }', '""']),
  description: (chance) => chance.pick([...nothing, number(chance), 'false', '[a]', '{ a: b }', '-0.0']),
  name: (chance) => chance.pick([...nothing, number(chance), 'true', '[a]', '{ a: b }', '""']),
  names: (chance) =>
    chance.pick([...nothing, '[]', '[1]', '[true]', '{ a: b }', '[[a]]', '[{ a: b }]', '""', '[~]']),
  duration: (chance) => chance.pick([...nothing, number(chance), 'true', '[5m]', '{ m: 5 }', '1e3', '1.5']),
  cron: (chance) => chance.pick([...nothing, number(chance), '[5, 4, 3, 2, 1]', '{ minute: 5 }', 'true']),
  timezone: (chance) => chance.pick([...nothing, number(chance), 'true', '[UTC]', '{ zone: UTC }']),
  severity: (chance) => chance.pick([...nothing, number(chance), 'true', '[high]', '{ high: true }']),
  transitions: (chance) =>
    chance.pick([...nothing, number(chance), 'true', '[]', '[1]', '{ entered: true }', '[[left]]']),
  backfill: (chance) => chance.pick([...nothing, number(chance), 'true', '[all]', '{ all: true }']),
  count: (chance) =>
    chance.pick([...nothing, '"5"', 'true', '[5]', '{ a: 5 }', 'five', '1_000', '1.5', '0', '-1']),
  lanes: (chance) =>
    chance.pick([...nothing, '"2"', 'false', '[2]', '{ a: 2 }', 'two', '0', '-3', '2.5', '65']),
  ratio: (chance) =>
    chance.pick([...nothing, '"0.5"', 'true', '[0.5]', '{ a: 0.5 }', '50%', '1.01', '-0.01', '20']),
  boolean: (chance) =>
    chance.pick([...nothing, 'yes', 'no', 'on', '1', '0', '"true"', '[true]', '{ a: true }']),
  columns: (chance) =>
    chance.pick([...nothing, number(chance), 'true', '[]', '{ a: b }', '[1]', '[[a]]', '""', '[a, a]']),
  map: (chance) => chance.pick([number(chance), 'true', '[a]', 'text', '"{}"', '[{ a: b }]']),
  secret: (chance) =>
    chance.pick([
      ...nothing,
      `hush-${chance.word(12)}`,
      number(chance),
      'true',
      '[env:A]',
      '{ env: A }',
      '"env:"',
      'env:MY-TOKEN',
    ]),
  kind: (chance) => chance.pick([...nothing, number(chance), 'true', '[duckdb]', '{ a: b }', '""']),
  template: (chance) => chance.pick([...nothing, '[a, b]', '{ a: b }', '{{ name }}', '[]']),
};

const mutateType: Mutator = (chance) => {
  const key = chance.pick(allKeys);
  const want = wanted[fileType(key.file)][key.path];
  if (!want || want === 'map' || key.value === '') return undefined;
  return {
    files: withValue(key, wrongType[want](chance)),
    fault: faultAt(key.file, key.index, { harms: harmOfKey(key) }),
  };
};

const mutateMap: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter((one) => one.value === ''));
  // A connection or warehouse that is no map has no kind either, which is told at its name: the same line.
  return {
    files: withValue(key, wrongType.map(chance)),
    fault: faultAt(key.file, key.index, { harms: harmOfKey(key) }),
  };
};

/** Values of the right type that are no such thing, by what is wanted. */
const badForm: Partial<Record<Wanted, (chance: Chance) => string>> = {
  name: (chance) =>
    chance.pick([
      'has space',
      `${chance.between(1, 9)}${chance.word()}x`,
      '-dash',
      'ünïcode',
      '../../etc/passwd',
      'a/b',
      `"${'a'.repeat(101)}"`,
      '"a\\nb"',
      'a.b',
    ]),
  names: (chance) =>
    chance.pick(['[has space]', '[a, a]', '[ä]', '[9lives]', '["a b", c]', `[${'a'.repeat(101)}]`]),
  duration: (chance) => {
    const n = chance.between(1, 99);
    return chance.pick([
      `${n} minutes`,
      `-${n}m`,
      `${n}e3s`,
      `${n}M`,
      `"${n}m "`,
      `1h${n}m`,
      `.${n}h`,
      `${n}µs`,
      `0x${n}s`,
      `${n}y`,
      `P${n}D`,
      `PT${n}M`,
      `${n}:00`,
      `"${n}"`,
      '99999999999d',
      '3651d',
      '∞',
      'soon',
      '0s',
      '0.0001s',
      `${n},5h`,
      `${'9'.repeat(400)}h`,
      `"${n}m\\0"`,
      `５m`,
      `+${n}m`,
      `${n}mm`,
    ]);
  },
  cron: (chance) => {
    const big = chance.between(100, 9_999_999);
    return `"${chance.pick([
      '* * * *',
      '*',
      '60 * * * *',
      '* 24 * * *',
      '* * 0 * *',
      '* * 32 * *',
      '* * * 0 *',
      '* * * 13 *',
      '* * * * 8',
      '-1 * * * *',
      'a b c d e',
      '@daily',
      '@reboot',
      '@every 5m',
      '* * * * * * *',
      '*/0 * * * *',
      '9-1 * * * *',
      '1,,2 * * * *',
      '*/-5 * * * *',
      '0 0 30 2 *',
      '0 0 31 4 *',
      '0 0 31 2,4,6,9,11 *',
      `${big} * * * *`,
      `1-${big} * * * *`,
      '1.5 * * * *',
      '＊ ＊ ＊ ＊ ＊',
      '* * * * MONDAYS',
      '* * * FOO *',
      '*/5 * * * * ;',
      '',
      ' ',
      'every 5 minutes',
      '60 * * * * *',
      '*/x * * * *',
      '1- * * * *',
      '-5 * * * *',
      '1/2/3 * * * *',
      `*/${big} * * * *`,
      '5 4 * *',
      '* * * * ,',
      '** * * * *',
      '1-2-3 * * * *',
      '0 0 0 0 0',
      '1e1 * * * *',
    ])}"`;
  },
  timezone: (chance) =>
    chance.pick([
      'Europe/Berln',
      '+02:00',
      '"+0200"',
      '""',
      'Mars/Olympus',
      'UTC+2',
      'GMT+25',
      '"Europe/Berlin "',
      'Europe',
      'CETT',
      `Europe/${chance.word()}`,
      '"../../etc/localtime"',
      '"Europe\\0Berlin"',
    ]),
  severity: (chance) => chance.pick(['hihg', 'HIGH', 'High', '"high "', 'urgent', '""', chance.word(12)]),
  transitions: (chance) =>
    chance.pick([
      'exited',
      '[entered, exited]',
      '[ENTERED]',
      '[entered, entered]',
      'all',
      '""',
      chance.word(12),
    ]),
  backfill: (chance) => chance.pick(['some', 'ALL', 'true all', '""', chance.word(12)]),
  kind: (chance) =>
    chance.pick([
      'duckbd',
      'hubsopt',
      '__proto__',
      'constructor',
      'toString',
      '../duckdb',
      'DuckDB',
      chance.word(12),
    ]),
};

const mutateForm: Mutator = (chance) => {
  const key = chance.pick(allKeys);
  const want = wanted[fileType(key.file)][key.path];
  const bad = want && badForm[want];
  if (!bad || key.value === '') return undefined;
  return {
    files: withValue(key, bad(chance)),
    fault: faultAt(key.file, key.index, { harms: harmOfKey(key) }),
  };
};

function mutateOf(want: Wanted): Mutator {
  const bad = badForm[want];
  const keys = allKeys.filter((key) => wanted[fileType(key.file)][key.path] === want);
  return (chance) => {
    const key = chance.pick(keys);
    return (
      bad && {
        files: withValue(key, bad(chance)),
        fault: faultAt(key.file, key.index, { harms: harmOfKey(key) }),
      }
    );
  };
}

const huge = [
  '1e400',
  '-1e400',
  '.inf',
  '-.inf',
  '.nan',
  '9'.repeat(30),
  `-${'9'.repeat(400)}`,
  `1${'0'.repeat(10_000)}`,
  `0x${'f'.repeat(40)}`,
  '1e-400.5',
  '9007199254740993.5',
];

const mutateNumber: Mutator = (chance) => {
  const key = chance.pick(
    allKeys.filter((one) => ['count', 'lanes', 'ratio'].includes(wanted[fileType(one.file)][one.path] ?? '')),
  );
  return {
    files: withValue(key, chance.pick(huge)),
    fault: faultAt(key.file, key.index, { harms: harmOfKey(key) }),
  };
};

export const valueKinds: Kinds = {
  'wrong type': mutateType,
  'wrong type for a map': mutateMap,
  'bad form': mutateForm,
  'bad cron': mutateOf('cron'),
  'bad duration': mutateOf('duration'),
  'bad time zone': mutateOf('timezone'),
  'bad name': mutateOf('name'),
  'huge number': mutateNumber,
};
