import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edited, load, soundFiles, type Written } from './written-project.ts';

const root = 'readback.yml';
const signal = 'signals/churn_risk.sql';
const destination = 'destinations/retention_task.yaml';
const enrichment = 'sql/enrich/customer_profile.sql';

/** Rule → what is written wrong → the first line of the problem → what its hint says. */
type Case = [rule: string, written: Written, problem: string, hint?: string | RegExp];

function line(file: string, before: string, after: string): Written {
  return { files: edited(file, before, after) };
}

function header(extra: string): Written {
  return line(signal, 'key: customer_id\n', `key: customer_id\n${extra}\n`);
}

function added(extra: string): Written {
  return { files: { [destination]: `${soundFiles[destination]}${extra}\n` } };
}

function message(blocks: string): Written {
  const fields = `fields:\n  channel: C0123456789\n  text: x\n  blocks: '${blocks}'\n`;
  return {
    files: {
      'destinations/message.yaml': `connection: team\naction: post_message\nsignals: [churn_risk]\n${fields}`,
    },
  };
}

const cases: Case[] = [
  [
    'left_fields need a destination that hears of leaving',
    added('left_fields: { subject: Gone, contact_email: "{{ customer_id }}" }'),
    `${destination}:8:14 CONFIG_REFERENCE: \`left_fields\` is never written: \`on\` does not have \`left\``,
    'add left to on:',
  ],
  [
    'left_fields are fields of the action',
    added('on: [left]\nleft_fields: { subjct: Gone, contact_email: x }'),
    `${destination}:9:16 CONFIG_KEY: unknown key \`subjct\``,
    /subject/,
  ],
  [
    'left_fields are templates',
    added('on: [left]\nleft_fields: { subject: "{{ name", contact_email: x }'),
    `${destination}:9:26 TEMPLATE: output "{{ name" not closed`,
  ],
  [
    'diff: warehouse needs a warehouse with a place for it',
    header('diff: warehouse'),
    `${signal}:5:7 CONFIG_VALUE: warehouse \`analytics\` cannot be used with \`diff: warehouse\`: it has no \`scratch_path\` to keep snapshots in`,
    /diff: digest/,
  ],
  [
    'diff is one of three',
    header('diff: hash'),
    `${signal}:5:7 CONFIG_VALUE: \`diff\`: must be digest, rows or warehouse (got: hash)`,
  ],
  [
    'unknown key in readback.yml',
    line(root, 'warehouses:', 'warehosues:'),
    `${root}:2:1 CONFIG_KEY: unknown key \`warehosues\``,
    'did you mean `warehouses`?',
  ],
  [
    'project is required',
    line(root, 'project: acme\n', ''),
    `${root}:1:1 CONFIG_KEY: \`project\` is missing`,
  ],
  [
    'project is a plain name',
    line(root, 'acme\n', 'acme inc\n'),
    `${root}:1:10 CONFIG_VALUE: \`project\`: a name has letters, digits, _ and -, and begins with a letter (got: acme inc)`,
  ],
  [
    'warehouse type exists',
    line(root, 'duckdb,', 'duckbd,'),
    `${root}:3:22 CONFIG_REFERENCE: there is no type \`duckbd\``,
    'did you mean `duckdb`?',
  ],
  ['warehouse has a type', line(root, 'type: duckdb, ', ''), `${root}:3:3 CONFIG_KEY: \`type\` is missing`],
  [
    'warehouse settings are known',
    line(root, 'path: ./data', 'pth: ./data'),
    `${root}:3:30 CONFIG_KEY: unknown key \`pth\``,
    'did you mean `path`?',
  ],
  [
    'connector exists',
    line(root, 'connector: hubspot', 'connector: hubsopt'),
    `${root}:5:21 CONFIG_REFERENCE: there is no connector \`hubsopt\``,
    'did you mean `hubspot`?',
  ],
  [
    'connection has a connector',
    line(root, 'connector: slack, ', ''),
    `${root}:6:3 CONFIG_KEY: \`connector\` is missing`,
  ],
  [
    'connector is spelt so',
    line(root, 'connector: slack', 'conector: slack'),
    `${root}:6:11 CONFIG_KEY: unknown key \`conector\``,
    'did you mean `connector`?',
  ],
  [
    'connection settings are complete',
    line(root, '    subdomain: acme\n', ''),
    `${root}:8:5 CONFIG_KEY: \`subdomain\` is missing`,
  ],
  [
    'secret is set',
    { env: {} },
    `${root}:5:44 SECRET_REFERENCE: the environment variable HUBSPOT_TOKEN is not set (got: env:HUBSPOT_TOKEN)`,
    'set it: export HUBSPOT_TOKEN=…',
  ],
  [
    'secret is not empty',
    { env: { HUBSPOT_TOKEN: '' } },
    `${root}:5:44 SECRET_REFERENCE: the environment variable HUBSPOT_TOKEN is empty (got: env:HUBSPOT_TOKEN)`,
  ],
  [
    'secret name is likely a slip',
    { env: { HUBSPOT_TOKN: 'x' } },
    `${root}:5:44 SECRET_REFERENCE: the environment variable HUBSPOT_TOKEN is not set (got: env:HUBSPOT_TOKEN)`,
    'did you mean env:HUBSPOT_TOKN?',
  ],
  [
    'secret file exists',
    line(root, 'env:HUBSPOT_TOKEN', 'file:./token'),
    `${root}:5:44 SECRET_REFERENCE: the secret file cannot be read (ENOENT) (got: file:./token)`,
  ],
  [
    'reference is well-formed',
    line(root, 'env:HUBSPOT_TOKEN', 'env:MY-TOKEN'),
    `${root}:5:44 SECRET_REFERENCE: not a reference (got: env:MY-TOKEN)`,
  ],
  [
    'secret is not in the open',
    line(root, 'env:SLACK_TOKEN', 'xoxb-very-secret'),
    `${root}:6:40 SECRET_REFERENCE: \`bot_token\`: a secret must be a reference: write env:NAME or file:PATH, never the secret itself`,
  ],
  [
    'rate limit is complete',
    line(root, 'env:HUBSPOT_TOKEN', 'env:HUBSPOT_TOKEN, rate_limit: { requests: 5 }'),
    `${root}:5:75 CONFIG_KEY: \`rate_limit.per\` is missing`,
    'The length of the window of `requests`, such as 10s.',
  ],
  [
    'default is a duration',
    { files: { [root]: `${soundFiles[root]}defaults: { ttl: 60 }\n` } },
    `${root}:12:18 CONFIG_VALUE: \`defaults.ttl\`: a duration needs a unit; write 30s, 5m, 24h or 14d (got: 60)`,
  ],

  [
    'file has a header',
    { files: { [signal]: 'select 1' } },
    `${signal}:1:1 CONFIG_KEY: the file does not begin with a header`,
  ],
  [
    'header is closed',
    { files: { [signal]: '\n/* key: id\nselect 1' } },
    `${signal}:2:1 CONFIG_YAML: the header is not closed`,
  ],
  [
    'there is a statement',
    { files: { [signal]: '/* key: id */\n ;\n' } },
    `${signal}:2:2 SIGNAL_SQL: there is no statement after the header`,
  ],
  [
    'unknown header key',
    header('warehose: analytics'),
    `${signal}:5:1 CONFIG_KEY: unknown key \`warehose\``,
    'did you mean `warehouse`?',
  ],
  [
    'key is required',
    line(signal, 'key: customer_id\n', ''),
    `${signal}:2:1 CONFIG_KEY: \`key\` is missing`,
    'The column or columns that identify a row.',
  ],
  [
    'key is not empty',
    line(signal, 'key: customer_id', 'key: []'),
    `${signal}:4:6 CONFIG_VALUE: \`key\`: must not be empty (got: [])`,
  ],
  [
    'key has no repetition',
    line(signal, 'key: customer_id', 'key: [a, a]'),
    `${signal}:4:6 CONFIG_VALUE: \`key\`: the same name stands twice (got: ["a","a"])`,
  ],
  ['a key without a value', header('rearm:'), `${signal}:5:7 CONFIG_VALUE: \`rearm\` is empty`],
  [
    'warehouse exists',
    header('warehouse: analytcs'),
    `${signal}:5:12 CONFIG_REFERENCE: there is no warehouse \`analytcs\` in readback.yml`,
    'did you mean `analytics`?',
  ],
  [
    'cron has five fields',
    line(signal, '"*/5 * * * *"', '"*/5 * *"'),
    `${signal}:3:11 CONFIG_VALUE: \`schedule\`: not a cron expression (got: */5 * *)`,
    /"\*\/5 \* \* \* \*"/,
  ],
  [
    'cron fields are in range',
    line(signal, '"*/5 * * * *"', '"61 * * * *"'),
    `${signal}:3:11 CONFIG_VALUE: \`schedule\`: the minute is wrong (got: 61 * * * *)`,
  ],
  ...(
    [
      ['50-10 * * * *', 'the minute is wrong'],
      ['0 22-2 * * *', 'the hour is wrong'],
      ['*/100 * * * *', 'the minute is wrong'],
      ['5,5 * * * *', 'the minute is wrong'],
      ['0 0 15W * *', 'the day of month is wrong'],
      ['0 0 * * MONDAY', 'the day of week is wrong'],
      ['H * * * *', 'the minute is wrong'],
      ['0 0 31 2,4 *', 'there is no such day in these months'],
    ] as const
  ).map(
    ([cron, message]): Case => [
      `cron has ticks: ${cron}`,
      line(signal, '"*/5 * * * *"', `"${cron}"`),
      `${signal}:3:11 CONFIG_VALUE: \`schedule\`: ${message} (got: ${cron})`,
    ],
  ),
  [
    'cron has no nicknames',
    line(signal, '"*/5 * * * *"', '"@daily"'),
    `${signal}:3:11 CONFIG_VALUE: \`schedule\`: not a cron expression (got: @daily)`,
  ],
  [
    'cron stands in quotes',
    line(signal, '"*/5 * * * *"', '*/5 * * * *'),
    `${signal}:3:15 CONFIG_YAML: `,
    /in quotes: schedule: "\*\/5/,
  ],
  [
    'time zone exists',
    header('timezone: Europe/Berln'),
    `${signal}:5:11 CONFIG_VALUE: \`timezone\`: not an IANA time zone (got: Europe/Berln)`,
    'did you mean `Europe/Berlin`?',
  ],
  [
    'time zone needs a schedule',
    line(signal, 'schedule: "*/5 * * * *"', 'timezone: UTC'),
    `${signal}:3:1 CONFIG_VALUE: \`timezone\` needs \`schedule\``,
  ],
  [
    'every or schedule',
    header('every: 30s'),
    `${signal}:5:1 CONFIG_VALUE: \`every\` and \`schedule\` exclude each other`,
  ],
  [
    'every is long enough',
    line(signal, 'schedule: "*/5 * * * *"', 'every: 10ms'),
    `${signal}:3:8 CONFIG_VALUE: \`every\`: must be at least 1s (got: 10ms)`,
  ],
  [
    'duration has a unit',
    header('sla: 30'),
    `${signal}:5:6 CONFIG_VALUE: \`sla\`: a duration needs a unit; write 30s, 5m, 24h or 14d (got: 30)`,
  ],
  [
    'duration is one',
    header('sla: half an hour'),
    `${signal}:5:6 CONFIG_VALUE: \`sla\`: not a duration (got: half an hour)`,
  ],
  [
    'rearm needs when',
    line(signal, 'when:', 'rearm:'),
    `${signal}:5:1 CONFIG_VALUE: \`rearm\` needs \`when\``,
  ],
  [
    'transition exists',
    header('on: [entered, exited]'),
    `${signal}:5:15 CONFIG_VALUE: \`on.1\`: must be entered, changed or left (got: exited)`,
  ],
  [
    'severity exists',
    header('severity: hihg'),
    `${signal}:5:11 CONFIG_VALUE: \`severity\`: must be low, medium, high or critical (got: hihg)`,
    'did you mean `high`?',
  ],
  [
    'guard key exists',
    header('guard: { max_mew: 5 }'),
    `${signal}:5:10 CONFIG_KEY: unknown key \`max_mew\``,
    'did you mean `max_new`?',
  ],
  [
    'guard ratio is a share',
    header('guard: { max_new_ratio: 20 }'),
    `${signal}:5:25 CONFIG_VALUE: \`guard.max_new_ratio\`: must be at most 1 (got: 20)`,
  ],
  [
    'guard age needs a time',
    header('guard: { max_age: 6h }'),
    `${signal}:5:10 CONFIG_VALUE: \`guard.max_age\` needs \`observed_at\``,
  ],
  [
    'text is text',
    header('owner: 42'),
    `${signal}:5:8 CONFIG_VALUE: \`owner\`: must be text (got: 42)`,
    'put it in quotes: "42"',
  ],
  ['keys are unique', header('key: other'), `${signal}:5:1 CONFIG_YAML: the key \`key\` is written twice`],
  [
    'spaces, not tabs',
    header('guard:\n\tmax_new: 5'),
    `${signal}:6:1 CONFIG_YAML: `,
    'indent with spaces, not tabs',
  ],
  [
    'an alias needs its anchor',
    header('owner: *me'),
    `${signal}:5:8 CONFIG_YAML: a value that begins with * is an alias of nothing`,
  ],
  [
    'there are no other tags than those of plain values',
    header('owner: !!binary x'),
    `${signal}:5:17 CONFIG_YAML: a tag that project files do not have`,
    'put text that begins with ! in quotes',
  ],
  [
    'an alias stands outside of its value',
    header('track: &t [a, *t]'),
    `${signal}:5:15 CONFIG_YAML: the alias stands in the value it means`,
  ],
  [
    'aliases unfold to little',
    header(`owner: &a x\ntags: &b [${Array(10).fill('*a').join(', ')}]\ntrack: [*b, *b, *b, *b]`),
    `${signal}:7:21 CONFIG_YAML: the aliases unfold to more than 50 values`,
  ],
  [
    'nesting has an end',
    header(`owner: ${'['.repeat(200)}`),
    `${signal}:5:106 CONFIG_YAML: nested more than 100 levels deep`,
  ],
  [
    'a header is a map',
    { files: { [signal]: '/* just text */ select 1' } },
    `${signal}:1:4 CONFIG_VALUE: the file: must be a map of keys and values (got: just text)`,
  ],
  [
    'NUL bytes',
    { files: { [signal]: '/* key: id */\nselect\0 1' } },
    `${signal}:2:7 CONFIG_FILE: the file holds a NUL byte, so it is not text`,
  ],
  [
    'UTF-8',
    { files: { [signal]: Buffer.from('/* key: id */\nselect \xe9', 'latin1') } },
    `${signal}:2:8 CONFIG_FILE: the file is not valid UTF-8`,
  ],
  [
    'size',
    { files: { [signal]: 'x'.repeat(1_000_001) } },
    `${signal} CONFIG_FILE: the file is larger than 1 MB`,
  ],
  [
    'file name',
    { files: { 'signals/churn risk.sql': '/* key: id */ select 1' } },
    'signals/churn risk.sql CONFIG_VALUE: the file name is the name, and is not a good one (got: churn risk)',
  ],
  [
    'file names are unique',
    { files: { 'signals/more/churn_risk.sql': '/* key: id */ select 1' } },
    'signals/more/churn_risk.sql CONFIG_VALUE: `churn_risk` is already the name of signals/churn_risk.sql',
  ],

  [
    'connection exists',
    line(destination, 'connection: crm', 'connection: cmr'),
    `${destination}:1:13 CONFIG_REFERENCE: there is no connection \`cmr\` in readback.yml`,
    'did you mean `crm`?',
  ],
  [
    'action exists',
    line(destination, 'create_task', 'crate_task'),
    `${destination}:2:9 CONFIG_REFERENCE: hubspot has no action \`crate_task\``,
    'did you mean `create_task`?',
  ],
  [
    'signal exists',
    line(destination, '[churn_risk]', '[churn_risk, chrun]'),
    `${destination}:3:23 CONFIG_REFERENCE: there is no signal \`chrun\``,
  ],
  [
    'signal says the transition',
    added('on: [entered, changed]'),
    `${destination}:8:5 CONFIG_REFERENCE: signal \`churn_risk\` never says changed`,
    'add it to `on` of churn_risk',
  ],
  [
    'enrichment exists',
    line(destination, 'customer_profile', 'customer_profil'),
    `${destination}:4:9 CONFIG_REFERENCE: there is no sql/enrich/customer_profil.sql`,
    'did you mean `customer_profile`?',
  ],
  [
    'field exists',
    line(destination, 'contact_email:', 'contact_emial:'),
    `${destination}:7:3 CONFIG_KEY: unknown key \`contact_emial\``,
    'did you mean `contact_email`?',
  ],
  [
    'field is required',
    line(destination, '  subject: "Call {{ name }}"\n', ''),
    `${destination}:6:3 CONFIG_KEY: \`subject\` is missing`,
  ],
  [
    'field has a value',
    line(destination, '"{{ email }}"', ''),
    `${destination}:7:18 CONFIG_VALUE: \`fields.contact_email\` is empty`,
  ],
  [
    'the name of a field is one, whatever its template',
    {
      files: {
        [destination]:
          'connection: crm\naction: upsert_contact\nsignals: churn_risk\nfields:\n  email: x\n  Last Score: "{{ score }}"\n',
      },
    },
    `${destination}:6:3 CONFIG_KEY: \`Last Score\` is not a key: write the internal name of a HubSpot property, such as customer_id`,
  ],
  [
    'template stands in quotes',
    line(destination, '"{{ email }}"', '{{ email }}'),
    `${destination}:7:19 CONFIG_YAML: `,
    'put templates in quotes: contact_email: "{{ … }}"',
  ],
  [
    'template parses',
    line(destination, '{{ email }}', 'Dear {{ email }'),
    `${destination}:7:24 TEMPLATE: output "{{ email }" not closed`,
  ],
  [
    'filter exists',
    line(destination, '{{ email }}', '{{ email | lowcase }}'),
    `${destination}:7:19 TEMPLATE: undefined filter: lowcase`,
  ],
  [
    'block template has its place',
    line(destination, '"Call {{ name }}"', '|\n    Call\n    {{ a b }}'),
    `${destination}:8:8 TEMPLATE: two values stand side by side`,
  ],
  [
    'condition parses',
    added("when: plan = 'free'"),
    `${destination}:8:12 TEMPLATE: \`=\` is SQL`,
    'write ==',
  ],
  [
    'read-back field is mapped',
    added('verify: { fields: [subject, due] }'),
    `${destination}:8:29 CONFIG_REFERENCE: \`verify.fields\` names \`due\`, which is not under \`fields\``,
  ],
  [
    'options are known',
    added('options: { publik: true }'),
    `${destination}:8:12 CONFIG_KEY: unknown key \`publik\``,
  ],
  [
    'lanes are at least one',
    added('lanes: 0'),
    `${destination}:8:8 CONFIG_VALUE: \`lanes\`: must be at least 1 (got: 0)`,
  ],
  [
    'parent exists',
    added('follows: other'),
    `${destination}:8:10 CONFIG_REFERENCE: there is no destination \`other\``,
  ],
  [
    'nobody follows himself',
    added('follows: retention_task'),
    `${destination}:8:10 CONFIG_REFERENCE: destinations follow each other in a circle: retention_task → retention_task`,
  ],
  [
    'a destination file is not empty',
    { files: { [destination]: '' } },
    `${destination}:1:1 CONFIG_KEY: \`connection\` is missing`,
  ],
  [
    'one document for each file',
    { files: { [destination]: `${soundFiles[destination]}---\na: b\n` } },
    `${destination}:8:1 CONFIG_YAML: not valid YAML: more than one document; write one file for each`,
  ],
  [
    'follows is needed',
    {
      files: {
        'destinations/solve.yaml':
          'connection: support\naction: update_ticket\nsignals: churn_risk\nfields: { status: solved }\n',
      },
    },
    'destinations/solve.yaml:2:9 CONFIG_REFERENCE: `update_ticket` works on a record of another destination, so it needs `follows`',
  ],

  [
    'fresh is a duration',
    line(enrichment, '10m', 'ten minutes'),
    `${enrichment}:1:11 CONFIG_VALUE: \`fresh\`: not a duration (got: ten minutes)`,
  ],
  [
    'enrichment key is the signal’s',
    line(enrichment, 'fresh: 10m', 'key: email'),
    `${enrichment}:1:1 CONFIG_REFERENCE: \`key\` has \`email\`, which signal \`churn_risk\` does not have as key`,
  ],
  [
    'blocks of a message are JSON',
    message('[{"type": "divider"},]'),
    `destinations/message.yaml:7:11 CONFIG_VALUE: \`blocks\`: not JSON from line 1, column 22 on; print a value as {{ value | json }}, without quotes (got: [{"type": "divider"},])`,
  ],
  [
    'a user is meant by something',
    {
      files: {
        'destinations/user.yaml':
          'connection: support\naction: upsert_user\nsignals: [churn_risk]\nfields:\n  name: "{{ customer_id }}"\n',
      },
    },
    'destinations/user.yaml:5:3 CONFIG_VALUE: the file: map external_id or email: it says which user is meant (got: {"name":"{{ customer_id }}"})',
  ],
];

test('the project of these tests has no problems', async () => {
  assert.deepEqual((await load({})).problems, []);
});

test('one slip in a line is one problem, whatever else the parser stumbles over there', async () => {
  const cron = await load(line(signal, '"*/5 * * * *"', '*/5 * * * *'));
  assert.equal(cron.problems.filter(({ code }) => code === 'CONFIG_YAML').length, 1);
  const tab = await load(line(destination, '  contact_email: ', '\tcontact_email: '));
  assert.deepEqual(
    tab.problems.map((problem) => problem.format().split('\n')[0]),
    [`${destination}:7:1 CONFIG_YAML: not valid YAML: a tab is used to indent`],
  );
});

for (const [rule, written, problem, hint] of cases)
  test(`says where and why: ${rule}`, async () => {
    const { problems } = await load(written);
    const [found] = problems;
    assert.ok(found, 'no problem was found');
    const [first = ''] = found.format().split('\n');
    assert.ok(
      problem.endsWith(': ') ? first.startsWith(problem) : first === problem,
      `${found.format()}\n≠ ${problem}`,
    );
    if (typeof hint === 'string') assert.equal(found.hint, hint);
    if (hint instanceof RegExp) assert.match(found.hint ?? '', hint);
  });
