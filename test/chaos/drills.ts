import { readdir } from 'node:fs/promises';
import type { Drill } from './drill.ts';

const folder = new URL('./drills/', import.meta.url);

/** Every drill: one file of drills/ each. */
export async function listDrills(): Promise<Drill[]> {
  return Promise.all((await names()).map(load));
}

/** Finds a drill by its name, however it is written: `kill-storm`, `Kill Storm`, `kill_storm`. */
export async function findDrill(written: string): Promise<Drill | undefined> {
  const name = written
    .trim()
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '-');
  return (await names()).includes(name) ? load(name) : undefined;
}

async function names(): Promise<string[]> {
  const files = await readdir(folder);
  return files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

async function load(name: string): Promise<Drill> {
  const { drill } = (await import(new URL(`${name}.ts`, folder).href)) as { drill: Drill };
  return drill;
}
