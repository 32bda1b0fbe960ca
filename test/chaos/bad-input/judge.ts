import type { Answer } from './cli.ts';
import { harmed, nameOf } from './harm.ts';
import type { Mutation } from './mutation.ts';
import { secretMark, soundFiles } from './project.ts';

/** More processor time than any answer about a project file may take. */
const slowMs = 2_000;

/** What the product answered about one mutated project. */
export interface Answers {
  validate: Answer;
  ls: Answer;
  /** Of a signal that the mutation does not concern; null when it concerns all. */
  compile: { answer: Answer; sound: string } | null;
}

export interface Verdict {
  /** A fault was refused, or what is harmless was let through. */
  understood: boolean;
  /** A refusal that names no line on which the fault stands. */
  wrongLine: boolean;
  crashed: boolean;
  slow: boolean;
  /** Signals or destinations that are gone or blamed although the fault is not theirs. */
  othersAffected: string[];
  secretTold: boolean;
}

interface Complaint {
  file: string | null;
  line: number | null;
  column: number | null;
}

const stackLine = /^\s+at .+:\d+:\d+\)?$/m;
const bugCode = 70;

export function judge({ fault }: Mutation, answers: Answers): Verdict {
  const { validate, ls, compile } = answers;
  const all = [validate, ls, ...(compile ? [compile.answer] : [])];
  const complaints = complaintsOf(validate);
  const gone = fault ? harmed(fault) : new Set<string>();
  const othersAffected = [...missing(ls, gone), ...blamed(complaints, fault, gone)];
  if (compile && (compile.answer.code !== 0 || !compile.answer.stdout.startsWith(compile.sound)))
    othersAffected.push('compile');
  return {
    understood: fault
      ? validate.code !== 0 && complaints.length > 0
      : validate.code === 0 && complaints.length === 0,
    wrongLine: fault !== null && !complaints.some((one) => isAt(one, fault)),
    crashed: all.some(
      ({ code, stdout, stderr }) => code === null || code === bugCode || stackLine.test(stdout + stderr),
    ),
    slow: all.some(({ cpuMs }) => cpuMs !== null && cpuMs > slowMs),
    othersAffected,
    secretTold: all.some(({ stdout, stderr }) => (stdout + stderr).includes(secretMark)),
  };
}

function complaintsOf({ stdout }: Answer): Complaint[] {
  try {
    return JSON.parse(stdout) as Complaint[];
  } catch {
    return [];
  }
}

function isAt(complaint: Complaint, fault: NonNullable<Mutation['fault']>): boolean {
  if (complaint.file !== fault.file) return false;
  if (fault.lines === null) return complaint.line === null;
  const { line, column } = complaint;
  return (
    line !== null && column !== null && column >= 1 && line >= fault.lines.first && line <= fault.lines.last
  );
}

/** Everything of the sound project that is not listed any more, but for what the fault takes with it. */
function missing(ls: Answer, gone: ReadonlySet<string>): string[] {
  const kept = Object.keys(soundFiles)
    .filter((file) => /^(signals|destinations)\//.test(file))
    .map(nameOf)
    .filter((name) => !gone.has(name));
  if (kept.length === 0) return [];
  let listed: { name: string }[] = [];
  try {
    listed = JSON.parse(ls.stdout) as { name: string }[];
  } catch {
    // Nothing is listed then, so all are missing.
  }
  return kept.filter((name) => !listed.some((one) => one.name === name));
}

/** Files that are complained about although they neither hold the fault nor need what it harms. */
function blamed(complaints: Complaint[], fault: Mutation['fault'], gone: ReadonlySet<string>): string[] {
  const needy = (file: string): boolean => gone.has(nameOf(file)) || fault?.needsWarehouse === true;
  return complaints
    .map((one) => one.file ?? '')
    .filter((file) => file !== fault?.file && !needy(file) && fault?.harms.kind !== 'warehouse');
}
