import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { emptyFolder, readback } from './readback.ts';

const folder = await emptyFolder();
after(folder.remove);
const sound = join(folder.folder, 'sound');
before(async () => {
  assert.equal((await readback(folder.folder, 'init', 'sound')).code, 0);
});

interface Mistake {
  what: string;
  file: string;
  wrong: [string, string];
  /** The beginning of what `validate` prints. */
  says: RegExp;
}

const mistakes: Mistake[] = [
  {
    what: 'an unknown key in a header',
    file: 'signals/churn_risk.sql',
    wrong: ['severity:', 'severty:'],
    says: /^signals\/churn_risk\.sql:9:1 CONFIG_KEY: .*severty.*\n {2}→ did you mean `severity`\?/m,
  },
  {
    what: 'a duration without unit',
    file: 'signals/churn_risk.sql',
    wrong: ['sla: 30m', 'sla: 30'],
    says: /^signals\/churn_risk\.sql:11:6 CONFIG_VALUE: /m,
  },
  {
    what: 'YAML that is none',
    file: 'destinations/team_alert.yaml',
    wrong: ['enrich: [customer_profile]', 'enrich: [customer_profile'],
    says: /^destinations\/team_alert\.yaml:\d+:\d+ CONFIG_YAML: /m,
  },
  {
    what: 'a connection that does not exist',
    file: 'destinations/team_alert.yaml',
    wrong: ['connection: team', 'connection: tem'],
    says: /^destinations\/team_alert\.yaml:3:13 CONFIG_REFERENCE: .*\n {2}→ did you mean `team`\?/m,
  },
  {
    what: 'a secret in the open',
    file: 'readback.yml',
    wrong: ['file:sandbox/slack_token', 'xoxb-real-and-secret'],
    says: /^readback\.yml:\d+:16 SECRET_REFERENCE: /m,
  },
  {
    what: 'an environment variable that is not set',
    file: 'readback.yml',
    wrong: ['file:sandbox/slack_token', 'env:NO_SUCH_TOKEN'],
    says: /^readback\.yml:\d+:16 SECRET_REFERENCE: .*NO_SUCH_TOKEN/m,
  },
  {
    what: 'SQL that the warehouse refuses',
    file: 'signals/churn_risk.sql',
    wrong: ['from churn_scores', 'from churn_scored'],
    says: /^signals\/churn_risk\.sql:18:6 SIGNAL_SQL: .*churn_scored/m,
  },
  {
    what: 'a key column that the SQL does not return',
    file: 'signals/churn_risk.sql',
    wrong: ['key: customer_id', 'key: custmer_id'],
    says: /^signals\/churn_risk\.sql:5:6 SIGNAL_SQL: `key` .*\(got: custmer_id\)\n {2}→ did you mean `customer_id`\?/m,
  },
  {
    what: 'an observed_at that is no time',
    file: 'signals/churn_risk.sql',
    wrong: ['observed_at: scored_at', 'observed_at: churn_probability'],
    says: /^signals\/churn_risk\.sql:8:14 SIGNAL_SQL: `observed_at` .*not a time/m,
  },
  {
    what: 'a `when` that the warehouse refuses',
    file: 'signals/churn_risk.sql',
    wrong: ['when: churn_probability >', 'when: churn_probabilty >'],
    says: /^signals\/churn_risk\.sql:6:7 SIGNAL_SQL: `when`: .*churn_probabilty/m,
  },
  {
    what: 'a `rearm` that the warehouse refuses',
    file: 'signals/churn_risk.sql',
    wrong: ['rearm: churn_probability', 'rearm: nothing'],
    says: /^signals\/churn_risk\.sql:7:8 SIGNAL_SQL: `rearm`: .*nothing/m,
  },
  {
    what: 'an enrichment that the warehouse refuses',
    file: 'sql/enrich/customer_profile.sql',
    wrong: ['from customers', 'from costumers'],
    says: /^sql\/enrich\/customer_profile\.sql:8:6 SIGNAL_SQL: .*costumers/m,
  },
  {
    what: 'a template variable that nobody provides',
    file: 'destinations/team_alert.yaml',
    wrong: ['{{ plan }}', '{{ plann }}'],
    says: /^destinations\/team_alert\.yaml:9:\d+ TEMPLATE: variable `plann` is not provided by signal churn_risk\n {2}→ did you mean `plan`\?/m,
  },
  {
    what: 'a condition on a variable that nobody provides',
    file: 'destinations/crm_contact.yaml',
    wrong: ["when: plan != 'free'", "when: plam != 'free'"],
    says: /^destinations\/crm_contact\.yaml:6:7 TEMPLATE: variable `plam` is not provided/m,
  },
];

for (const { what, file, wrong, says } of mistakes) {
  test(`${what} is told with its place, and validate exits with 2`, async () => {
    const project = join(folder.folder, what.replace(/\W+/g, '-'));
    await cp(sound, project, { recursive: true });
    const text = await readFile(join(project, file), 'utf8');
    assert.ok(text.includes(wrong[0]), `${file} has no ${wrong[0]}`);
    await writeFile(join(project, file), text.replace(wrong[0], wrong[1]));
    const { code, stdout, stderr } = await readback(project, 'validate');
    assert.equal(code, 2, stdout + stderr);
    assert.match(stdout, says);
    assert.doesNotMatch(stdout + stderr, /xoxb-real-and-secret/);
  });
}

test('a mistyped target is the only problem, and no command runs with it', async () => {
  for (const command of ['validate', 'ls', 'run']) {
    const { code, stdout, stderr } = await readback(sound, '--target', 'prd', command);
    assert.equal(code, 2, stdout + stderr);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^readback\.yml:\d+:1 CONFIG_REFERENCE: there is no target `prd` in readback\.yml\n {2}→ .*\n$/,
    );
  }
});

test('offline, files are checked and warehouses are not asked', async () => {
  const project = join(folder.folder, 'offline');
  await cp(sound, project, { recursive: true });
  const file = join(project, 'signals/churn_risk.sql');
  await writeFile(file, (await readFile(file, 'utf8')).replace('from churn_scores', 'from nowhere'));
  assert.equal((await readback(project, 'validate', '--offline')).code, 0);
});

test('a warehouse that cannot be reached is one problem, with exit code 3', async () => {
  const project = join(folder.folder, 'unreachable');
  await cp(sound, project, { recursive: true });
  const file = join(project, 'readback.yml');
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace('./warehouse.duckdb', './gone/warehouse.duckdb'),
  );
  const { code, stdout } = await readback(project, 'validate', '--output', 'json');
  assert.equal(code, 3);
  const problems = JSON.parse(stdout) as { code: string; message: string; file: string; line: number }[];
  assert.deepEqual(
    problems.map((problem) => problem.code),
    ['WAREHOUSE_UNREACHABLE'],
  );
  const lines = (await readFile(file, 'utf8')).split('\n');
  assert.equal(problems[0]?.file, 'readback.yml');
  assert.match(lines[(problems[0]?.line ?? 0) - 1] ?? '', /^ {2}analytics:/);
  assert.match(problems[0]?.message ?? '', /^warehouse analytics: /);
});

test('a broken file is said to be broken, whether it was selected, may have been, or was not', async () => {
  const project = join(folder.folder, 'selected');
  await cp(sound, project, { recursive: true });
  await writeFile(join(project, 'signals/broken.sql'), '/*\nkye: id\n*/\nselect 1 as id');
  const named = await readback(project, 'run', '--select', 'signal:broken');
  assert.equal(named.code, 2);
  assert.match(named.stderr, /^signals\/broken\.sql:2:1 CONFIG_KEY: unknown key `kye`/m);
  assert.match(named.stderr, /SELECTION: .*\n {2}→ signals\/broken\.sql has problems and was left out/);
  const other = await readback(
    project,
    'run',
    '--select',
    'churn_risk',
    '--exclude',
    'crm_contact',
    '--wait',
    '1ms',
  );
  assert.notEqual(other.code, 0);
  assert.match(other.stderr, /^signals\/broken\.sql:2:1 CONFIG_KEY/m);
  assert.match(other.stderr, /^a broken file is left out whether it was selected or not/m);
});
