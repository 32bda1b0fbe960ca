import type { Client as Sdk } from '@hubspot/api-client';
import { shareAgents } from '../agents.ts';
import { classifyNetworkError, heeded, parseRetryAfter, quote, throughGate, withDeadline } from '../calls.ts';
import type { CallOptions, Gate, Outcome, Reading, Throttled, Unavailable } from '../connector.ts';
import type { ListName } from './action.ts';
import type { Settings } from './schema.ts';

/** A definite no. */
export interface Refused {
  kind: 'refused';
  /** Of HTTP. */
  status: number;
  code: string;
  reason: string;
  body: Record<string, unknown>;
}

/** What a call came to when it brought no usable answer. */
export type Failure =
  | Refused
  | Throttled
  | Unavailable
  /** No readable answer: it may or may not have taken effect. */
  | { kind: 'lost'; reason: string };
export type Answer = { kind: 'ok'; body: Record<string, unknown> } | Failure;

/** HubSpot over HTTP: the only place that knows its addresses, its limits and how it says no. */
export class HubSpot {
  readonly #sdk: Sdk;
  readonly #gate: Gate;
  readonly #secrets: readonly string[];

  private constructor(sdk: Sdk, gate: Gate, secrets: readonly string[]) {
    this.#sdk = sdk;
    this.#gate = gate;
    this.#secrets = secrets;
  }

  /**
   * Loads the SDK and prepares a client; nothing is sent. `numberOfApiCallRetries` and `limiterOptions` must never be
   * set, here or elsewhere: they apply to every HubSpot client of the process, and retrying is ours alone.
   */
  static async open(settings: Settings, gate: Gate): Promise<HubSpot> {
    const { Client } = await import('@hubspot/api-client');
    const accessToken = settings.access_token.reveal();
    const basePath = settings.base_url?.replace(/\/+$/, '');
    // `apiRequest` heeds no `httpAgent`.
    shareAgents();
    const sdk = new Client({ accessToken, ...(basePath === undefined ? {} : { basePath }) });
    return new HubSpot(sdk, gate, [accessToken]);
  }

  batchUpsert(type: string, inputs: object[], call: CallOptions): Promise<Answer> {
    return this.#send('POST', `/crm/v3/objects/${type}/batch/upsert`, { inputs }, call);
  }

  /** Reads by record id, or by a unique property. Never by search, which lags behind writes. */
  batchRead(
    type: string,
    idProperty: string | undefined,
    ids: string[],
    properties: string[],
    call: CallOptions,
  ): Promise<Answer> {
    const inputs = ids.map((id) => ({ id }));
    const body = { inputs, properties, propertiesWithHistory: [], ...(idProperty ? { idProperty } : {}) };
    return this.#send('POST', `/crm/v3/objects/${type}/batch/read`, body, call);
  }

  /** Answers with nothing: 204. */
  batchArchive(type: string, ids: string[], call: CallOptions): Promise<Answer> {
    const inputs = ids.map((id) => ({ id }));
    return this.#send('POST', `/crm/v3/objects/${type}/batch/archive`, { inputs }, call);
  }

  associate(
    from: string,
    to: string,
    pairs: { from: string; to: string }[],
    call: CallOptions,
  ): Promise<Answer> {
    const inputs = pairs.map((pair) => ({ from: { id: pair.from }, to: { id: pair.to } }));
    return this.#send('POST', `/crm/v4/associations/${from}/${to}/batch/associate/default`, { inputs }, call);
  }

  /** Sets what these associations are: kinds that are not named are taken off. */
  associateAs(from: string, to: string, inputs: object[], call: CallOptions): Promise<Answer> {
    return this.#send('POST', `/crm/v4/associations/${from}/${to}/batch/create`, { inputs }, call);
  }

  /** Takes off these associations with all their labels. Answers with nothing: 204. */
  archiveLinks(
    from: string,
    to: string,
    pairs: { from: string; to: string }[],
    call: CallOptions,
  ): Promise<Answer> {
    const inputs = pairs.map((pair) => ({ from: { id: pair.from }, to: [{ id: pair.to }] }));
    return this.#send('POST', `/crm/v4/associations/${from}/${to}/batch/archive`, { inputs }, call);
  }

  /** Takes these labels off associations, which stay. Answers with nothing: 204. */
  archiveLabels(from: string, to: string, inputs: object[], call: CallOptions): Promise<Answer> {
    return this.#send('POST', `/crm/v4/associations/${from}/${to}/batch/labels/archive`, { inputs }, call);
  }

  /** @param after where the page before ended, for records that are on more than one page of others */
  associations(
    from: string,
    to: string,
    inputs: { id: string; after?: string }[],
    call: CallOptions,
  ): Promise<Answer> {
    return this.#send('POST', `/crm/v4/associations/${from}/${to}/batch/read`, { inputs }, call);
  }

  /** The kinds of association between two objects. */
  associationLabels(from: string, to: string, call: CallOptions): Promise<Answer> {
    return this.#send('GET', `/crm/v4/associations/${from}/${to}/labels`, undefined, call);
  }

  list({ id, name, objectTypeId }: ListName, call: CallOptions): Promise<Answer> {
    const path = id ?? `object-type-id/${objectTypeId}/name/${encodeURIComponent(name ?? '')}`;
    return this.#send('GET', `/crm/v3/lists/${path}`, undefined, call);
  }

  /** HubSpot ignores records that are in the list already, or are not in it. */
  changeList(
    listId: string,
    change: 'add' | 'remove',
    recordIds: string[],
    call: CallOptions,
  ): Promise<Answer> {
    return this.#send('PUT', `/crm/v3/lists/${listId}/memberships/${change}`, recordIds, call);
  }

  /** The lists that records are in. */
  memberships(objectTypeId: string, recordIds: string[], call: CallOptions): Promise<Answer> {
    const inputs = recordIds.map((recordId) => ({ objectTypeId, recordId }));
    return this.#send('POST', '/crm/v3/lists/records/memberships/batch/read', { inputs }, call);
  }

  firstRecord(type: string, call: CallOptions): Promise<Answer> {
    return this.#send('GET', `/crm/v3/objects/${type}?limit=1`, undefined, call);
  }

  property(type: string, name: string, call: CallOptions): Promise<Answer> {
    return this.#send('GET', `/crm/v3/properties/${type}/${name}`, undefined, call);
  }

  /** A vendor's text, without our token and short enough for the ledger. */
  quote(text: unknown): string {
    return quote(text, this.#secrets);
  }

  async #send(method: string, path: string, body: object | undefined, call: CallOptions): Promise<Answer> {
    // The SDK can neither time out nor cancel: past the deadline its request is left to end by itself.
    const exchange = async (): Promise<Answer> => {
      const response = await this.#sdk.apiRequest(body ? { method, path, body } : { method, path });
      return heeded(this.#gate, this.#classify(response.status, response.headers, await response.text()));
    };
    return throughGate<Answer>(
      this.#gate,
      call,
      () => withDeadline(call, exchange).catch(classifyNetworkError),
      ({ kind }) => kind === 'ok',
    );
  }

  #classify(status: number, headers: { get(name: string): string | null }, text: string): Answer {
    const body = parseObject(text);
    if (status === 204) return { kind: 'ok', body: {} };
    if (status >= 200 && status < 300) {
      return body
        ? { kind: 'ok', body }
        : { kind: 'lost', reason: `HubSpot answered ${status} without JSON` };
    }
    const said = this.quote(body?.message ?? '');
    const reason = `HubSpot answered ${status}${said ? `: ${said}` : ''}`;
    // 423: the record is locked. 477: the account is being moved; Retry-After may then be up to 24 hours.
    if (status === 429 || status === 423 || status === 477) {
      return { kind: 'throttled', retryAfterMs: retryAfter(headers, body), reason };
    }
    if (status === 401) return { kind: 'unavailable', code: 'unauthorized', reason };
    if (status === 403) {
      return {
        kind: 'unavailable',
        code: 'forbidden',
        reason: `${reason} (is a scope of the private app missing?)`,
      };
    }
    if (status >= 400 && status < 500 && status !== 408) {
      const code = typeof body?.category === 'string' ? this.quote(body.category) : `HTTP_${status}`;
      return { kind: 'refused', status, code, reason, body: body ?? {} };
    }
    return { kind: 'lost', reason };
  }
}

/** What a failed call means for an item that was to be written. */
export function outcomeOf(failure: Failure): Outcome {
  if (failure.kind === 'refused') {
    return { kind: 'rejected', code: failure.code, reason: failure.reason, permanent: isPermanent(failure) };
  }
  return failure.kind === 'lost' ? { kind: 'ambiguous', reason: failure.reason } : failure;
}

/**
 * A conflict may be another writer at the same moment, which is worth another attempt. One that names an existing
 * record is not: the value belongs to that record, now and later.
 */
export function isPermanent({ code, reason }: { code: string; reason: string }): boolean {
  return code !== 'CONFLICT' || /already exists/i.test(reason);
}

/** There is no such object or list: it is the same for every item, so that none of them is looked for. */
export function isAboutAll({ status, reason }: Refused): boolean {
  return status === 404 || /infer object type/i.test(reason);
}

/** What a failed call means for an item that was to be read. */
export function readingOf(failure: Failure): Exclude<Reading, { kind: 'found' }> {
  if (failure.kind === 'lost') return { kind: 'failed', reason: failure.reason };
  const forbidden = failure.kind === 'unavailable' && failure.code === 'forbidden';
  if (failure.kind === 'refused' || forbidden) return { kind: 'unreadable', reason: failure.reason };
  return failure;
}

/** Retry-After is optional at HubSpot; without it the 429 names the policy that was hit. */
function retryAfter(
  headers: { get(name: string): string | null },
  body: Record<string, unknown> | undefined,
) {
  const told = parseRetryAfter(headers.get('retry-after'));
  if (told !== null) return told;
  const policy = String(body?.policyName ?? '');
  if (policy.startsWith('TEN_SECONDLY')) return 10_000;
  if (policy.startsWith('SECONDLY')) return 1000;
  // The day's budget is used up until midnight in the account's own time zone, which is not told: ask again later.
  return policy.startsWith('DAILY') ? 15 * 60_000 : null;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
