import { pause } from '../../ledger/commands.ts';
import { transaction } from '../../store/database.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';
import { findPausable } from '../pausable.ts';
import { count, openCommandLog, openProject, withLedger } from '../session.ts';

/** `readback pause <name>`: a paused signal is not polled, a paused destination is sent nothing. */
export async function execute(
  options: GlobalOptions & { reason: string },
  [word]: [string],
): Promise<number> {
  const project = await openProject(options);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const target = await findPausable(project, pool, word);
    const connection = project.destinations.get(target.name)?.connection ?? '';
    const { held } = await transaction(pool, (client) => pause(client, target, options.reason, connection));
    print(`paused ${target.kind} ${target.name}: ${options.reason}; ${count(held, 'action')} held`);
    return 0;
  });
}
