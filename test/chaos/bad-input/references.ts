import type { Chance } from './chance.ts';
import { faultAt } from './harm.ts';
import { allKeys, spliced, withValue } from './keys.ts';
import type { Fault, Kinds, Mutator } from './mutation.ts';
import { soundFiles } from './project.ts';

/** Names of nothing, likely slips and names that a plain object would seem to have. */
function nowhere(chance: Chance): string {
  return chance.pick([
    `x${chance.word()}`,
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'churn_rsik',
    'Churn_Risk',
    'customer_profle',
    'low-stock',
  ]);
}

const inDestination = allKeys.filter(
  ({ file, path }) =>
    file.startsWith('destinations/') &&
    ['connection', 'action', 'signals', 'enrich', 'follows', 'verify.fields'].includes(path),
);

const reference: Mutator = (chance) => {
  const key = chance.pick(inDestination);
  const name = nowhere(chance);
  const list = key.value.startsWith('[') && chance.share() < 0.7;
  return { files: withValue(key, list ? `[${name}]` : name), fault: faultAt(key.file, key.index) };
};

const warehouse: Mutator = (chance) => {
  const file = chance.pick(Object.keys(soundFiles).filter((one) => one.endsWith('.sql')));
  const name = nowhere(chance);
  const key = allKeys.find((one) => one.file === file && one.path === 'warehouse');
  return key
    ? { files: withValue(key, name), fault: faultAt(file, key.index) }
    : { files: spliced(file, 1, 0, `warehouse: ${name}`), fault: faultAt(file, 1) };
};

const moreThanOne: Mutator = (chance) => {
  const key = chance.pick(inDestination.filter(({ path }) => path === 'signals'));
  return {
    files: withValue(key, `${key.value.slice(0, -1)}, ${nowhere(chance)}]`),
    fault: faultAt(key.file, key.index),
  };
};

const circle: Mutator = (chance) => {
  const file = chance.pick([
    'destinations/restock_ticket.yaml',
    'destinations/retention_task.yaml',
    'destinations/restock_done.yaml',
  ]);
  const own = file.replace(/^.*\//, '').replace('.yaml', '');
  const key = allKeys.find((one) => one.file === file && one.path === 'signals');
  if (!key) return undefined;
  if (file.includes('restock_done')) {
    const follows = allKeys.find((one) => one.file === file && one.path === 'follows');
    return follows && { files: withValue(follows, own), fault: faultAt(file, follows.index) };
  }
  return { files: spliced(file, key.index, 0, `follows: ${own}`), fault: faultAt(file, key.index) };
};

const silent: Mutator = (chance) => {
  const key = chance.pick(
    allKeys.filter(({ file, path }) => /churn_alert|retention_task|deal_contact/.test(file) && path === 'on'),
  );
  return {
    files: withValue(key, chance.pick(['[changed]', 'changed', '[entered, changed]', '[changed, left]'])),
    fault: faultAt(key.file, key.index),
  };
};

const openSecret: Mutator = (chance) => {
  const key = chance.pick(allKeys.filter(({ path }) => /(access_token|api_token|bot_token)$/.test(path)));
  const name = key.path.split('.')[1] ?? '';
  const value = chance.pick([
    `hush-${chance.word(16)}`,
    `"hush-${chance.word(9)}: x"`,
    `[hush-${chance.word(9)}]`,
    `{ hush-${chance.word(9)}: b }`,
    'env:NOT_SET_ANYWHERE',
    'file:./no_such_file',
    'file:/root/../nowhere/x',
    '"env:"',
    '"file:"',
    'ENV:HUBSPOT_ACCESS_TOKEN',
    '$HUBSPOT_ACCESS_TOKEN',
    '"%HUBSPOT_ACCESS_TOKEN%"',
  ]);
  const fault: Fault = faultAt(key.file, key.index, { harms: { kind: 'connection', name } });
  return { files: withValue(key, value), fault };
};

const togetherness: Mutator = (chance) => {
  const [path, remove, blamed] = chance.pick([
    ['when', 'when', 'rearm'],
    ['observed_at', 'observed_at', 'guard.max_age'],
    ['schedule', 'schedule', 'timezone'],
  ] as const);
  const key = allKeys.find((one) => one.file === 'signals/churn_risk.sql' && one.path === remove);
  const other = allKeys.find((one) => one.file === 'signals/churn_risk.sql' && one.path === blamed);
  if (!key || !other || path !== key.path) return undefined;
  return { files: spliced(key.file, key.index, 1), fault: faultAt(key.file, other.index - 1) };
};

const badFileName: Mutator = (chance) => {
  const file = chance.pick(Object.keys(soundFiles).filter((one) => one !== 'readback.yml'));
  const folder = file.slice(0, file.lastIndexOf('/'));
  const ending = file.slice(file.lastIndexOf('.'));
  const name = chance.pick([
    'has space',
    '1st',
    '-x',
    'ü',
    'a.b',
    `${'a'.repeat(120)}`,
    '😀',
    "a'b",
    '$x',
    'a;b',
  ]);
  const added = `${folder}/${name}${ending}`;
  return { files: { [added]: soundFiles[file] ?? '' }, fault: { ...faultAt(added, 0), lines: null } };
};

const twin: Mutator = (chance) => {
  const file = chance.pick(Object.keys(soundFiles).filter((one) => one !== 'readback.yml'));
  // Behind the sound one in the order of names, so that the new file is the twin.
  const slash = file.lastIndexOf('/');
  const added = `${file.slice(0, slash)}/zzz${chance.word(3)}/${file.slice(slash + 1)}`;
  return {
    files: { [added]: soundFiles[file] ?? '' },
    fault: { ...faultAt(added, 0), lines: null, harms: { kind: 'nothing' } },
  };
};

export const referenceKinds: Kinds = {
  'reference to nothing': reference,
  'one reference of several to nothing': moreThanOne,
  'warehouse that is none': warehouse,
  'circle of followers': circle,
  'transition nobody tells': silent,
  'secret in the open or nowhere': openSecret,
  'key without its partner': togetherness,
  'bad file name': badFileName,
  'two files of a name': twin,
};
