import { CommanderError } from 'commander';
import { ReadbackError } from '../errors.ts';
import { exitCodes } from './exit.ts';

export interface Failure {
  exitCode: number;
  /** For standard error; empty when there is nothing to say. */
  text: string;
}

/** What a failed command says and how it ends. Only errors of the closed table speak for themselves. */
export function describeFailure(error: unknown, showStack: boolean): Failure {
  if (error instanceof ReadbackError) return { exitCode: error.exitCode, text: error.format() };
  if (error instanceof CommanderError) return describeUsage(error);
  const shown = error instanceof Error ? error : new Error(String(error));
  const hint = showStack
    ? (shown.stack ?? '')
    : 'This is a bug in Readback. Run it again with --log-level debug and report what it prints.';
  return { exitCode: exitCodes.bug, text: `${shown.name}: ${firstLine(shown.message)}\n  → ${hint}` };
}

function describeUsage(error: CommanderError): Failure {
  if (error.exitCode === 0) return { exitCode: 0, text: '' };
  if (error.code === 'commander.help') return { exitCode: exitCodes.wrongInput, text: '' };
  const [message = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const guess = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  const usage = new ReadbackError('USAGE', message, {
    hint: guess || 'readback --help lists commands and options',
  });
  return { exitCode: usage.exitCode, text: usage.format() };
}

/** Drivers put whole statements into their messages; one line tells enough. */
function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
