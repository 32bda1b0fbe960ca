import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Standins } from './standins/child.ts';
import type { DeskConfig, DeskKind } from './standins/config.ts';

/** One line of the truth file. */
export interface TruthLine {
  at: number;
  desk: string;
  event: 'request' | 'applied' | 'answered' | 'limited';
  request: number;
  [key: string]: unknown;
}

export interface Running {
  standins: Standins;
  folder: string;
  /** Everything that happened so far, late writes done. */
  truth(): Promise<TruthLine[]>;
  stop(): Promise<void>;
}

/** Stand-ins with these desks, in a folder of their own. */
export async function running(seed: number, desks: DeskConfig[]): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'readback-standins-'));
  const truth = join(folder, 'truth.jsonl');
  const standins = await Standins.start(join(folder, 'standins.json'), { seed, truth, desks });
  return {
    standins,
    folder,
    truth: async () => {
      await standins.flush();
      const lines = (await readFile(truth, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => JSON.parse(line) as TruthLine);
    },
    stop: async () => {
      await standins.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const oneOfEach: DeskConfig[] = [
  { name: 'keyed', kind: 'keyed' },
  { name: 'upsert', kind: 'upsert' },
  { name: 'marker', kind: 'marker' },
  { name: 'plain', kind: 'plain' },
];

/** What a connector would send, by plain fetch. */
export class Asking {
  readonly #urls: Readonly<Record<string, string>>;

  constructor({ standins }: { standins: { urls: Readonly<Record<string, string>> } }) {
    this.#urls = standins.urls;
  }

  write(kind: DeskKind, entity: string, { key = entity, desk = kind as string } = {}): Promise<Response> {
    const text = `${entity} v1 t-${entity.slice(2)}`;
    if (kind === 'upsert') return this.upsert([entity], { desk });
    if (kind === 'plain') return this.#post(desk, '/orders', { reference: entity, note: text });
    if (kind === 'marker') {
      const metadata = { event_type: 'chaos', event_payload: { key } };
      return this.#post(desk, '/api/chat.postMessage', {
        channel: 'C0CHAOS',
        text,
        metadata: JSON.stringify(metadata),
      });
    }
    const ticket = {
      subject: text,
      external_id: key,
      comment: { body: 'body' },
      requester: { email: 'A@b.example' },
    };
    return this.#post(desk, '/api/v2/tickets', { ticket }, { 'idempotency-key': key });
  }

  upsert(entities: string[], { desk = 'upsert', first = '' } = {}): Promise<Response> {
    const inputs = entities.map((entity) => ({
      id: `${entity}@chaos.example`,
      idProperty: 'email',
      properties: { firstname: `${first}${entity} v1 t-${entity.slice(2)}` },
      objectWriteTraceId: `trace-${entity}`,
    }));
    return this.#post(desk, '/crm/v3/objects/contacts/batch/upsert', { inputs });
  }

  /** Reads back what a write of this entity left, by what the vendor can find it by. */
  read(kind: DeskKind, entity: string, desk: string = kind): Promise<Response> {
    const headers = { authorization: 'Bearer x' };
    const url = this.#urls[desk];
    if (kind === 'keyed') return fetch(`${url}/api/v2/tickets?external_id=${entity}`, { headers });
    if (kind === 'plain') return fetch(`${url}/orders?reference=${entity}`);
    if (kind === 'marker') {
      return this.history({ include_all_metadata: true }, desk);
    }
    const body = {
      inputs: [{ id: `${entity}@chaos.example` }],
      idProperty: 'email',
      properties: ['firstname'],
    };
    return this.#post(desk, '/crm/v3/objects/contacts/batch/read', body);
  }

  history(range: object, desk = 'marker'): Promise<Response> {
    return this.#post(desk, '/api/conversations.history', { channel: 'C0CHAOS', ...range });
  }

  #post(desk: string, path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.#urls[desk] + path, {
      method: 'POST',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }
}
