import type { RateLimit } from '../config/model.ts';
import type { Fault, FaultKind } from './connector.ts';
import { Records } from './records.ts';
import type { Budget } from './sandbox-window.ts';

/** One request as a vendor's sandbox sees it. */
export interface SandboxRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Parsed from JSON or from a form (then all values are text); `{}` when there is none. */
  body: Record<string, unknown>;
  /** What `Fault.match` is looked for in. */
  text(): string;
  /** A `stale_read` hit this request: answer from `Records.before`. */
  stale: boolean;
}

export interface SandboxAnswer {
  status: number;
  /** Sent as JSON, except text, which is sent as plain text; undefined sends no body. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Faults waiting for a request to hit, oldest first. */
export class Faults {
  readonly #waiting: { fault: Fault; left: number }[] = [];

  inject(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  /**
   * Uses up one hit of the oldest fault of this kind whose `match` occurs in the text, which is better not made when
   * nobody looks at it.
   */
  take(kind: FaultKind, text: string | (() => string)): Fault | undefined {
    const occurs = (match: string) => (typeof text === 'string' ? text : text()).includes(match);
    const index = this.#waiting.findIndex(
      ({ fault }) => fault.kind === kind && (fault.match === undefined || occurs(fault.match)),
    );
    const entry = this.#waiting[index];
    if (!entry) return undefined;
    entry.left -= 1;
    if (entry.left <= 0) this.#waiting.splice(index, 1);
    return entry.fault;
  }
}

/** What a part of a vendor's sandbox does with the records of all of it. */
export abstract class SandboxPart {
  protected readonly records: Records;
  protected readonly faults: Faults;

  constructor(records: Records, faults: Faults) {
    this.records = records;
    this.faults = faults;
  }
}

/**
 * What one vendor's sandbox is; `serveSandbox` does the rest. The server handles the faults that hit a whole request.
 * The faults that hit one item (`reject_item`, `normalise`, `alter`, `accept_without_write`) are the vendor's to
 * take, with `faults.take(kind, () => JSON.stringify(item))`, where it stores that item.
 */
export abstract class SandboxVendor {
  readonly faults = new Faults();
  readonly records = new Records();
  protected readonly token: string;

  /** @param token the only credential that it accepts */
  constructor(token: string) {
    this.token = token;
  }

  /** The vendor's real request limit. */
  abstract limitOf(request: SandboxRequest): RateLimit;

  /** Requests of one bucket share the limit. */
  bucketOf(_request: SandboxRequest): string {
    return '';
  }

  /** Whether a request changes, reads or neither; decides which faults it can meet. */
  abstract kindOf(request: SandboxRequest): 'write' | 'read' | 'other';

  authorised({ headers }: SandboxRequest): boolean {
    return headers.authorization === `Bearer ${this.token}`;
  }

  abstract answer(request: SandboxRequest): SandboxAnswer;

  /** How the vendor says that the credentials are wrong. */
  abstract unauthorized(request: SandboxRequest): SandboxAnswer;

  /** How the vendor says that there are too many requests, without `retryAfter`. */
  abstract throttled(request: SandboxRequest, retryAfterSeconds: number | undefined): SandboxAnswer;

  /** The header that says when to come back, where one is sent. */
  retryAfter(seconds: number, _request: SandboxRequest): Record<string, string> {
    return { 'retry-after': String(seconds) };
  }

  /** The vendor's 5xx. */
  abstract broken(): SandboxAnswer;

  /** Headers of every answer that tell the budget. */
  budgetHeaders(_budget: Budget): Record<string, string> {
    return {};
  }

  /** Connection settings that reach the sandbox at this URL. */
  abstract settings(url: string): Record<string, string>;
}
