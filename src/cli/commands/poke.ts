import { suggest } from '../../config/suggest.ts';
import { ReadbackError } from '../../errors.ts';
import { poke } from '../../ledger/pokes.ts';
import { exitCodes } from '../exit.ts';
import type { GlobalOptions } from '../options.ts';
import { remark } from '../output.ts';
import { openCommandLog, openProject, withLedger } from '../session.ts';

interface Options extends GlobalOptions {
  only?: string[];
}

/** `readback poke`: has a running `start` look at a signal now. */
export async function execute(options: Options, [name]: [string]): Promise<number> {
  const project = await openProject(options);
  const poked = [...project.signals.values()].filter((signal) => signal.trigger).map((signal) => signal.name);
  if (!poked.includes(name))
    throw new ReadbackError('USAGE', `there is no signal \`${name}\` with a trigger`, {
      hint: suggest(name, poked) ?? 'write trigger: { webhook: true } in its header',
    });
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    const taken = await poke(pool, name, options.only);
    remark(
      taken
        ? `poked ${name}; a running \`readback start\` looks at once`
        : `too many pokes of ${name} wait already`,
    );
    return taken ? exitCodes.done : exitCodes.attention;
  });
}
