import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { exposures, exposuresMarker } from '../../dbt/exposures.ts';
import { ReadbackError } from '../../errors.ts';
import type { GlobalOptions } from '../options.ts';
import { print, remark } from '../output.ts';
import { count, openProject, remarkProblems } from '../session.ts';

interface Options extends GlobalOptions {
  out?: string;
}

/** `readback dbt exposures`: signals and destinations for dbt's docs, as a file of the dbt project. */
export async function execute({ out, ...options }: Options): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  if (!project.dbt)
    throw new ReadbackError('CONFIG_KEY', '`dbt` is missing', {
      place: { file: 'readback.yml' },
      hint: 'name the dbt project: dbt: { project: ../dbt }',
    });
  const { text, count: number, left } = exposures(project);
  for (const label of left) remark(`${label} is left out: its SQL has no ref() or source()`);
  if (out === '-') {
    print(text);
    return 0;
  }
  const file = out === undefined ? join(project.dbt.folder, 'models/readback_exposures.yml') : resolve(out);
  await refuseForeign(file);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.tmp`, text);
  await rename(`${file}.tmp`, file);
  print(`${count(number, 'exposure')} in ${relative(process.cwd(), file)}`);
  return 0;
}

/** Only a file of our own is overwritten. */
async function refuseForeign(file: string): Promise<void> {
  const present = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unwritable(file, `it cannot be read (${error.code})`);
  });
  if (present !== undefined && !present.startsWith(exposuresMarker))
    throw unwritable(file, 'it was not written by this command');
}

function unwritable(file: string, why: string): ReadbackError {
  return new ReadbackError('USAGE', `${file} is not overwritten: ${why}`, {
    hint: 'move it away, or name another file with --out',
  });
}
