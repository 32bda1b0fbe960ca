import { draw, drawBelow, drawOne, shuffled } from '../random.ts';
import { now } from './clock.ts';
import { checkSettings, type DeskConfig, type DeskKind, type DeskSettings } from './config.ts';
import { type Fault, type FaultKind, faultKinds, isDefinite, type Said } from './faults.ts';
import { keyedProtocol } from './keyed.ts';
import type { Mark } from './mark.ts';
import { markerProtocol } from './marker.ts';
import { plainProtocol } from './plain.ts';
import {
  type Call,
  type How,
  type Protocol,
  page,
  type Reply,
  type Request,
  type Write,
} from './protocol.ts';
import type { Truth } from './truth.ts';
import { upsertProtocol } from './upsert.ts';
import { Window } from './window.ts';

const protocols: Record<DeskKind, () => Protocol> = {
  keyed: keyedProtocol,
  upsert: upsertProtocol,
  marker: markerProtocol,
  plain: plainProtocol,
};

export interface DeskStats {
  requests: number;
  applied: number;
  limited: number;
  faults: Partial<Record<FaultKind, number>>;
}

/** What the server is to send, how, and after what time. */
export interface Answer extends Reply {
  sent: Fault['sent'];
  delayMs: number;
  slowMs: number;
}

/** What a request came to. */
interface Result {
  reply: Reply;
  fault: FaultKind | null;
  refused: Mark[];
  sent?: Fault['sent'];
}

/** One destination: counts, limits, draws the fault, does the request, and tells the truth of it. */
export class Desk {
  readonly name: string;
  readonly stats: DeskStats = { requests: 0, applied: 0, limited: 0, faults: {} };
  readonly #seed: number;
  readonly #kind: DeskKind;
  readonly #truth: Truth;
  readonly #protocol: Protocol;
  readonly #late = new Set<() => void>();
  /** Tokens of writes that are refused every time, and how. */
  readonly #condemned = new Map<string, FaultKind>();
  #settings: DeskSettings;
  #bad: ReadonlySet<string> = new Set();
  #window: Window | undefined;
  #burst: { fault: FaultKind; until: number } | undefined;

  constructor(seed: number, truth: Truth, config: DeskConfig) {
    this.name = config.name;
    this.#seed = seed;
    this.#kind = config.kind;
    this.#truth = truth;
    this.#protocol = protocols[config.kind]();
    this.#settings = {};
    this.change(config);
  }

  get dead(): boolean {
    return this.#settings.dead === true;
  }

  /** What is not named stays; `faults` and `limit` are replaced whole, and null ends them. */
  change(settings: DeskSettings): void {
    checkSettings(this.name, settings);
    this.#settings = { ...this.#settings, ...settings };
    this.#bad = new Set(this.#settings.bad);
    if (settings.faults !== undefined) this.#burst = undefined;
    if (settings.limit !== undefined) this.#window = settings.limit ? new Window(settings.limit) : undefined;
  }

  records(): object[] {
    return this.#protocol.records();
  }

  /** Does all late writes now. */
  flush(): void {
    for (const apply of [...this.#late]) apply();
  }

  answer(request: Request): Answer {
    const number = ++this.stats.requests;
    const call = this.#protocol.understand(request);
    const { method, path } = request;
    this.#truth.add({
      desk: this.name,
      request: number,
      event: 'request',
      method,
      path,
      entities: call.entities,
    });
    const { reply, fault, refused, sent } = this.#result(number, call);
    if (fault) this.stats.faults[fault] = (this.stats.faults[fault] ?? 0) + 1;
    const { status } = reply;
    this.#truth.add({ desk: this.name, request: number, event: 'answered', status, fault, refused });
    const { delayMs = 0, faults } = this.#settings;
    return { ...reply, sent, delayMs, slowMs: faults?.slowMs ?? 500 };
  }

  #result(number: number, call: Call): Result {
    const waitMs = this.#window?.count(now()) ?? 0;
    const { alwaysThrottle, accept = 1 } = this.#settings;
    if (waitMs > 0) {
      this.stats.limited += 1;
      this.#truth.add({ desk: this.name, request: number, event: 'limited' });
      return { reply: this.#throttled(String(Math.ceil(waitMs / 1000))), fault: null, refused: [] };
    }
    if (alwaysThrottle) {
      return { reply: this.#throttled(this.#retryAfter('seconds')), fault: 'throttled_seconds', refused: [] };
    }
    if (accept < 1 && draw(this.#seed, this.name, 'accept', number) >= accept) {
      return { reply: this.#protocol.says.unavailable as Reply, fault: 'unavailable_503', refused: [] };
    }
    return this.#perform(number, call, this.#faultOf(number, call));
  }

  /** Depends on nothing but the seed, the desk and the request's number, and of course on what fits the request. */
  #faultOf(number: number, call: Call): FaultKind | null {
    const { faults } = this.#settings;
    if (!faults || call.kind === 'other') return null;
    if (this.#burst && number <= this.#burst.until) return this.#burst.fault;
    if (draw(this.#seed, this.name, 'fault', number) >= faults.share) return null;
    const fitting = (faults.kinds ?? (Object.keys(faultKinds) as FaultKind[])).filter((kind) =>
      this.#fits(faultKinds[kind], call),
    );
    if (fitting.length === 0) return null;
    const fault = drawOne(fitting, this.#seed, this.name, 'kind', number);
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

  #perform(number: number, call: Call, fault: FaultKind | null): Result {
    const rule: Fault = fault ? faultKinds[fault] : { on: ['write', 'read'] };
    const said = rule.said ? this.#said(rule.said, rule) : undefined;
    if (said && (rule.written === 'never' || call.kind === 'read')) {
      const lone = rule.said && isDefinite(rule.said) && call.writes.length === 1;
      return { reply: said, fault, refused: lone ? marksOf(call.writes) : [] };
    }
    const refused = this.#refusals(number, call, fault, rule);
    const how = this.#how(number, rule, refused);
    const reply = call.run(how);
    if (said) return { reply: said, fault, refused: [] };
    if (rule.sent === 'html')
      return { reply: page(200, 'Just a moment...'), fault, refused: [], sent: 'html' };
    const label = fault ?? (refused.size === 0 ? null : how.whole ? 'batch_400' : 'item_400');
    if (rule.sent === 'cut') return { reply, fault, refused: [], sent: 'cut' };
    const named = how.whole !== 'unnamed' || call.writes.length === 1;
    const definite = [...refused].flatMap(([write, said]) => (named && isDefinite(said) ? [write] : []));
    return { reply, fault: label, refused: marksOf(definite), sent: rule.sent };
  }

  /** The writes to refuse: bad entities, those refused for good before, and those this request's fault hits. */
  #refusals(
    number: number,
    call: Call,
    fault: FaultKind | null,
    { refuses, lasting }: Fault,
  ): Map<Write, Said> {
    const refused = new Map<Write, Said>();
    if (call.kind !== 'write') return refused;
    for (const write of call.writes) {
      const { mark } = write;
      if (mark && (this.#bad.has(mark.entity) || this.#condemned.has(mark.token))) refused.set(write, 'bad');
    }
    if (!refuses || !fault) return refused;
    const chosen = drawBelow(call.writes.length, this.#seed, this.name, 'refused', number);
    for (const [place, write] of call.writes.entries()) {
      const also = refuses.which === 'some' && draw(this.#seed, this.name, 'refused', number, place) < 1 / 3;
      if (place !== chosen && !also) continue;
      if (!refused.has(write)) refused.set(write, refuses.said);
      if (lasting && write.mark) this.#condemned.set(write.mark.token, fault);
    }
    return refused;
  }

  #how(number: number, rule: Fault, refused: Map<Write, Said>): How {
    const { atomic, names, faults } = this.#settings;
    const seed = this.#seed;
    const condemnedWhole = [...refused.keys()].some(
      ({ mark }) => this.#condemned.get(mark?.token ?? '') === 'batch_400',
    );
    const short = rule.results === 'short';
    const omits = (place: number, of: number) =>
      short &&
      (place === drawBelow(of, seed, this.name, 'omitted', number) ||
        draw(seed, this.name, 'omitted', number, place) < 1 / 3);
    return {
      refused,
      whole: atomic ? (names ? 'named' : 'unnamed') : condemnedWhole || rule.whole ? 'unnamed' : undefined,
      tidy: rule.tidy === true,
      staleMs: rule.stale ? (faults?.staleMs ?? 1000) : 0,
      keys: rule.keys ?? 'honoured',
      shuffled: rule.results === 'shuffled',
      omits,
      put: (write, store) => this.#put(number, rule, write, store),
      shuffle: (list) => shuffled(list, seed, this.name, 'order', number),
    };
  }

  #put(number: number, { written }: Fault, write: Write, store: () => string): void {
    const apply = (late: boolean) => {
      const record = store();
      const { mark, key } = write;
      const about = {
        entity: mark?.entity ?? null,
        version: mark?.version ?? null,
        token: mark?.token ?? null,
      };
      this.stats.applied += 1;
      this.#truth.add({ desk: this.name, request: number, event: 'applied', record, ...about, key, late });
    };
    if (written === 'never') return;
    if (written === 'maybe' && draw(this.#seed, this.name, 'written', number) < 0.5) return;
    if (written === 'late') this.#later(number, () => apply(true));
    else apply(false);
  }

  #later(number: number, apply: () => void): void {
    const lateMs = draw(this.#seed, this.name, 'late', number) * (this.#settings.faults?.lateMaxMs ?? 3000);
    const due = () => {
      clearTimeout(timer);
      if (this.#late.delete(due)) apply();
    };
    const timer = setTimeout(due, lateMs);
    this.#late.add(due);
  }

  #said(said: Said, { retryAfter }: Fault): Reply {
    if (said !== 'throttled') return this.#protocol.says[said] as Reply;
    return this.#throttled(retryAfter && this.#retryAfter(retryAfter));
  }

  #throttled(retryAfter: string | undefined): Reply {
    const reply = this.#protocol.says.throttled as Reply;
    return retryAfter === undefined
      ? reply
      : { ...reply, headers: { ...reply.headers, 'retry-after': retryAfter } };
  }

  #retryAfter(form: 'seconds' | 'date'): string {
    const seconds = this.#settings.faults?.retryAfterSeconds ?? 1;
    return form === 'seconds' ? String(seconds) : new Date(now() + seconds * 1000).toUTCString();
  }
}

function marksOf(writes: readonly Write[]): Mark[] {
  return writes.flatMap(({ mark }) => mark ?? []);
}
