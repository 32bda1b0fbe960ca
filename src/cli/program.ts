import { Command, InvalidArgumentError, Option } from 'commander';
import { connectorNames } from '../connectors/index.ts';
import { roles } from '../engine/role.ts';
import { packageVersion } from '../version.ts';
import { collectKeys } from './options.ts';

/** A command's own file. It loads when the command runs, so that `--help` need not wait for drivers and SDKs. */
interface CommandFile {
  /** @returns the exit code */
  execute(options: never, words: never): Promise<number>;
}

/** The command line: every command with its options, in the order in which a user meets them. */
export function buildProgram(): Command {
  const program = new Command('readback')
    .description('Warehouse activation that reads the result back.')
    .version(packageVersion(), '--version', 'print the version')
    .option('--project <dir>', 'folder of readback.yml (default: the nearest one upward)')
    .option('--target <name>', 'which of the targets of readback.yml to use')
    .addOption(
      new Option('--log-level <level>', 'what to log as JSON lines on standard error').choices([
        'silent',
        'error',
        'warn',
        'info',
        'debug',
      ]),
    )
    .option('--no-progress', 'no progress bars')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 needs attention, 2 wrong input, 3 unreachable, 4 still in flight.',
    );
  addProjectCommands(program);
  addRunCommands(program);
  addLedgerCommands(program);
  addSandboxCommands(program);
  addDocsCommands(program);
  return program;
}

function addProjectCommands(program: Command): void {
  program
    .command('init')
    .description('make a small project that runs at once, with no account anywhere')
    .argument('[dir]', 'where to make it', '.')
    .action(lazily(() => import('./commands/init.ts')));
  program
    .command('doctor')
    .description('check everything the project needs: ledger, warehouses, connections, balance')
    .addOption(output())
    .action(lazily(() => import('./commands/doctor.ts')));
  program
    .command('validate')
    .description('check all files, and their SQL against the warehouses')
    .option('--offline', 'do not ask the warehouses')
    .addOption(output())
    .action(lazily(() => import('./commands/validate.ts')));
  comparable(program.command('ls'))
    .description('list signals, destinations and connections')
    .addOption(output())
    .action(lazily(() => import('./commands/ls.ts')));
  comparable(program.command('compile'))
    .description('print the SQL that will really run, and write it to target/compiled')
    .action(lazily(() => import('./commands/compile.ts')));
  program
    .command('preview')
    .description('show rows, messages and rendered actions of a signal; sends nothing')
    .argument('<signal>')
    .option('--limit <rows>', 'how many entities', positive, 5)
    .option('--only <key,…>', 'these entities', collectKeys)
    .addOption(output(['table', 'json']))
    .action(lazily(() => import('./commands/preview.ts')));
  comparable(program.command('test'))
    .description('what signals and destinations make of given rows: the tests of tests/*.yaml')
    .addOption(output(['table', 'json']))
    .action(lazily(() => import('./commands/test.ts')));
  program
    .command('create-test')
    .description('make such a test of a real row, its values masked')
    .argument('<signal>')
    .requiredOption('--key <key>', 'the entity; of several columns: a JSON array', collectKeys)
    .option('--name <name>', 'name of the test (default: the signal and the masked key)')
    .option('--force', 'write over a test that is there')
    .action(lazily(() => import('./commands/create-test.ts')));
  program
    .command('dbt')
    .description('what a dbt project is told of this one')
    .command('exposures')
    .description('write signals and destinations as exposures, for the docs of dbt')
    .option(
      '--out <file>',
      '- for standard output (default: models/readback_exposures.yml of the dbt project)',
    )
    .action(lazily(() => import('./commands/dbt-exposures.ts')));
}

function addDocsCommands(program: Command): void {
  program
    .command('docs')
    .description('print the page of a connector or a warehouse; without a name, which there are')
    .argument('[name]')
    .addOption(output())
    .action(lazily(() => import('./commands/docs.ts')));
  program
    .command('schemas')
    .description('write JSON Schemas, with which editors complete and check the project')
    .argument('[dir]', 'where to (default: .readback-schemas in the project)')
    .action(lazily(() => import('./commands/schemas.ts')));
}

function addRunCommands(program: Command): void {
  comparable(program.command('run'))
    .description('one pass: poll, act, read back')
    .option('--only <key,…>', 'take only these entities; the others stay for the next poll', collectKeys)
    .option('--wait <duration>', 'how long to wait for read-backs', '2m')
    .addOption(output())
    .action(lazily(() => import('./commands/run.ts')));
  program
    .command('start')
    .description('poll on schedule and act until stopped')
    .addOption(
      new Option('--role <role>', 'scheduler: fire the schedules; worker: poll, act and read back')
        .choices(roles)
        .default('all'),
    )
    .option('--supervise', 'start it again when it crashes: 5 times in 10 minutes, with growing pauses')
    .action(lazily(() => import('./commands/start.ts')));
  program
    .command('poke')
    .description('have a running `start` look at a signal now')
    .argument('<signal>', 'a signal with a trigger')
    .option('--only <key,…>', 'look at these entities alone', collectKeys)
    .action(lazily(() => import('./commands/poke.ts')));
}

function addLedgerCommands(program: Command): void {
  selectable(program.command('report'))
    .description('detected versus acted, and the time it took')
    .option('--since <when>', 'a duration (24h), a time (2026-01-31T09:00:00Z) or all', '24h')
    .addOption(output(['table', 'json', 'csv', 'markdown']))
    .addOption(
      new Option('--part <part>', 'which rows --output csv has')
        .choices(['pairs', 'reasons', 'dead_letters'])
        .default('pairs'),
    )
    .action(lazily(() => import('./commands/report.ts')));
  program
    .command('status')
    .description('who is at work, when each signal was polled, what is open, paused or stuck')
    .addOption(output(['table', 'json']))
    .action(lazily(() => import('./commands/status.ts')));
  program
    .command('trace')
    .description("one entity's whole story, every attempt with its reason")
    .argument('<entity>', 'the entity key; of several columns: a JSON array')
    .option('--signal <name>', 'only this signal')
    .addOption(output(['table', 'json']))
    .action(lazily(() => import('./commands/trace.ts')));
  selectable(program.command('actions'))
    .description('every action of the ledger, newest first')
    .option('--state <state,…>', 'only these states, such as verified,differs')
    .option('--since <when>', 'detected since: a duration (24h), a time or all', 'all')
    .option('--entity <key,…>', 'only these entities', collectKeys)
    .option('--limit <rows>', 'how many (default: 100 in a table, else all)', positive)
    .addOption(output())
    .action(lazily(() => import('./commands/actions.ts')));
  selectable(program.command('retry'))
    .description('send dead letters again, once their cause is mended')
    .option('--only <key,…>', 'only these entities', collectKeys)
    .option(
      '--state <state,…>',
      'which dead letters: rejected, dead, differs, escalated, expired',
      'rejected,dead',
    )
    .option('--preview', 'list them and change nothing')
    .addOption(output())
    .action(lazily(() => import('./commands/retry.ts')));
  program
    .command('pause')
    .description('stop a signal or a destination; its actions are held')
    .argument(
      '<name>',
      'a signal or destination; signal:<name> or destination:<name> when both have the name',
    )
    .option('--reason <text>', 'why, for whoever reads the report', 'paused by hand')
    .action(lazily(() => import('./commands/pause.ts')));
  program
    .command('resume')
    .description('end a pause; what was held becomes due')
    .argument('<name>', 'a signal or destination')
    .action(lazily(() => import('./commands/resume.ts')));
  program
    .command('prune')
    .description('delete what is older than its retention; counts by day stay')
    .option('--preview', 'count it and change nothing')
    .action(lazily(() => import('./commands/prune.ts')));
}

function addSandboxCommands(program: Command): void {
  program
    .command('sandbox')
    .description('run vendors on this machine, in memory, until stopped')
    .argument('<connector...>', connectorNames.join(', '))
    .option('--port <number>', 'port of the first; the others follow (default: any free ones)', positive)
    .option('--fault <fault...>', '[connector=]kind[:times], such as throttle:3: misbehave that often')
    .action(lazily(() => import('./commands/sandbox.ts')));
  program
    .command('demo')
    .description('the whole product in a minute, on sandboxes')
    .option('--keep', 'leave the demo project on disk')
    .action(lazily(() => import('./commands/demo.ts')));
}

function lazily(load: () => Promise<CommandFile>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const { execute } = await load();
    process.exitCode = await execute(command.optsWithGlobals() as never, command.processedArgs as never);
  };
}

function selectable(command: Command): Command {
  return command
    .option('--select <selection...>', 'signals to take: name, tag:x, owner:x, destination:x, state:modified')
    .option('--exclude <selection...>', 'signals to leave out, in the same grammar');
}

/** Commands that work on signals; the `--state` of `actions` and `retry` is that of an action. */
function comparable(command: Command): Command {
  const about = 'manifest.json that state: compares with, or its folder (default: that of the last run)';
  return selectable(command).option('--state <path>', about);
}

function output(formats: readonly string[] = ['table', 'json', 'csv']): Option {
  return new Option('--output <format>', 'how to print the result').choices(formats).default('table');
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('write a whole number above 0');
}
