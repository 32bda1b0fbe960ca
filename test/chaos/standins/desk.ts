import { now } from './clock.ts';
import { checkSettings, type DeskConfig, type DeskKind, type DeskSettings } from './config.ts';
import { type Fault, type FaultKind, faultKinds, isDefinite } from './faults.ts';
import { keyedProtocol } from './keyed.ts';
import type { Mark } from './mark.ts';
import { markerProtocol } from './marker.ts';
import { Misfortunes, type Refusal } from './misfortunes.ts';
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
  readonly #truth: Truth;
  readonly #protocol: Protocol;
  readonly #misfortunes: Misfortunes;
  readonly #late = new Set<() => void>();
  #settings: DeskSettings = {};
  #bad: ReadonlySet<string> = new Set();
  #window: Window | undefined;

  constructor(seed: number, truth: Truth, config: DeskConfig) {
    this.name = config.name;
    this.#truth = truth;
    this.#protocol = protocols[config.kind]();
    this.#misfortunes = new Misfortunes(seed, config.name, config.kind, this.#protocol);
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
    if (settings.faults !== undefined) this.#misfortunes.endBurst();
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
    if (accept < 1 && this.#misfortunes.draw('accept', number) >= accept) {
      return { reply: this.#protocol.says.unavailable as Reply, fault: 'unavailable_503', refused: [] };
    }
    return this.#perform(number, call, this.#misfortunes.faultOf(number, call, this.#settings.faults));
  }

  #perform(number: number, call: Call, fault: FaultKind | null): Result {
    const rule: Fault = fault ? faultKinds[fault] : { on: ['write', 'read'] };
    const instead = this.#instead(rule);
    const written = this.#misfortunes.written(number, rule);
    if (instead && (written === 'never' || call.kind === 'read')) {
      const lone = rule.said && isDefinite(rule.said) && call.writes.length === 1;
      return { reply: instead, fault, refused: lone ? marksOf(call.writes) : [] };
    }
    const told = new Map<Write, Refusal>();
    const how = this.#how(number, call, rule, told);
    const reply = call.run(how);
    if (instead) return { reply: instead, fault, refused: [] };
    if (rule.sent === 'cut') return { reply, fault, refused: [], sent: 'cut' };
    const named = how.whole !== 'unnamed' || call.writes.length === 1;
    const definite = [...told].flatMap(([write, { said }]) => (named && isDefinite(said) ? [write] : []));
    const label = fault ?? (told.size === 0 ? null : how.whole ? 'batch_400' : 'item_400');
    return { reply, fault: label, refused: marksOf(definite), sent: rule.sent };
  }

  /** What is answered in place of what the request came to. */
  #instead({ said, sent, retryAfter }: Fault): Reply | undefined {
    if (sent === 'html') return page(200, 'Just a moment...');
    if (said === 'throttled') return this.#throttled(retryAfter && this.#retryAfter(retryAfter));
    return said && this.#protocol.says[said];
  }

  /** @param told gets the refusals that are really answered: a replayed answer refuses nothing */
  #how(number: number, call: Call, rule: Fault, told: Map<Write, Refusal>): How {
    const { atomic, names, faults } = this.#settings;
    const misfortunes = this.#misfortunes;
    const refusals = misfortunes.refusals(number, call.writes, rule, this.#bad);
    const takesAll = [...refusals.values()].some(({ whole }) => whole);
    const written = misfortunes.written(number, rule);
    return {
      refusal: (write) => {
        const refusal = refusals.get(write);
        if (!refusal) return undefined;
        told.set(write, refusal);
        misfortunes.remember(write, refusal);
        return refusal.said;
      },
      whole: atomic ? (names ? 'named' : 'unnamed') : takesAll ? 'unnamed' : undefined,
      tidy: rule.tidy === true,
      staleMs: rule.stale ? (faults?.staleMs ?? 1000) : 0,
      keys: rule.keys ?? 'honoured',
      shuffled: rule.results === 'shuffled',
      omits: (place, of) => rule.results === 'short' && misfortunes.omits(number, place, of),
      shuffle: (list) => misfortunes.shuffle(number, list),
      put: (write, store) => {
        if (written === 'now') this.#apply(number, write, store, false);
        else if (written === 'late') this.#later(number, () => this.#apply(number, write, store, true));
      },
    };
  }

  #apply(number: number, { mark, key, refers, undoes }: Write, store: () => string, late: boolean): void {
    const record = store();
    const { entity = null, version = null, token = null } = mark ?? {};
    this.stats.applied += 1;
    const about = {
      record,
      entity,
      version,
      token,
      key,
      refers: refers ?? null,
      undoes: undoes === true,
      late,
    };
    this.#truth.add({ desk: this.name, request: number, event: 'applied', ...about });
  }

  #later(number: number, apply: () => void): void {
    const lateMs = this.#misfortunes.draw('late', number) * (this.#settings.faults?.lateMaxMs ?? 3000);
    const due = () => {
      clearTimeout(timer);
      if (this.#late.delete(due)) apply();
    };
    const timer = setTimeout(due, lateMs);
    this.#late.add(due);
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
