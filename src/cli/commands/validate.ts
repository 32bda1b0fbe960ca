import type { Project } from '../../config/model.ts';
import { writtenDestinations } from '../../config/play.ts';
import type { ReadbackError } from '../../errors.ts';
import { loadUnitTests } from '../../unit/load.ts';
import { validateAgainstWarehouses } from '../../validate/validate.ts';
import { exitCodes } from '../exit.ts';
import type { OutputOptions } from '../options.ts';
import { formatRows, print, type Row } from '../output.ts';
import { openProgress } from '../progress.ts';
import { count, openProject } from '../session.ts';
import { openWarehouses } from '../warehouses.ts';

interface Options extends OutputOptions {
  offline?: boolean;
}

/** `readback validate`: every problem of the project at once, each with its place. */
export async function execute(options: Options): Promise<number> {
  const project = await openProject(options);
  const problems = [...project.problems];
  await loadUnitTests(project.root, problems);
  if (!options.offline) problems.push(...(await ask(project, options)));
  if (options.output !== 'table') print(formatRows(options.output, columns, problems.map(toRow)));
  else if (problems.length === 0) print(soundText(project));
  else print([...problems.map((problem) => problem.format()), count(problems.length, 'problem')].join('\n'));
  return exitCodeOf(problems);
}

async function ask(project: Project, options: Options): Promise<ReadbackError[]> {
  const warehouses = openWarehouses(project);
  const progress = openProgress(options);
  const total = project.signals.size + project.enrichments.size;
  let done = 0;
  try {
    return await validateAgainstWarehouses(project, warehouses.warehouse, (name) => {
      done += 1;
      progress.update(done, total, name);
    });
  } finally {
    progress.stop();
    await warehouses.close();
  }
}

/** Wrong files weigh more than a warehouse that is away for now. */
function exitCodeOf(problems: readonly ReadbackError[]): number {
  const codes = problems.map((problem) => problem.exitCode);
  if (codes.includes(exitCodes.wrongInput)) return exitCodes.wrongInput;
  return Math.max(exitCodes.done, ...codes);
}

function soundText(project: Project): string {
  const destinations = writtenDestinations(project).length;
  return `${count(project.signals.size, 'signal')}, ${count(destinations, 'destination')}: all valid`;
}

const columns = ['file', 'line', 'column', 'code', 'message', 'value', 'hint'];

function toRow({ place, code, message, value, hint }: ReadbackError): Row {
  return {
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    code,
    message,
    value: value ?? null,
    hint: hint ?? null,
  };
}
