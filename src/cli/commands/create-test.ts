import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { namePattern } from '../../config/vocabulary.ts';
import { ReadbackError } from '../../errors.ts';
import { draftTest } from '../../unit/draft.ts';
import { testsFolder } from '../../unit/load.ts';
import { unitTestText } from '../../unit/write.ts';
import type { GlobalOptions } from '../options.ts';
import { print, remark } from '../output.ts';
import { requireSignal } from '../selection.ts';
import { openProject, remarkProblems } from '../session.ts';
import { openWarehouses } from '../warehouses.ts';

interface Options extends GlobalOptions {
  key: string[];
  name?: string;
  force?: boolean;
}

/** `readback create-test <signal> --key <key>`: a unit test made of a real row, its values masked. */
export async function execute(options: Options, [signalName]: [string]): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const signal = requireSignal(project, signalName);
  const [entity, ...more] = options.key;
  if (entity === undefined || more.length > 0)
    throw new ReadbackError('USAGE', '--key takes one entity', {
      hint: 'of a key of several columns its JSON array: --key \'["C-1","EU"]\'',
    });
  const warehouses = openWarehouses(project);
  try {
    const draft = await draftTest(project, signal, entity, warehouses.warehouse);
    const name =
      options.name ?? `${signal.name}_${draft.entity.replaceAll(/[^A-Za-z0-9]+/g, '_')}`.slice(0, 100);
    const file = join(project.root, testsFolder, `${requireName(name)}.yaml`);
    if (existsSync(file) && !options.force)
      throw new ReadbackError('USAGE', `${relative(process.cwd(), file)} is there already`, {
        hint: 'write over it with --force, or give the test another --name',
      });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, unitTestText(signal.name, signal.key.length, draft));
    for (const text of draft.remarks) remark(text);
    print(`${relative(process.cwd(), file)}: look at it, then \`readback test\``);
    return 0;
  } finally {
    await warehouses.close();
  }
}

function requireName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new ReadbackError('USAGE', `\`${name}\` is not a name for a test`, {
    hint: 'use letters, digits, _ and -, beginning with a letter',
  });
}
