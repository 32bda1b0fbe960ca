import { suggest } from '../../config/suggest.ts';
import type { Sandbox } from '../../connectors/connector.ts';
import { connectorNames, loadConnector } from '../../connectors/index.ts';
import { ReadbackError } from '../../errors.ts';
import { parseFault, type WantedFault } from '../faults.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';
import { count } from '../session.ts';
import { raised, untilStopped } from '../stop.ts';

interface Options extends GlobalOptions {
  port?: number;
  fault?: string[];
}

/** `readback sandbox <connector…>`: vendors in memory on loopback, until stopped. */
export async function execute(options: Options, [names]: [string[]]): Promise<number> {
  const faults = (options.fault ?? []).map(parseFault);
  for (const name of [...names, ...faults.flatMap(({ connector }) => connector ?? [])])
    requireConnector(name);
  const stopping = untilStopped();
  const running = new Map<string, Sandbox>();
  try {
    for (const [index, name] of [...new Set(names)].entries()) {
      running.set(name, await startSandbox(name, options.port && options.port + index));
    }
    for (const [name, sandbox] of running) inject(name, sandbox, faults);
    for (const [name, sandbox] of running) print(announcement(name, sandbox));
    print('Running until Ctrl-C.');
    await raised(stopping.signal);
    for (const [name, sandbox] of running) print(`${name} held ${holdings(sandbox)}`);
    return 0;
  } finally {
    for (const sandbox of running.values()) await sandbox.close();
  }
}

function requireConnector(name: string): void {
  if (connectorNames.includes(name)) return;
  throw new ReadbackError('USAGE', 'there is no such connector', {
    value: name,
    hint: suggest(name, connectorNames),
  });
}

async function startSandbox(name: string, port: number | undefined): Promise<Sandbox> {
  const connector = await loadConnector(name);
  try {
    // biome-ignore lint/style/noNonNullAssertion: its name was checked before anything was started
    return await connector!.sandbox(port === undefined ? {} : { port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new ReadbackError('USAGE', `port ${port} is taken`, {
      hint: 'choose another with --port, or stop what uses it',
    });
  }
}

function inject(name: string, sandbox: Sandbox, faults: readonly WantedFault[]): void {
  for (const { connector, fault } of faults) {
    if (connector === undefined || connector === name) sandbox.inject(fault);
  }
}

/** Settings as lines for a shell, to be used as `env:` references in readback.yml. */
function announcement(name: string, { url, settings }: Sandbox): string {
  const variables = Object.entries(settings).map(
    ([key, value]) => `  export ${name.toUpperCase()}_${key.toUpperCase()}=${quoted(value)}`,
  );
  return [`${name} at ${url}`, ...variables, ''].join('\n');
}

/** As a shell takes it for one word: an address with parameters holds `&` and `?`. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function holdings(sandbox: Sandbox): string {
  const types = new Map<string, number>();
  for (const { type } of sandbox.records()) types.set(type, (types.get(type) ?? 0) + 1);
  const parts = [...types].map(([type, number]) => `${number} ${type}`);
  return `${parts.join(', ') || 'nothing'} after ${count(sandbox.requests().length, 'request')}`;
}
