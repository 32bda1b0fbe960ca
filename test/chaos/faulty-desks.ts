import assert from 'node:assert/strict';
import { Asking, oneOfEach, type Running, running, type TruthLine } from './asking.ts';
import type { DeskKind, FaultConfig } from './standins/config.ts';
import type { FaultKind } from './standins/faults.ts';

/** What came back of one request, and what the truth file has of it. */
export interface Came {
  status: number;
  text: string;
  /** Empty when the text is no JSON. */
  body: Record<string, unknown>;
  headers: Headers;
  truth: TruthLine[];
}

/** Stand-ins with a desk of each kind, asked under one fault at a time. */
export class FaultyDesks {
  readonly place: Running;
  readonly asking: Asking;
  #entities = 0;

  private constructor(place: Running) {
    this.place = place;
    this.asking = new Asking(place);
  }

  static async start(seed: number): Promise<FaultyDesks> {
    return new FaultyDesks(await running(seed, oneOfEach));
  }

  /** An entity that nobody has spoken of. */
  fresh(): string {
    return `e-${String(++this.#entities).padStart(5, '0')}`;
  }

  /** Asks once under this fault; the truth file must tell of it. */
  async under(
    desk: DeskKind,
    fault: FaultKind,
    ask: () => Promise<Response>,
    more: Partial<FaultConfig> = {},
  ): Promise<Came> {
    const before = (await this.place.truth()).length;
    await this.place.standins.change(desk, { faults: { share: 1, kinds: [fault], ...more } });
    const response = await ask();
    const text = await response.text();
    await this.place.standins.change(desk, { faults: null });
    const truth = (await this.place.truth()).slice(before);
    const answered = truth.find(({ event }) => event === 'answered');
    assert.equal(answered?.fault, fault);
    assert.equal(answered?.status, response.status);
    const { status, headers } = response;
    return { status, text, body: parsed(text), headers, truth };
  }
}

export function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
