import {
  buildReport,
  type CsvPart,
  promisesOf,
  type Report,
  toCsv,
  toJson,
  toMarkdown,
  toTable,
} from '../../report/index.ts';
import type { GlobalOptions, SelectOptions } from '../options.ts';
import { print } from '../output.ts';
import { selectActions } from '../selection.ts';
import { openCommandLog, openProject, remarkProblems, withLedger } from '../session.ts';
import { parseSince } from '../since.ts';

interface Options extends GlobalOptions, SelectOptions {
  since: string;
  output: 'table' | 'json' | 'csv' | 'markdown';
  part: CsvPart;
}

const formats: Readonly<Record<Options['output'], (report: Report, part: CsvPart) => string>> = {
  table: toTable,
  json: toJson,
  csv: toCsv,
  markdown: toMarkdown,
};

/** `readback report`: detected versus acted, from the ledger alone. */
export async function execute(options: Options): Promise<number> {
  const since = parseSince(options.since);
  const project = await openProject(options);
  remarkProblems(project);
  const chosen = await selectActions(project, options);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const report = await buildReport(pool, { ...chosen, since, ...promisesOf(project) });
    print(formats[options.output](report, options.part));
    return 0;
  });
}
