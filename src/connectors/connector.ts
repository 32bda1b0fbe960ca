import type { z } from 'zod';
import type { RateLimit } from '../config/model.ts';

/**
 * How an action behaves when the same one is written twice. Declared by each action, never guessed.
 * - `keyed`: the vendor honours an idempotency key.
 * - `upsert`: written onto a unique key; a second write changes nothing.
 * - `marker`: the record carries a marker of ours that can be found again.
 * - `none`: neither; an ambiguous outcome is never re-sent by itself.
 */
export type Idempotency = 'keyed' | 'upsert' | 'marker' | 'none';

/** Nothing was written and nothing was tried in vain: wait, then go on. Not an attempt. */
export interface Throttled {
  kind: 'throttled';
  /** What Retry-After said; null when the vendor did not say. */
  retryAfterMs: number | null;
  reason: string;
}

/**
 * The connection as a whole cannot be used now (wrong credentials, name not resolved, connection refused) and
 * nothing was written. Not the action's fault and not an attempt; the breaker opens.
 */
export interface Unavailable {
  kind: 'unavailable';
  code: string;
  reason: string;
}

/** What one write did to one item, as far as the vendor's answer tells. */
export type Outcome =
  | { kind: 'applied'; id: string }
  | { kind: 'already'; id: string }
  /** A definite no: nothing was written. `permanent` false: the vendor says to try again later. */
  | { kind: 'rejected'; code: string; reason: string; permanent: boolean }
  | Throttled
  | Unavailable
  /** It may or may not have been written: timeout, cut connection, 5xx, unreadable or missing answer. */
  | {
      kind: 'ambiguous';
      reason: string;
      /** What a later call of the same write said about the connection, which must be heeded although this item is open. */
      meanwhile?: Throttled | Unavailable;
    };

/** What the vendor holds now. */
export type Reading =
  | { kind: 'found'; id: string; fields: Record<string, unknown> }
  | { kind: 'absent' }
  /** It can never be known (scope missing, record no longer readable): ends as `unverifiable`. */
  | { kind: 'unreadable'; reason: string }
  /** Not known this time: try again. */
  | { kind: 'failed'; reason: string }
  | Throttled
  | Unavailable;

/** Rendered values by field name, as the destination file names them. */
export type Fields = Record<string, string>;

export interface WriteItem {
  /** The action's key: the same for every attempt, unique per action. Use it as marker or unique value. */
  key: string;
  /**
   * The key for the vendor's idempotency cache. Differs from `key` only after the record was proven absent under the
   * earlier one, because a vendor replays its first answer for a key it has seen.
   */
  requestKey: string;
  /** An earlier write of this action may have reached the vendor; false: this is surely the first. */
  mayRepeat: boolean;
  fields: Fields;
  /** The record this action works on (`follows:`), as the id an earlier action's write returned. */
  parentId: string | undefined;
  /** Where this action undoes another: what is known of that one, for those that may only undo what nobody has changed. */
  undone?: Undone | undefined;
}

/** What an undoing knows of the action that it takes back. The ledger has digests, so it can compare and not tell. */
export interface Undone {
  /** The fields that it may have written. */
  fields: readonly string[];
  /** Whether a field's value is still the one that was written; true of a field that `verify.fields` leaves out. */
  isAsWritten(field: string, value: unknown): boolean;
}

export interface ReadItem {
  key: string;
  /** Known when a write answered; absent when its outcome was ambiguous. */
  id: string | undefined;
  /** What `locate` returned for the write. */
  locator: Record<string, string>;
  parentId: string | undefined;
  /** The field names to read back. */
  fields: string[];
}

/**
 * To be called when a request was answered or given up: the vendor has counted it by now.
 *
 * @param usable the answer was what was asked for: a piece of work that takes several requests goes on from it, also
 *   where only one may probe a connection that rested
 */
export type Answered = (usable?: boolean) => void;

/**
 * Every HTTP request passes here first: it takes its share of the connection's budget, common to all workers, and
 * respects pauses and the breaker. It throws `NotSent` when the request may not be made now.
 */
export interface Gate {
  /** @param beginBy as in `CallOptions` */
  pass(signal: AbortSignal, beginBy?: number): Promise<Answered>;
  /** The vendor has just said to stop: no further request of the same batch passes. */
  heed(refusal: Throttled | Unavailable): void;
}

/** Thrown by a `Gate`: the request was not made. From `write`, it may escape only if nothing was written at all. */
export class NotSent extends Error {
  readonly outcome: Throttled | Unavailable;

  constructor(outcome: Throttled | Unavailable) {
    super(outcome.reason);
    this.name = 'NotSent';
    this.outcome = outcome;
  }
}

export interface CallOptions {
  /** Aborts when the worker must let go. */
  signal: AbortSignal;
  /** Deadline for one HTTP call. */
  timeoutMs: number;
  /** On the monotonic clock: no request begins after it, because another worker may then take it for never sent. */
  beginBy?: number;
}

/** One open connection to a vendor account. */
export interface Client {
  /** Proves the credentials and the prerequisites of the named actions; used by `doctor`. Empty: all is well. */
  check(
    actions: { action: string; options: Record<string, unknown> }[],
    call: CallOptions,
  ): Promise<Finding[]>;
  /** Writes one batch (≤ the action's maxBatch). Maps by key; a key that is missing counts as ambiguous. */
  write(
    action: string,
    options: Record<string, unknown>,
    items: WriteItem[],
    call: CallOptions,
  ): Promise<Map<string, Outcome>>;
  /** Reads back one batch (≤ the action's maxReadBatch). Maps by key; a key that is missing counts as failed. */
  read(
    action: string,
    options: Record<string, unknown>,
    items: ReadItem[],
    call: CallOptions,
  ): Promise<Map<string, Reading>>;
  close(): Promise<void>;
}

export interface Finding {
  problem: string;
  /** What the user should do. */
  hint: string;
}

/** An action that undoes another: fields and options are as they stand. */
export interface Inverse {
  action: string;
  fields: Fields;
  options?: Record<string, unknown>;
}

export interface ActionType {
  summary: string;
  idempotency: Idempotency;
  /** The fields a destination may map; `.catchall(z.string())` where the vendor allows any property. */
  fields: z.ZodType<Fields>;
  /** Untemplated settings of the destination (`options:`), such as the unique property to upsert on. */
  options: z.ZodType<Record<string, unknown>>;
  /**
   * Why the vendor can never be asked what it holds, where that is so. A yes to the write then ends as `unverifiable`,
   * never as `verified`, and `read` is not called.
   */
  unverifiable?: string;
  /** Fields that cannot be read back, so that `verify.fields` may not name them. */
  unreadable: readonly string[];
  /** Field whose text needs the vendor's escaping by default, and the filter that does it. */
  escape?: { filter: string; fields: readonly string[] };
  /** Whether the action needs a `follows:` record. */
  needsParent: boolean;
  /** Another text when the user's own description of the action is another; absent where the action is ours. */
  version?: string;
  maxBatch: number;
  maxReadBatch: number;
  /** How many writes may be under way at once from one lane. */
  concurrency: number;
  /** How long a write may take to become readable. Absence is believed only after it. */
  lagMs: number;
  /** What, besides the key, finds the record again when no id came back. Identifiers only; it is stored. */
  locate(fields: Fields, options: Record<string, unknown>): Record<string, string>;
  /**
   * The comparable form of a field, for what was sent and for what was read: trims, case, number and date forms that
   * the vendor normalises. Equal text means equal value. The ledger keeps only a digest of it.
   */
  canonical(field: string, value: unknown): string;
  /**
   * Where a person finds the record in the vendor's own pages, made of its id alone; absent where an id does not tell.
   *
   * @param settings the connection's
   */
  link?(id: string, settings: Record<string, unknown>): string;
  /**
   * What undoes it: another action of the connector, on the record's id as its parent, with these fields as they stand.
   * Its read-back must show that it is undone. A function where what is to be undone depends on what the destination file
   * says (`fields` are its templates, as they are written); undefined: not as it stands there.
   */
  inverse?: Inverse | ((written: Required<Inverse>) => Inverse | undefined);
  /** A `destinations/*.yaml` example without `connection` and `signals`, run by a test and shown in the docs. */
  example: { fields: Fields; options?: Record<string, unknown> };
}

/** Action types by name. */
export type Actions = Readonly<Record<string, ActionType>>;

/** What a folder in `src/connectors/` exports as `connector`. SDKs load only in `open`. */
export interface Connector {
  name: string;
  summary: string;
  /** The YAML settings of a connection, without `connector`. Secrets use `secret()`. */
  schema: z.ZodType<Record<string, unknown>>;
  example: string;
  rateLimit: RateLimit;
  /**
   * What can be done there. A function where the connection's settings describe it: it gets them as they are written,
   * secrets and durations not yet resolved, and answers undefined when the description is broken.
   */
  actions: Actions | ((settings: Record<string, unknown>) => Actions | undefined);
  open(settings: Record<string, unknown>, gate: Gate): Promise<Client>;
  sandbox(options?: SandboxOptions): Promise<Sandbox>;
}

/** Ways in which a sandbox misbehaves. Each is what vendors have been seen to do. */
export const faultKinds = [
  'throttle', // 429 with Retry-After
  'throttle_bare', // 429 without Retry-After
  'error_before_write', // 5xx, nothing written
  'error_after_write', // 5xx, but written
  'cut_after_write', // connection reset after the write
  'cut_before_write', // connection reset before the write
  'accept_without_write', // a success answer, nothing written
  'reject_item', // one item of the batch is refused for good
  'normalise', // written, but in another form (trimmed, lower case)
  'alter', // written with a wrong value
  'stale_read', // a read answers from before the write
  'read_error', // a read answers 5xx
  'unauthorized', // 401
  'slow', // answers after `delayMs`
  'garbage', // 200 with HTML
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  kind: FaultKind;
  /** How many requests it hits; default 1. */
  times?: number;
  /** Only requests (or items of a batch) whose body or URL contains this text. */
  match?: string;
  retryAfterSeconds?: number;
  delayMs?: number;
}

export interface SandboxOptions {
  port?: number;
  /** Replaces the vendor's real request limit; null lifts it (benchmarks). */
  rateLimit?: RateLimit | null;
  /** Credentials the sandbox accepts; anything else gets the vendor's 401. */
  token?: string;
}

/** What the sandbox really holds: the judge of every test, never read through the connector. */
export interface SandboxRecord {
  id: string;
  /** `contacts`, `tickets`, `messages` … */
  type: string;
  fields: Record<string, unknown>;
  /** How often it was written. */
  writes: number;
}

/** The vendor in memory over real HTTP on loopback. */
export interface Sandbox {
  /** For the connection's `base_url`. */
  url: string;
  /** Connection settings that reach it, as a user would write them (secrets in the open: they are fake). */
  settings: Record<string, string>;
  inject(fault: Fault): void;
  records(): SandboxRecord[];
  /** Requests received, by kind of work, read-backs included. */
  requests(): { method: string; path: string; status: number; at: number }[];
  close(): Promise<void>;
}
