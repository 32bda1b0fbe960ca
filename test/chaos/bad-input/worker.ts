// Runs the compiled command line inside this process, call after call: what `dist/cli/main.js` does, without the 0.4 s
// that a process of its own takes. The parent sends { args }, the answer is { code, stdout, stderr, cpuMs }.
import { fileURLToPath } from 'node:url';

interface Program {
  parseAsync(args: readonly string[], options: { from: 'user' }): Promise<unknown>;
}

const compiled = (file: string): string =>
  fileURLToPath(new URL(`../../../dist/cli/${file}`, import.meta.url));
const { buildProgram } = (await import(compiled('program.js'))) as { buildProgram(): Program };
const { describeFailure } = (await import(compiled('failure.js'))) as {
  describeFailure(error: unknown, showStack: boolean): { exitCode: number; text: string };
};

const written = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr'] as const)
  process[name].write = ((text: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    written[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    const finished = typeof encoding === 'function' ? encoding : done;
    if (typeof finished === 'function') finished();
    return true;
  }) as typeof process.stdout.write;

async function run(args: readonly string[]): Promise<number> {
  process.exitCode = undefined;
  try {
    await buildProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { exitCode, text } = describeFailure(error, false);
    if (text !== '') process.stderr.write(`${text}\n`);
    return exitCode;
  } finally {
    process.exitCode = undefined;
  }
}

process.on('message', async ({ args }: { args: readonly string[] }) => {
  written.stdout = '';
  written.stderr = '';
  const before = process.cpuUsage();
  const code = await run(args);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ code, ...written, cpuMs: (user + system) / 1000 });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });
