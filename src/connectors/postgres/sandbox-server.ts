import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Embedded, startEmbedded } from '../../store/embedded/index.ts';

interface Running {
  embedded: Embedded;
  folder: string;
}

let running: Promise<Running> | undefined;
let users = 0;
let numbered = 0;

/** A share of the one server that all sandboxes of this process have: it starts with the first, and ends with the last. */
export async function borrowServer(): Promise<{ url: URL; number: number; giveBack(): Promise<void> }> {
  users += 1;
  running ??= start();
  const mine = running;
  const giveBack = async () => {
    users -= 1;
    if (users > 0 || running !== mine) return;
    running = undefined;
    const { embedded, folder } = await mine;
    await embedded.release();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { embedded } = await mine;
    numbered += 1;
    return { url: new URL(embedded.url), number: numbered, giveBack };
  } catch (error) {
    users -= 1;
    if (running === mine) running = undefined;
    throw error;
  }
}

async function start(): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-sandbox-'));
  const log = { info: () => {}, warn: () => {} };
  try {
    // Nothing in it is worth keeping.
    const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
    return { folder, embedded: await startEmbedded({ dataDir: folder, log, settings }) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
