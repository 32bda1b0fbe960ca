import type { Project } from '../config/model.ts';

/** What signals promise, in milliseconds, and who owns them: the ledger knows neither. */
export function promisesOf(project: Project): { slas: Map<string, number>; owners: Map<string, string> } {
  const slas = new Map<string, number>();
  const owners = new Map<string, string>();
  for (const { name, slaMs, owner } of project.signals.values()) {
    if (slaMs !== undefined) slas.set(name, slaMs);
    if (owner !== undefined) owners.set(name, owner);
  }
  return { slas, owners };
}
