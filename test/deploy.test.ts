import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { exitCodes } from '../src/cli/exit.ts';
import { buildProgram } from '../src/cli/program.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const units = ['readback.service', 'readback-worker@.service'];
const drainSeconds =
  Number(/drainMs = ([\d_]+)/.exec(read('src/engine/engine.ts'))?.[1]?.replaceAll('_', '')) / 1000;

interface Service {
  command?: string[];
  stop_grace_period?: string;
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
}

/** Refuses commands, options and choices that do not exist, as the command line does; runs nothing. */
async function accepts(words: string[]): Promise<void> {
  const program = buildProgram();
  const ran: string[] = [];
  for (const command of program.commands)
    command.action(() => {
      ran.push(command.name());
    });
  await program.parseAsync(words, { from: 'user' });
  assert.deepEqual(ran, words.slice(0, 1));
}

/** `name=value` lines of a unit, the last of a name. */
function settingsOf(unit: string): Map<string, string> {
  return new Map(
    [...read(`deploy/${unit}`).matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

test('the compose file starts commands that exist, and gives a drain its time', async () => {
  const { services } = parse(read('deploy/compose.yaml'), { merge: true }) as {
    services: Record<string, Service>;
  };
  assert.deepEqual(Object.keys(services), ['ledger', 'scheduler', 'worker']);
  for (const name of ['scheduler', 'worker']) {
    const { command = [], stop_grace_period = '', environment, healthcheck } = services[name] ?? {};
    await accepts(command);
    assert.deepEqual(command, ['start', '--role', name]);
    assert.ok(Number.parseInt(stop_grace_period, 10) > drainSeconds);
    assert.match(
      environment?.READBACK_DATABASE_URL ?? '',
      /^postgres:\/\/readback:\$\{LEDGER_PASSWORD:.*\}@ledger:5432\//,
    );
    const [, program = '', ...words] = healthcheck?.test ?? [];
    if (healthcheck) assert.match(program, /bin\/readback$/);
    if (healthcheck) await accepts(words);
  }
});

test('the image starts the program that the package has, and takes no secret along', () => {
  const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
  const [, program = ''] =
    /^ENTRYPOINT \["node_modules\/\.bin\/(.*)"\]$/m.exec(read('deploy/Dockerfile')) ?? [];
  assert.ok(program in bin, program);
  const ignored = read('deploy/Dockerfile.dockerignore').split('\n');
  for (const path of ['.env', 'secrets', '.readback']) assert.ok(ignored.includes(path), path);
});

for (const unit of units) {
  test(`${unit} starts a command that exists, and gives a drain its time`, async () => {
    const settings = settingsOf(unit);
    const [, words = ''] = /^\S+\/readback (.*)$/.exec(settings.get('ExecStart') ?? '') ?? [];
    await accepts(words.split(' '));
    assert.ok(Number(settings.get('TimeoutStopSec')) > drainSeconds);
    assert.equal(settings.get('KillMode'), 'mixed');
    assert.equal(Number(settings.get('RestartPreventExitStatus')), exitCodes.wrongInput);
  });
}

const systemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test('systemd finds nothing wrong with the units but that nothing is installed here', {
  skip: !systemd,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'readback-units-'));
  for (const unit of units) {
    // An instance, because a template alone has no name.
    const file = join(folder, unit.replace('@.', '@1.'));
    writeFileSync(file, read(`deploy/${unit}`));
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    const complaints = `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line.includes('readback') && !/is not executable/.test(line));
    assert.deepEqual(complaints, []);
  }
  rmSync(folder, { recursive: true });
});

test('docs/deployment.md names every file of deploy/, and none that is not there', () => {
  const guide = read('docs/deployment.md');
  const named = [...guide.matchAll(/\]\(\.\.\/deploy\/([^)]+)\)/g)].map(([, file = '']) => file);
  const files = readdirSync(new URL('../deploy', import.meta.url));
  assert.deepEqual([...new Set(named)].sort(), files.sort());
});
