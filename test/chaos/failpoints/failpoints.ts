import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeskKind } from '../workload/workload.ts';

export type Action = 'kill' | 'throw' | 'stop';

/** A place where something can happen, before or after: `commit_intents-after-kill-marker`. */
export type Cell = `${string}-${'before' | 'after'}-${Action}-${Of}`;

/** A class of destinations, or what undoes a step of a play. */
export type Of = DeskKind | 'undo';

export type Hit = { cell: Cell; pid: number; at: number };

/** A point that a process of the product passed. */
export type Passed = { point: string; when: 'before' | 'after'; of: Of; pid: number };

/** What the preload is told and what it tells, through a folder of files; see preload.mjs. */
export class Failpoints {
  readonly folder: string;
  /** For the environment of the product's processes. */
  readonly env: Record<string, string>;

  private constructor(folder: string) {
    this.folder = folder;
    this.env = {
      NODE_OPTIONS: `--import=${new URL('./preload.mjs', import.meta.url).href}`,
      FAILPOINTS: folder,
    };
  }

  static async open(): Promise<Failpoints> {
    const folder = await mkdtemp(join(tmpdir(), 'readback-failpoints-'));
    await mkdir(join(folder, 'armed'));
    await writeFile(join(folder, 'classes.json'), '{}');
    return new Failpoints(folder);
  }

  /**
   * Says which desk belongs to which class; before the product starts.
   *
   * @param undone a keyed desk whose records a play may take back
   */
  async watch(
    desks: readonly { name: string; kind: DeskKind }[],
    urls: Readonly<Record<string, string>>,
    undone?: string,
  ) {
    const urlOf = (name: string) => urls[name]?.replace(/\/$/, '');
    const classes: [Of, object][] = desks.map(({ name, kind }) => [
      kind,
      { names: [name, `${name}_due`], url: urlOf(name), write: writes[kind] },
    ]);
    // First, because its requests go to the same desk: what is below a ticket.
    if (undone !== undefined)
      classes.unshift([
        'undo',
        { names: [`${undone}.undo`], url: `${urlOf(undone)}/api/v2/tickets`, write: 'PUT ' },
      ]);
    await writeFile(join(this.folder, 'classes.json'), JSON.stringify(Object.fromEntries(classes)));
  }

  /** @param pass at which pass of a process it happens, counted from now */
  async arm(cell: Cell, pass = 1): Promise<void> {
    await writeFile(join(this.folder, 'armed', cell), String(pass));
  }

  /** Cells that nobody has hit yet. */
  async armed(): Promise<Cell[]> {
    return (await readdir(join(this.folder, 'armed'))) as Cell[];
  }

  hits(): Promise<Hit[]> {
    return readLines(join(this.folder, 'hits.jsonl'));
  }

  /** Each point once for each process. */
  passed(): Promise<Passed[]> {
    return readLines(join(this.folder, 'passed.jsonl'));
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** How a request that writes begins; every other request to the desk reads. */
const writes: Record<DeskKind, string> = {
  keyed: 'POST /api/v2/tickets',
  upsert: 'POST /crm/v3/objects/contacts/batch/upsert',
  marker: 'POST /api/chat.postMessage',
  plain: 'POST /orders',
};

async function readLines<Line>(file: string): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  // What follows the last line end may be half a line.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}
