import { listFiles, readSource } from '../config/files.ts';
import { ReadbackError } from '../errors.ts';
import { readUnitTest, type UnitTest } from './definition.ts';

export const testsFolder = 'tests';

/** Every test of a project, by file name. A broken one is a problem and never the end of the others. */
export async function loadUnitTests(root: string, problems: ReadbackError[]): Promise<UnitTest[]> {
  const tests: UnitTest[] = [];
  for (const file of await listFiles(root, testsFolder, ['.yaml', '.yml'])) {
    try {
      const test = readUnitTest(await readSource(root, file), problems);
      if (test) tests.push(test);
    } catch (error) {
      if (!(error instanceof ReadbackError)) throw error;
      problems.push(error);
    }
  }
  return tests;
}
