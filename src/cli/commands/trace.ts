import { inOrder } from '../../config/play.ts';
import { traceEntity, traceToJson, traceToText } from '../../report/index.ts';
import { exitCodes } from '../exit.ts';
import type { GlobalOptions } from '../options.ts';
import { print } from '../output.ts';
import { openCommandLog, openProject, withLedger } from '../session.ts';

interface Options extends GlobalOptions {
  signal?: string;
  output: 'table' | 'json';
}

/** `readback trace <entity>`: everything that happened to one entity, from the ledger alone. */
export async function execute(options: Options, [entity]: [string]): Promise<number> {
  const project = await openProject(options);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    // Any name will do: the ledger also knows signals that are no longer in the project.
    const trace = await traceEntity(pool, entity, { signal: options.signal }, inOrder(project.destinations));
    print(options.output === 'json' ? traceToJson(trace) : traceToText(trace));
    const found = trace.memberships.length + trace.messages.length + trace.loose.length > 0;
    return found ? exitCodes.done : exitCodes.attention;
  });
}
