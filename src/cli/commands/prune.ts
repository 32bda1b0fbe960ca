import { prune } from '../../ledger/retention.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';
import { count, openCommandLog, openProject, withLedger } from '../session.ts';

/** `readback prune`: deletes what is older than its signal's retention, as a scheduler does once an hour. */
export async function execute(options: GlobalOptions & { preview?: boolean }): Promise<number> {
  const project = await openProject(options);
  const preview = options.preview ?? false;
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const { messages, actions, attempts, polls, entities } = await prune(pool, project, { preview });
    const rows = [count(messages, 'message'), count(actions, 'action'), count(attempts, 'attempt')];
    if (preview) print(`would prune ${rows.join(', ')}`);
    else print(`pruned ${[...rows, count(polls, 'poll'), `${entities} forgotten entities`].join(', ')}`);
    return 0;
  });
}
