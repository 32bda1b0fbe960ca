import type { Chance } from './chance.ts';
import { faultAt, faultWithin } from './harm.ts';
import { allKeys, type Key, spliced, withValue } from './keys.ts';
import type { Fault, Kinds, Mutator } from './mutation.ts';

const templates = allKeys.filter((key) => key.path.startsWith('fields.') && key.value.includes('{{'));
const conditions = allKeys.filter((key) => key.path === 'when' && key.file.startsWith('destinations/'));

/** A template as one value in quotes, or as a block of several lines of which one holds the fault. */
function written(chance: Chance, key: Key, template: string, more: Partial<Fault> = {}): ReturnType<Mutator> {
  if (chance.share() < 0.7 || template.includes('\n'))
    return { files: withValue(key, JSON.stringify(template)), fault: faultAt(key.file, key.index, more) };
  const before = Array.from({ length: chance.between(0, 4) }, () => '    some text');
  const rows = [...before, `    ${template}`, '    more text'];
  const at = key.index + 1 + before.length;
  // A tag that is never closed is told where it opens; an output that is never closed may swallow the next line.
  return {
    files: spliced(key.file, key.index, 1, `  ${key.name}: |`, ...rows),
    fault: faultWithin(key.file, at, at + (more.needsWarehouse ? 0 : 1), more),
  };
}

const unclosed: Mutator = (chance) =>
  written(
    chance,
    chance.pick(templates),
    chance.pick([
      '{{ now',
      '{{ now }',
      'a {{',
      '{{ now | upcase',
      '{% if now %}x',
      '{% if now',
      '{% for a in now %}x',
      '{% case now %}{% when 1 %}',
      '{% unless now %}',
      '{% capture x %}y',
      '{% comment %}x',
      '{% raw %}{{ x }}',
      '{{ "now }}',
      "{{ 'now }}",
      '{% if now %}{% endfor %}',
      '{% endif %}',
      '{% else %}',
      '{{ now }} {{',
      '{% elsif now %}',
      '{% assign x = %}',
      '{% %}',
    ]),
  );

const unknownFilter: Mutator = (chance) => {
  const name = chance.pick([
    `x${chance.word()}`,
    'lowcase',
    'upcse',
    'constructor',
    '__proto__',
    'toString',
    'raw_html',
    'hasOwnProperty',
    'where_exp_',
  ]);
  return written(
    chance,
    chance.pick(templates),
    `{{ now | ${chance.pick(['', 'upcase | '])}${name}${chance.pick(['', ': 1', ": 'a', 2"])} }}`,
  );
};

const unknownTag: Mutator = (chance) =>
  written(
    chance,
    chance.pick(templates),
    `{% ${chance.pick([`x${chance.word()}`, 'include "a"', 'render "/etc/passwd"', 'layout "x"', 'increment a', 'cycle 1, 2', 'liquid', 'tablerow a in b', 'constructor', '__proto__', 'echo now', 'decrement a'])} %}`,
  );

const unknownVariable: Mutator = (chance) => {
  const name = chance.pick([
    `x${chance.word()}`,
    'Name',
    'NOW',
    'constructor',
    '__proto__',
    'toString',
    'customer_idd',
    'process',
    'globalThis',
    'this',
  ]);
  const template = chance.pick([
    `{{ ${name} }}`,
    `{{ ${name} | default: 'x' }}`,
    `{% if ${name} %}x{% endif %}`,
    `{{ ${name}.a.b }}`,
    `{% for one in ${name} %}{{ one }}{% endfor %}`,
    `{{ now | append: ${name} }}`,
    `{{ ${name}[0] }}`,
  ]);
  return written(chance, chance.pick(templates), template, {
    needsWarehouse: true,
    harms: { kind: 'nothing' },
  });
};

const sideBySide: Mutator = (chance) =>
  written(
    chance,
    chance.pick(templates),
    chance.pick([
      '{{ a b }}',
      '{{ now is nil }}',
      '{% if a b %}x{% endif %}',
      '{{ now and }}',
      '{{ a and b or c }}',
      '{{ now | plus: }} x {{ | }}',
      '{% if a == %}x{% endif %}',
      '{{ 99999999999999999999999 }}',
      '{{ now == 1 2 }}',
      '{% if a or b and c %}x{% endif %}',
    ]),
  );

const badCondition: Mutator = (chance) => {
  const key = chance.pick(conditions);
  const text = chance.pick([
    "plan = 'free'",
    "plan <> 'free'",
    'plan is null',
    'plan is not null',
    "plan in ('a')",
    "plan like 'a%'",
    "plan == 'a' AND plan == 'b'",
    'plan && plan',
    'plan || plan',
    '!plan',
    '{{ plan }}',
    'plan ==',
    '== plan',
    'plan plan',
    "plan == 'free",
    "a == 'x' and b == 'y' or c == 'z'",
    'plan | nosuch',
    'plan between 1 and 2',
    '((plan)',
    'plan)',
    `plan == ${'9'.repeat(40)}`,
    'NULL',
    'plan > 1 2',
    '{% if plan %}',
    '%}',
    '}}',
  ]);
  return { files: withValue(key, JSON.stringify(text)), fault: faultAt(key.file, key.index) };
};

/** Nested far beyond what anybody means, and open at the end. */
const deepTemplate: Mutator = (chance) => {
  const depth = chance.pick([100, 1_000, 5_000, 10_000, 15_000]);
  const key = chance.pick([...templates, ...conditions]);
  const part = chance.pick(
    key.path === 'when' ? ['(', 'not ('] : ['{% if now %}', '{{ (', '{% unless now %}', '{% for a in now %}'],
  );
  const text = part.repeat(Math.min(depth, Math.floor(150_000 / part.length)));
  return { files: withValue(key, JSON.stringify(text)), fault: faultAt(key.file, key.index) };
};

const hugeTemplate: Mutator = (chance) => {
  const key = chance.pick(templates);
  const part = chance.pick([
    '{{ now | upcase }} ',
    '{{',
    '{%',
    '| upcase ',
    '}}',
    "{{ 'x' }}",
    '{{ a.b.c }}',
    '{{ now[0][0] }} ',
    '{% # x %}',
  ]);
  const text = `${part.repeat(Math.floor(150_000 / part.length))}{{ now | x${chance.word()} }}`;
  return { files: withValue(key, JSON.stringify(text)), fault: faultAt(key.file, key.index) };
};

export const templateKinds: Kinds = {
  'unclosed Liquid': unclosed,
  'unknown filter': unknownFilter,
  'unknown tag': unknownTag,
  'unknown variable': unknownVariable,
  'broken expression': sideBySide,
  'bad condition': badCondition,
  'deep template': deepTemplate,
  'huge template': hugeTemplate,
};
