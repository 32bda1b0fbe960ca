import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import { type Answer, asked, type Problem, type Refusal, type Refused, Rest } from '../rest.ts';
import type { Settings } from './schema.ts';

export interface Contact extends Record<string, unknown> {
  id: string;
  custom_attributes?: Record<string, unknown>;
}
export interface Tag {
  id: string;
  name?: string;
}
export interface Note {
  id: string | number;
  body?: string;
}
export interface Attribute {
  name: string;
  data_type?: string;
  custom?: boolean;
  archived?: boolean;
}
type Listed<Item> = { ok: true; list: Item[]; pages: number } | Refused;

const hosts = {
  us: 'https://api.intercom.io',
  eu: 'https://api.eu.intercom.io',
  au: 'https://api.au.intercom.io',
};

/** Without it every workspace answers in a version of its own. */
const version = { 'intercom-version': '2.14' };

/** Intercom's REST API: the only place that knows its addresses, limits and ways of saying no. */
export class Intercom {
  readonly #rest: Rest;

  constructor(settings: Settings, gate: Gate) {
    const token = settings.access_token.reveal();
    this.#rest = new Rest({
      vendor: 'Intercom',
      base: settings.base_url ?? hosts[settings.region],
      authorization: `Bearer ${token}`,
      secrets: [token],
      gate,
      problemOf,
    });
  }

  me(call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('GET', '/me', call);
  }

  contact(id: string, call: CallOptions): Promise<{ ok: true; contact: Contact } | Refused> {
    return this.#contact('GET', `/contacts/${encodeURIComponent(id)}`, call);
  }

  /** At most one, because an external id is unique; of people with the role user. */
  async contactsByExternalId(externalId: string, call: CallOptions): Promise<Listed<Contact>> {
    const path = `/contacts/find_by_external_id/${encodeURIComponent(externalId)}`;
    const answer = await this.#contact('GET', path, call);
    if (answer.ok) return { ok: true, list: [answer.contact], pages: 1 };
    return answer.gone ? { ok: true, list: [], pages: 0 } : answer;
  }

  /** By a search, whose index follows after a while that Intercom does not state. Emails are not unique. */
  contactsByEmail(email: string, call: CallOptions): Promise<Listed<Contact>> {
    const query = { field: 'email', operator: '=', value: email };
    return this.#list('POST', '/contacts/search', isContact, call, { query, pagination: { per_page: 5 } });
  }

  createContact(contact: object, call: CallOptions): Promise<{ ok: true; contact: Contact } | Refused> {
    return this.#contact('POST', '/contacts', call, { role: 'user', ...contact });
  }

  updateContact(
    id: string,
    contact: object,
    call: CallOptions,
  ): Promise<{ ok: true; contact: Contact } | Refused> {
    return this.#contact('PUT', `/contacts/${encodeURIComponent(id)}`, call, contact);
  }

  async attributes(call: CallOptions): Promise<Listed<Attribute>> {
    return this.#list('GET', '/data_attributes?model=contact', isAttribute, call);
  }

  /** The tag of this name, made when there is none; names are the same in capitals and small letters. */
  async tagNamed(name: string, call: CallOptions): Promise<{ ok: true; tag: Tag } | Refused> {
    const answer = await this.#ask('POST', '/tags', call, { name });
    if (!answer.ok) return answer;
    return isTag(answer.body)
      ? { ok: true, tag: answer.body }
      : this.#rest.unreadable('an answer without a tag');
  }

  tagsOf(contactId: string, call: CallOptions): Promise<Listed<Tag>> {
    return this.#list('GET', `/contacts/${encodeURIComponent(contactId)}/tags`, isTag, call);
  }

  tag(contactId: string, tagId: string, call: CallOptions): Promise<Answer | Refused> {
    return this.#ask('POST', `/contacts/${encodeURIComponent(contactId)}/tags`, call, { id: tagId });
  }

  untag(contactId: string, tagId: string, call: CallOptions): Promise<Answer | Refused> {
    const path = `/contacts/${encodeURIComponent(contactId)}/tags/${encodeURIComponent(tagId)}`;
    return this.#ask('DELETE', path, call);
  }

  /** One page of 50. */
  notes(contactId: string, page: number, call: CallOptions): Promise<Listed<Note>> {
    const path = `/contacts/${encodeURIComponent(contactId)}/notes?page=${page}&per_page=50`;
    return this.#list('GET', path, isNote, call);
  }

  async addNote(contactId: string, body: string, call: CallOptions): Promise<Answer | Refused> {
    const answer = await this.#ask('POST', `/contacts/${encodeURIComponent(contactId)}/notes`, call, {
      body,
    });
    return answer.ok && !isNote(answer.body) ? this.#rest.unreadable('an answer without a note') : answer;
  }

  #ask(method: string, path: string, call: CallOptions, body?: unknown): Promise<Answer | Refused> {
    return asked(() => this.#rest.ask(method, path, call, body, version));
  }

  async #contact(
    method: string,
    path: string,
    call: CallOptions,
    body?: object,
  ): Promise<{ ok: true; contact: Contact } | Refused> {
    const answer = await this.#ask(method, path, call, body);
    if (!answer.ok) return answer;
    return isContact(answer.body)
      ? { ok: true, contact: answer.body }
      : this.#rest.unreadable('an answer without a contact');
  }

  async #list<Item>(
    method: string,
    path: string,
    isItem: (value: unknown) => value is Item,
    call: CallOptions,
    body?: object,
  ): Promise<Listed<Item>> {
    const answer = await this.#ask(method, path, call, body);
    if (!answer.ok) return answer;
    const { data, pages } = answer.body as { data?: unknown; pages?: { total_pages?: number } | null };
    if (!Array.isArray(data) || !data.every(isItem)) return this.#rest.unreadable('an answer without a list');
    return { ok: true, list: data, pages: pages?.total_pages ?? 1 };
  }
}

/** How Intercom says no: a list of errors, each with a code. */
function problemOf({ status, headers, json, quote }: Refusal): Problem {
  const errors = Array.isArray(json?.errors) ? (json.errors as { code?: string; message?: string }[]) : [];
  // 410 is what a contact answers that was merged into another.
  const code = status === 410 ? 'merged' : (errors[0]?.code ?? `http_${status}`);
  const reason = quote(`${status} ${errors.map((one) => one.message ?? one.code).join('; ')}`);
  if (status === 429) return { kind: 'throttled', retryAfterMs: pauseOf(headers), reason };
  if (status === 401 || status === 403) return { kind: 'unavailable', code, reason };
  if (status === 408 || status >= 500) return { kind: 'ambiguous', reason };
  // 423: locked by another update.
  return { kind: 'rejected', code, reason, permanent: status !== 423 };
}

/** `X-RateLimit-Reset` is in seconds since 1970; the window is 10 seconds long. */
function pauseOf(headers: Headers): number | null {
  const told = parseRetryAfter(headers.get('retry-after'));
  const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN);
  if (told !== null || Number.isNaN(reset)) return told;
  return Math.max(1_000, reset * 1000 - Date.now());
}

function isContact(value: unknown): value is Contact {
  return typeof (value as Partial<Contact> | null)?.id === 'string';
}

function isTag(value: unknown): value is Tag {
  return typeof (value as Partial<Tag> | null)?.id === 'string';
}

function isNote(value: unknown): value is Note {
  return ['string', 'number'].includes(typeof (value as Partial<Note> | null)?.id);
}

function isAttribute(value: unknown): value is Attribute {
  return typeof (value as Partial<Attribute> | null)?.name === 'string';
}
