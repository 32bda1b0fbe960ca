import { draw, drawBelow, drawOne, shuffled } from '../random.ts';
import type { DeskKind, FaultConfig } from './config.ts';
import { type Fault, type FaultKind, faultKinds, type Said } from './faults.ts';
import type { Call, Protocol, Write } from './protocol.ts';

/** Why a write is to be refused. */
export interface Refusal {
  said: Said;
  /** Its whole batch with it. */
  whole: boolean;
  /** From now on every time. */
  lasting: boolean;
}

/** What goes wrong with each request of one desk, drawn; and whom it has condemned. */
export class Misfortunes {
  readonly #seed: number;
  readonly #desk: string;
  readonly #kind: DeskKind;
  readonly #protocol: Protocol;
  /** Tokens of writes that are refused every time, and whether their batch is. */
  readonly #condemned = new Map<string, boolean>();
  #burst: { fault: FaultKind; until: number } | undefined;

  constructor(seed: number, desk: string, kind: DeskKind, protocol: Protocol) {
    this.#seed = seed;
    this.#desk = desk;
    this.#kind = kind;
    this.#protocol = protocol;
  }

  draw(...names: (string | number)[]): number {
    return draw(this.#seed, this.#desk, ...names);
  }

  endBurst(): void {
    this.#burst = undefined;
  }

  /** Depends on nothing but the seed, the desk and the request's number, and of course on what fits the request. */
  faultOf(number: number, call: Call, faults: FaultConfig | null | undefined): FaultKind | null {
    if (!faults || call.kind === 'other') return null;
    if (this.#burst && number <= this.#burst.until) return this.#burst.fault;
    if (this.draw('fault', number) >= faults.share) return null;
    const asked = faults.kinds ?? (Object.keys(faultKinds) as FaultKind[]);
    const fitting = asked.filter((kind) => this.#fits(faultKinds[kind], call));
    if (fitting.length === 0) return null;
    const fault = drawOne(fitting, this.#seed, this.#desk, 'kind', number);
    const { burst }: Fault = faultKinds[fault];
    if (burst) this.#burst = { fault, until: number + burst };
    return fault;
  }

  #fits({ on, only, batch, said, refuses }: Fault, call: Call): boolean {
    if (call.kind === 'other' || !on.includes(call.kind)) return false;
    if (only && !only.includes(this.#kind)) return false;
    if (batch && this.#kind === 'upsert' && call.writes.length < 2) return false;
    if (said && !this.#protocol.says[said]) return false;
    return !refuses || this.#protocol.refuses.includes(refuses.said);
  }

  written(number: number, { written }: Fault): 'now' | 'late' | 'never' {
    if (written !== 'maybe') return written ?? 'now';
    return this.draw('written', number) < 0.5 ? 'never' : 'now';
  }

  /** The writes to refuse: bad entities, those condemned before, and those this request's fault hits. */
  refusals(
    number: number,
    writes: readonly Write[],
    { refuses, lasting = false, whole = false }: Fault,
    bad: ReadonlySet<string>,
  ): Map<Write, Refusal> {
    const refusals = new Map<Write, Refusal>();
    const chosen = drawBelow(writes.length, this.#seed, this.#desk, 'refused', number);
    for (const [place, write] of writes.entries()) {
      const { entity = '', token = '' } = write.mark ?? {};
      const condemned = this.#condemned.get(token);
      const drawn =
        place === chosen || (refuses?.which === 'some' && this.draw('refused', number, place) < 1 / 3);
      if (bad.has(entity)) refusals.set(write, { said: 'bad', whole: false, lasting: false });
      else if (condemned !== undefined)
        refusals.set(write, { said: 'bad', whole: condemned, lasting: false });
      else if (refuses && drawn) refusals.set(write, { said: refuses.said, whole, lasting });
    }
    return refusals;
  }

  /** To be told of each refusal that was really answered. */
  remember({ mark }: Write, { lasting, whole }: Refusal): void {
    if (lasting && mark) this.#condemned.set(mark.token, whole);
  }

  /** Whether a short answer leaves out the result at this place of so many: one for certain, others by chance. */
  omits(number: number, place: number, of: number): boolean {
    const chosen = drawBelow(of, this.#seed, this.#desk, 'omitted', number);
    return place === chosen || this.draw('omitted', number, place) < 1 / 3;
  }

  shuffle<One>(number: number, list: One[]): One[] {
    return shuffled(list, this.#seed, this.#desk, 'order', number);
  }
}
