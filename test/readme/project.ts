import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';
import { loadProject } from '../../src/config/index.ts';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-readme-'));
  folders.push(folder);
  return folder;
}

export async function writeFiles(files: ReadonlyMap<string, string>): Promise<string> {
  const folder = await emptyFolder();
  for (const [file, text] of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
}

/** Loads files as a project in which every secret they name exists, and fails with every problem there is. */
export async function loadSound(files: ReadonlyMap<string, string>, target?: string) {
  const texts = [...files.values()].join('\n');
  const named = (kind: string) =>
    [...texts.matchAll(new RegExp(`\\b${kind}:([\\w./-]+)`, 'g'))].map((m) => m[1] ?? '');
  const secrets = new Map(named('file').map((file) => [file, 'secret']));
  const root = await writeFiles(new Map([...secrets, ...files]));
  const env = Object.fromEntries(named('env').map((name) => [name, sampleOf(name)]));
  const project = await loadProject(root, { env, target });
  assert.deepEqual(
    project.problems.map((problem) => problem.format()),
    [],
  );
  return { root, env, project };
}

function sampleOf(name: string): string {
  if (name.endsWith('_EMAIL')) return 'agent@acme.example';
  return name.endsWith('_URL') ? 'http://127.0.0.1:1' : 'secret';
}
