import { byteKinds } from './bytes.ts';
import type { Chance } from './chance.ts';
import { dressed, harmlessKinds } from './harmless.ts';
import type { Kinds, Mutation } from './mutation.ts';
import { referenceKinds } from './references.ts';
import { sqlKinds } from './sql.ts';
import { structureKinds } from './structure.ts';
import { templateKinds } from './templates.ts';
import { valueKinds } from './values.ts';

/** Every way to spoil a project file, and some that only look like it. */
export const kinds: Kinds = {
  ...byteKinds,
  ...valueKinds,
  ...structureKinds,
  ...templateKinds,
  ...referenceKinds,
  ...sqlKinds,
  ...harmlessKinds,
};

/** One in so many is written with other line ends, or a byte order mark. */
const dressedOneIn = 5;

/** The mutation with a number: kinds take turns, the rest is chance. */
export function mutationNumber(index: number, chance: Chance): Mutation {
  const names = Object.keys(kinds);
  const kind = names[index % names.length] ?? '';
  for (;;) {
    const mutation = kinds[kind]?.(chance);
    if (!mutation) continue;
    return chance.between(1, dressedOneIn) === 1
      ? dressed(chance, { kind, ...mutation })
      : { kind, ...mutation };
  }
}
