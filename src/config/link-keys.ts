import { type Place, ReadbackError } from '../errors.ts';
import type { Destination, Enrichment, Signal } from './model.ts';
import type { Parts } from './parts.ts';

/** Gives every enrichment without a key the key of the signals that use it, and checks those that name one. */
export function linkKeys(
  destinations: Map<string, Destination>,
  parts: Parts,
  problems: ReadbackError[],
): void {
  for (const [name, enrichment] of parts.enrichments.loaded) {
    const users = [...destinations.values()].filter(({ enrich }) => enrich.includes(name));
    const signals = [...new Set(users.flatMap((user) => user.signals))].flatMap(
      (signal) => parts.signals.loaded.get(signal) ?? [],
    );
    const problem = keyProblem(enrichment, signals);
    const first = signals[0];
    if (!problem) {
      if (enrichment.key.length === 0 && first)
        parts.enrichments.loaded.set(name, { ...enrichment, key: first.key });
      continue;
    }
    problems.push(problem);
    parts.enrichments.loaded.delete(name);
    for (const user of users) destinations.delete(user.name);
  }
}

function keyProblem({ key, file }: Enrichment, signals: Signal[]): ReadbackError | undefined {
  const place: Place = { file, line: 1, column: 1 };
  for (const signal of signals) {
    const unknown = key.find((column) => !signal.key.includes(column));
    if (unknown !== undefined)
      return new ReadbackError(
        'CONFIG_REFERENCE',
        `\`key\` has \`${unknown}\`, which signal \`${signal.name}\` does not have as key`,
        {
          place,
          hint: `its key is ${signal.key.join(', ')}; name the column so in the enrichment's SQL`,
        },
      );
    if (key.length === 0 && signal.key.join() !== signals[0]?.key.join())
      return new ReadbackError(
        'CONFIG_KEY',
        '`key` is missing, and the signals that use it have different keys',
        {
          place,
          hint: 'add `key:` to the header, or write one enrichment for each key',
        },
      );
  }
  return undefined;
}
