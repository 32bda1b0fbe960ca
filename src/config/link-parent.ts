import type { Draft } from './destination.ts';
import type { Destination } from './model.ts';
import { suggest } from './suggest.ts';

/** Reports a problem of a destination at one of its keys. */
export type Complain = (path: (string | number)[], message: string, hint: string | undefined) => void;

/** The destinations that were read, and the files there are. */
interface Drafts {
  loaded: ReadonlyMap<string, Draft>;
  written: ReadonlyMap<string, string>;
}

/** Checks `follows`: that there is such a destination, that it makes a record, and that nobody follows in a circle. */
export function checkParent(
  destination: Destination,
  needsParent: boolean,
  drafts: Drafts,
  complain: Complain,
): void {
  const { follows, action } = destination;
  if (follows === undefined) {
    const message = `\`${action}\` works on a record of another destination, so it needs \`follows\``;
    if (needsParent) complain(['action'], message, 'name that destination as follows:');
    return;
  }
  if (!drafts.written.has(follows)) {
    complain(['follows'], `there is no destination \`${follows}\``, suggest(follows, drafts.written.keys()));
    return;
  }
  const circle = circleFrom(destination.name, drafts)?.join(' → ');
  if (circle !== undefined) {
    complain(
      ['follows'],
      `destinations follow each other in a circle: ${circle}`,
      'remove one of the follows',
    );
    return;
  }
  const parent = drafts.loaded.get(follows)?.destination;
  if (parent) checkRecord(destination, needsParent, parent, complain);
}

function checkRecord(
  destination: Destination,
  needsParent: boolean,
  parent: Destination,
  complain: Complain,
): void {
  if (needsParent && parent.connection !== destination.connection)
    complain(
      ['follows'],
      `\`${parent.name}\` writes to connection \`${parent.connection}\`, not \`${destination.connection}\``,
      'follow a destination of the same connection',
    );
  const foreign = destination.signals.filter((signal) => !parent.signals.includes(signal));
  if (foreign.length > 0)
    complain(
      ['follows'],
      `\`${parent.name}\` does not act on ${foreign.join(', ')}, so there is no record to follow`,
      `add it to \`signals\` of ${parent.name}`,
    );
}

function circleFrom(start: string, { loaded }: Drafts): string[] | undefined {
  const path = [start];
  for (let next = loaded.get(start)?.destination.follows; next !== undefined; ) {
    if (next === start) return [...path, start];
    if (path.includes(next)) return undefined;
    path.push(next);
    next = loaded.get(next)?.destination.follows;
  }
  return undefined;
}
