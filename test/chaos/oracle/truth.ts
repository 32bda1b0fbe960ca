import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

export type Mark = { entity: string; version: number; token: string };

/** Something came to be at a desk: a record, or the value that a record now has. `at` is epoch ms. */
export type Effect = {
  at: number;
  desk: string;
  request: number;
  record: string;
  late: boolean;
  refers: string | null;
} & Mark;

/** A request that would write, and how the desk answered it; status null: the desk never answered. */
export type Write = {
  at: number;
  desk: string;
  request: number;
  entities: string[];
  status: number | null;
  fault: string | null;
  /** what the answer refused by name, or because it was alone in its request */
  refused: Mark[];
};

/** What the stand-ins wrote down, in the order in which it happened. */
export type Truth = {
  effects: Effect[];
  /** what took an effect back, at the same record */
  undos: Effect[];
  /** applied, but nobody could say for whom */
  unmarked: number;
  writes: Write[];
  /** when requests came, by desk: all of them count against a limit */
  requests: Map<string, number[]>;
};

type Line = {
  at: number;
  desk: string;
  event: 'request' | 'applied' | 'answered' | 'limited';
  request: number;
  method: string;
  path: string;
  entities: string[];
  record: string;
  entity: string | null;
  version: number | null;
  token: string | null;
  late: boolean;
  refers?: string | null;
  undoes?: boolean;
  status: number;
  fault: string | null;
  refused?: Mark[];
};

export async function readTruth(file: string): Promise<Truth> {
  const truth: Truth = { effects: [], undos: [], unmarked: 0, writes: [], requests: new Map() };
  const open = new Map<string, Write>();
  for await (const text of createInterface({ input: createReadStream(file) })) {
    if (text !== '') addLine(truth, open, JSON.parse(text) as Line);
  }
  return truth;
}

function addLine(truth: Truth, open: Map<string, Write>, line: Line): void {
  const { at, desk, request } = line;
  const id = `${desk} ${request}`;
  if (line.event === 'request') {
    const times = truth.requests.get(desk) ?? [];
    times.push(at);
    truth.requests.set(desk, times);
    if (!isWrite(line)) return;
    const write = { at, desk, request, entities: line.entities, status: null, fault: null, refused: [] };
    truth.writes.push(write);
    open.set(id, write);
  } else if (line.event === 'applied') {
    const { entity, version, token, record, late, refers = null, undoes } = line;
    if (entity === null || version === null || token === null) truth.unmarked += 1;
    else {
      const effect = { at, desk, request, record, late, refers, entity, version, token };
      (undoes ? truth.undos : truth.effects).push(effect);
    }
  } else if (line.event === 'answered') {
    const write = open.get(id);
    open.delete(id);
    if (write) Object.assign(write, { status: line.status, fault: line.fault, refused: line.refused ?? [] });
  } else if (line.event === 'limited') {
    const write = open.get(id);
    if (write) write.status = 429;
  }
}

/** Reading is done with GET, or with a POST to an address that says so. */
function isWrite({ method, path }: Line): boolean {
  return method !== 'GET' && !/\/(read|search)\b|conversations\.|auth\.test/.test(path);
}
