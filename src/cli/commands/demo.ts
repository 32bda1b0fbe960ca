import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDemo } from '../../demo/demo.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';

/** `readback demo`: the main job on sandboxes, in a project of its own that is removed afterwards. */
export async function execute(options: GlobalOptions & { keep?: boolean }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-demo-'));
  try {
    return await runDemo({ folder, print });
  } finally {
    if (options.keep) print(`The demo project is in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}
