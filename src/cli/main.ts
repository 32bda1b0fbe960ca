#!/usr/bin/env node
import { describeFailure } from './failure.ts';
import { buildProgram } from './program.ts';

/** Whatever still holds the process (a driver's timer) is not waited for longer than this. */
const lingerMs = 2_000;

// `readback ls | head` closes the pipe early, which is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const program = buildProgram();
try {
  if (process.argv.length <= 2) program.outputHelp();
  else await program.parseAsync();
} catch (error) {
  const { exitCode, text } = describeFailure(error, program.opts().logLevel === 'debug');
  if (text !== '') process.stderr.write(`${text}\n`);
  process.exitCode = exitCode;
}
// Unreferenced: fires only when something else keeps the process from ending.
setTimeout(() => process.exit(), lingerMs).unref();
