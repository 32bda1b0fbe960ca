import type { Said } from './faults.ts';
import type { Mark } from './mark.ts';

export interface Request {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** `body` goes out as JSON, a text as it is. */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** One write of a request: an upsert's batch has many, any other request has one. */
export interface Write {
  mark: Mark | undefined;
  /** What the sender calls it, for the truth file. */
  key: string | null;
  /** The record of another desk that it names. */
  refers?: string | undefined;
  /** It takes back what an earlier write made. */
  undoes?: true;
}

/** How a request is to be done. An honest one has nothing refused, nothing stale, and `put` puts at once. */
export interface How {
  /** How a write is refused, if it is; to be asked only when that is what will be answered. */
  refusal(write: Write): Said | undefined;
  /** A batch with a refused write is refused whole, naming the refused writes or nothing. */
  whole: 'named' | 'unnamed' | undefined;
  tidy: boolean;
  staleMs: number;
  keys: 'honoured' | 'ignored' | 'expired';
  shuffled: boolean;
  /** Whether the answer is silent about the result at this place of so many. */
  omits(place: number, of: number): boolean;
  /** Stores a write, now, late or never; `store` gives the record's id. */
  put(write: Write, store: () => string): void;
  /** A stable order other than the given one. */
  shuffle<One>(list: One[]): One[];
}

/** A request understood. */
export interface Call {
  kind: 'write' | 'read' | 'other';
  /** What it is about, as far as that can be told. */
  entities: string[];
  writes: Write[];
  run(how: How): Reply;
}

/** One vendor's protocol: what it holds, and its own words. */
export interface Protocol {
  understand(request: Request): Call;
  /** The words for a whole request; what is missing here, this vendor never says. */
  says: Partial<Record<Said, Reply>>;
  /** What it can say of one write. */
  refuses: readonly Said[];
  /** Everything held, for a look from outside. */
  records(): object[];
}

/** A call that changes and tells nothing about records: who am I, no such path. */
export function otherCall(reply: Reply): Call {
  return { kind: 'other', entities: [], writes: [], run: () => reply };
}

/** An object of JSON; empty when the text is none. */
export function parseObject(text: unknown): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What a proxy in front of the vendor says. */
export function page(status: number, title: string): Reply {
  const body = `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
  return { status, body, headers: { 'content-type': 'text/html' } };
}
