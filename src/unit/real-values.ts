import { ReadbackError } from '../errors.ts';
import type { Scope } from '../templates/index.ts';
import type { Given } from './definition.ts';
import type { Happening } from './run.ts';

/**
 * Refuses a test in which a word of the real row stands. A table that was not recognised in the SQL is read from the
 * warehouse, and a template may have changed the case of its texts or taken a part of them.
 *
 * @param own texts of the project's files, whose words are no secret
 */
export function refuseRealValues(
  row: Scope,
  given: readonly Given[],
  { moves, entities }: Happening,
  own: readonly string[],
): void {
  const rows = given.flatMap((one) => one.rows.flatMap((values) => [...values.values()]));
  const sent = entities.flatMap(({ actions }) => actions);
  const written = wordsOf([
    rows,
    moves.map(({ entity }) => entity),
    sent.map((one) => ('fields' in one ? one.fields : null)),
  ]);
  // Masked addresses end in it.
  const known = wordsOf([...own, 'example.com']);
  const leaking = Object.entries(row).filter(([, value]) =>
    [...wordsOf(value)].some((word) => written.has(word) && !known.has(word)),
  );
  if (leaking.length > 0)
    throw new ReadbackError(
      'USAGE',
      `real values of ${leaking.map(([name]) => name).join(', ')} would be written`,
      {
        hint: 'a table was not recognised in the SQL; write the test by hand',
      },
    );
}

/** Words of four letters or more, in whatever form the texts are nested. */
function wordsOf(value: unknown): Set<string> {
  if (typeof value === 'string') return new Set(value.toLowerCase().match(/\p{L}{4,}/gu));
  if (typeof value !== 'object' || value === null) return new Set();
  return new Set(Object.values(value).flatMap((part) => [...wordsOf(part)]));
}
