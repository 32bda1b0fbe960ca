import type { Chance } from './chance.ts';
import {
  allFiles,
  allKeys,
  endOf,
  fileType,
  keysOf,
  linesOf,
  spliced,
  withValue,
  yamlRange,
} from './keys.ts';
import type { Kinds, Mutation } from './mutation.ts';
import { soundFiles } from './project.ts';

type Files = Mutation['files'];

/** Changes of a file's form that mean nothing, and do not move a line. */
const dresses: readonly ((text: string) => string)[] = [
  (text) => `\uFEFF${text}`,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\r'),
  (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`,
];

/** The same mutation in another dress: a fault must be found at its line however the lines end. */
export function dressed(chance: Chance, mutation: Mutation): Mutation {
  const dress = chance.pick(dresses);
  const files = Object.entries(mutation.files).map(([file, content]) => [
    file,
    typeof content === 'string' && !content.includes('\r') && !content.startsWith('\uFEFF')
      ? dress(content)
      : content,
  ]);
  return { ...mutation, files: Object.fromEntries(files) };
}

function comments(chance: Chance): Files {
  const file = chance.pick(allFiles);
  const key = chance.pick(keysOf(file));
  const line = chance.pick([
    '# {{ nothing',
    '#',
    '',
    '   ',
    '# \t tabs "and quotes',
    '# *alias &anchor !tag',
    `# ${'x'.repeat(5_000)}`,
  ]);
  return spliced(file, key.index, 0, ...Array(chance.between(1, 30)).fill(line));
}

function trailing(chance: Chance): Files {
  const key = chance.pick(allKeys.filter((one) => one.value !== ''));
  const line = linesOf(key.file)[key.index] ?? '';
  return spliced(
    key.file,
    key.index,
    1,
    `${line}${chance.pick(['  ', '\t', ' # why', '\t# why', `${' '.repeat(3_000)}`])}`,
  );
}

function anchors(chance: Chance): Files {
  const file = chance.pick(['signals/churn_risk.sql', 'destinations/retention_task.yaml']);
  const owner = keysOf(file).find((key) => key.path === 'owner')?.index ?? 0;
  return spliced(file, owner, 1, `owner: &${chance.word()} retention@acme.example`);
}

function aliases(): Files {
  const file = 'destinations/retention_task.yaml';
  const lines = linesOf(file);
  const verify = lines.findIndex((line) => line.startsWith('  within: '));
  const lag = lines.findIndex((line) => line.startsWith('  lag: '));
  lines[verify] = '  within: &wait 60s';
  lines[lag] = '  lag: *wait';
  return { [file]: lines.join('\n') };
}

function order(chance: Chance): Files {
  const file = chance.pick(allFiles);
  const { first, last } = yamlRange(file);
  const lines = linesOf(file);
  const blocks = keysOf(file)
    .filter((key) => key.indent === 0)
    .map((key) => lines.slice(key.index, endOf(key) + 1));
  const shuffled = blocks.map((block) => ({ block, by: chance.share() })).sort((a, b) => a.by - b.by);
  lines.splice(first, last - first + 1, ...shuffled.flatMap(({ block }) => block));
  return { [file]: lines.join('\n') };
}

function text(chance: Chance): Files {
  const key = chance.pick(allKeys.filter((one) => one.path === 'description'));
  const value = chance.pick([
    '"מלאי נמוך"',
    '"😀👩‍👩‍👧‍👦 e\u0301"',
    '"a\u2028b\u2029c"',
    `"${'long '.repeat(chance.between(1_000, 30_000))}"`,
    '"null"',
    '"42"',
    "'it''s: {{ not }} a [template]'",
    '"*/5 and */9"',
    '>-\n  folded\n  text',
    '|\n  kept\n  text',
    '"tab\\tand\\nbreak"',
    '__proto__',
    '""',
    '"\u200B"',
    '"<script>alert(1)</script>"',
    '"\'; drop table x; --"',
  ]);
  return withValue(key, value);
}

function values(chance: Chance): Files {
  const key = chance.pick(
    allKeys.filter(
      (one) =>
        ['ttl', 'max_attempts', 'lanes', 'schedule', 'timezone', 'guard.max_new', 'severity'].includes(
          one.path,
        ) && fileType(one.file) !== 'root',
    ),
  );
  const good: Record<string, readonly string[]> = {
    ttl: ['3650d', '1ms', '0.5h', '2w', "'24h'", '1.125s', '90m'],
    max_attempts: ['1', '100', '0x10', '0o17', '+7', '7.0', '1e1'],
    lanes: ['1', '64', '6.4e1'],
    schedule: [
      '"59 23 31 12 *"',
      '"* * * * * *"',
      '"0 0 29 2 *"',
      '"*/7 */3 1,15 JAN-MAR MON"',
      '"0 0 * * 7"',
      '"0 0 * * sun"',
      '"0,30 9-17 * * 1-5"',
      '"  5   4 * * *  "',
      '"1-59/2 * * * *"',
    ],
    timezone: [
      'UTC',
      'America/Argentina/Buenos_Aires',
      'Asia/Kathmandu',
      'Etc/GMT+5',
      'europe/berlin',
      'Australia/Lord_Howe',
    ],
    'guard.max_new': ['1', '9007199254740991', '0xff'],
    severity: ['low', '"critical"', "'high'"],
  };
  return withValue(key, chance.pick(good[key.path] ?? []));
}

function templates(chance: Chance): Files {
  const key = chance.pick(allKeys.filter((one) => one.path === 'fields.body' || one.path === 'fields.text'));
  const value = chance.pick([
    '{{ now }}',
    '{% if now %}{{ now }}{% endif %}',
    'no template',
    '}} {',
    '{% raw %}{{ x }}{% endraw %}',
    '{% comment %}{{ x | nosuch }}{% endcomment %}',
    "{{ now | date: '%Y' }}",
    '{{ "{{ }" }}',
    '{% assign a = now %}{{ a }}',
    '01234',
    '{% # a remark %}x',
    '{% for i in (1..3) %}{{ i }}{% endfor %}',
    '{{- now -}}',
    `${'x'.repeat(50_000)}`,
  ]);
  return withValue(key, JSON.stringify(value));
}

function folders(chance: Chance): Files {
  const folder = chance.pick(['signals', 'destinations', 'sql/enrich', 'sql', 'other']);
  const name = chance.pick([
    'README.md',
    'notes.txt',
    '.gitkeep',
    'old.sql.bak',
    'x.yaml~',
    '.DS_Store',
    'data.csv',
    'y.json',
  ]);
  return { [`${folder}/${name}`]: chance.pick(['', '\0\0\0', 'not: [yaml', '/* not closed']) };
}

function subfolder(chance: Chance): Files {
  const name = `x${chance.word()}`;
  return {
    [`signals/${chance.word()}/${chance.word()}/${name}.sql`]:
      '/*\nkey: ticket_id\n*/\nselect ticket_id from tickets',
  };
}

function statement(chance: Chance): Files {
  const file = chance.pick(allFiles.filter((one) => one.endsWith('.sql')));
  const rest = chance.pick([
    ';',
    ' ;;; \n',
    '\n\n\n',
    '-- a remark\n',
    '/* { [ " */\n',
    "-- it's {{ x\n",
    '\t',
    '--\n;',
    `-- ${'x'.repeat(100_000)}\n`,
  ]);
  return { [file]: `${soundFiles[file]}${rest}` };
}

function marks(chance: Chance): Files {
  const file = chance.pick(allFiles.filter((one) => !one.endsWith('.sql')));
  const body = soundFiles[file] ?? '';
  return {
    [file]: chance.pick([
      `---\n${body}`,
      `--- # first\n${body}`,
      `${body}...\n`,
      `%YAML 1.2\n---\n${body}`,
      `\n\n\n${body}`,
      body.trimEnd(),
      `# yaml-language-server: $schema=x\n${body}`,
    ]),
  };
}

function lists(chance: Chance): Files {
  const key = chance.pick(allKeys.filter((one) => /^\[\w+\]$/.test(one.value)));
  const inner = key.value.slice(1, -1);
  const blanks = ' '.repeat(key.indent);
  return withValue(
    key,
    chance.pick([
      inner,
      `"${inner}"`,
      `\n${blanks}- ${inner}`,
      `\n${blanks}  - '${inner}'`,
      `[ ${inner}, ]`,
      `[\n    ${inner}\n  ]`,
    ]),
  );
}

const harmless = {
  comments,
  trailing,
  anchors,
  aliases,
  order,
  text,
  values,
  templates,
  folders,
  subfolder,
  statement,
  marks,
  lists,
};

export const harmlessKinds: Kinds = {
  ...Object.fromEntries(
    Object.entries(harmless).map(([name, change]) => [
      `harmless: ${name}`,
      (chance: Chance) => ({ files: change(chance), fault: null }),
    ]),
  ),
  'harmless: dress': (chance) => {
    const file = chance.pick(allFiles);
    return { files: { [file]: chance.pick(dresses)(soundFiles[file] ?? '') }, fault: null };
  },
};
