import { resume } from '../../ledger/commands.ts';
import { transaction } from '../../store/database.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';
import { findPausable } from '../pausable.ts';
import { count, openCommandLog, openProject, withLedger } from '../session.ts';

/** `readback resume <name>`: what the pause held becomes due, unless another pause holds it too. */
export async function execute(options: GlobalOptions, [word]: [string]): Promise<number> {
  const project = await openProject(options);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const target = await findPausable(project, pool, word);
    const { wasPaused, released, held } = await transaction(pool, (client) => resume(client, target));
    const still = held > 0 ? `, ${count(held, 'action')} still held by another pause` : '';
    const done = `${count(released, 'action')} due again${still}`;
    print(`${wasPaused ? 'resumed' : 'was not paused:'} ${target.kind} ${target.name}; ${done}`);
    return 0;
  });
}
