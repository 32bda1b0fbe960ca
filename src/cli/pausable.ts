import type { Project } from '../config/model.ts';
import { suggest } from '../config/suggest.ts';
import { ReadbackError } from '../errors.ts';
import { knownNames, type Pausable } from '../ledger/commands.ts';
import type { Queryable } from '../store/queries.ts';

/**
 * What `pause` and `resume` were given: a signal or a destination, of the project or, when its file is broken or gone,
 * of the ledger.
 */
export async function findPausable(project: Project, ledger: Queryable, word: string): Promise<Pausable> {
  const known: Pausable[] = [
    ...[...project.signals.keys()].map((name) => ({ kind: 'signal' as const, name })),
    ...[...project.destinations.keys()].map((name) => ({ kind: 'destination' as const, name })),
    ...(await knownNames(ledger)).map(({ kind, name }) => ({ kind, name })),
  ];
  const [, kind, name = word] = /^(signal|destination):(.*)$/.exec(word) ?? [];
  const matches = known.filter((one) => one.name === name && (kind === undefined || one.kind === kind));
  const kinds = new Set(matches.map((match) => match.kind));
  const [match] = matches;
  if (match && kinds.size === 1) return match;
  if (match) {
    throw new ReadbackError('USAGE', `${name} is a signal and a destination`, {
      hint: `write signal:${name} or destination:${name}`,
    });
  }
  throw new ReadbackError('SELECTION', `there is no signal or destination \`${name}\``, {
    hint: suggest(name, new Set(known.map((one) => one.name))),
  });
}
