import { type ProfileSources, readProfile } from '../dbt/profile.ts';
import { ReadbackError } from '../errors.ts';
import { warehouseNames, warehouseOfDbt } from '../warehouses/index.ts';
import { check, type Origin } from './check.ts';
import type { Entry } from './settings.ts';
import { suggest } from './suggest.ts';
import { text } from './vocabulary.ts';

/** `dbt_profile:` of a warehouse as the settings that its output in profiles.yml means; its other keys are laid over them. */
export async function entryOfProfile(
  entry: Entry,
  sources: ProfileSources,
  problems: ReadbackError[],
): Promise<Entry | undefined> {
  const { dbt_profile, ...own } = entry.settings;
  const wanted = check(text(), dbt_profile, at(entry.origin, 'dbt_profile'), problems);
  if (wanted === undefined) return undefined;
  const place = entry.origin.place(['dbt_profile']);
  try {
    const { type, settings, located, path } = await readProfile(wanted, sources);
    const warehouse = await warehouseOfDbt(type);
    if (!warehouse?.dbt)
      throw new ReadbackError('CONFIG_REFERENCE', `dbt's adapter \`${type}\` leads to no warehouse here`, {
        place: located.placeOf([...path, 'type']),
        hint: suggest(type, warehouseNames),
      });
    // Nothing of a profile is shown: any of it may be a secret.
    const origin: Origin = {
      place: (key) => located.placeOf([...path, ...key]),
      keyPlace: (key) => located.placeOfKey([...path, ...key]),
      shown: () => undefined,
    };
    const mapped = check(warehouse.dbt.settings, settings, origin, problems);
    return mapped && { name: entry.name, kind: warehouse.name, settings: { ...mapped, ...own }, origin };
  } catch (error) {
    if (!(error instanceof ReadbackError)) throw error;
    const { code, message, hint } = error;
    problems.push(error.place ? error : new ReadbackError(code, message, { place, hint }));
    return undefined;
  }
}

function at(origin: Origin, key: string): Origin {
  return {
    place: (path) => origin.place([key, ...path]),
    keyPlace: (path) => origin.keyPlace([key, ...path]),
    shown: origin.shown,
  };
}
