import { type SandboxAnswer, SandboxPart, type SandboxRequest } from '../sandbox.ts';
import { splitTags } from './normal.ts';
import { folded, type ProfileType } from './profiles.ts';

/** A user or an organisation as a client sends it. */
interface Sent extends Record<string, unknown> {
  external_id?: string;
  email?: string;
  name?: string;
  tags?: string[];
}

const maxBatch = 100;

/** What the sandbox does with users and organisations, one by one or many at once. */
export class Profiles extends SandboxPart {
  /** Ids by type, field and folded value. */
  readonly #ids = new Map<string, string>();
  /** Those that were refused once are refused whenever they come. */
  readonly #refused = new Set<string>();
  #lastId = 9_000;

  createOrUpdate(type: ProfileType, request: SandboxRequest): SandboxAnswer {
    const done = this.#put(type, (request.body[type] ?? {}) as Sent);
    if ('complaint' in done) {
      const details = { base: [{ description: done.complaint }] };
      const description = 'Record validation errors';
      return { status: 422, body: { error: 'RecordInvalid', description, details } };
    }
    return { status: done.created ? 201 : 200, body: { [type]: done.profile } };
  }

  /** An account of which Zendesk has not enabled imports says 403; so does this one when an item's name says so. */
  createOrUpdateMany(request: SandboxRequest): unknown[] | SandboxAnswer {
    const users = (request.body.users ?? []) as Sent[];
    if (users.length > maxBatch) return { status: 400, body: { error: 'TooManyValues' } };
    if (users.some(({ name }) => name?.includes('imports not enabled')))
      return {
        status: 403,
        body: { error: { title: 'Forbidden', message: 'Data imports are not enabled' } },
      };
    return users.map((sent, position) => {
      const done = this.#put('user', sent);
      if ('complaint' in done)
        return { id: position, error: 'UserUpdateError', details: done.complaint, status: 'Failed' };
      const { id, email, external_id } = done.profile;
      return { id, status: done.created ? 'Created' : 'Updated', ...(email ? { email } : { external_id }) };
    });
  }

  showMany(type: ProfileType, { query, stale }: SandboxRequest): SandboxAnswer {
    const ids =
      query.ids?.split(',') ??
      (query.external_ids ?? '').split(',').map((value) => this.#ids.get(nameOf(type, 'external_id', value)));
    return this.#list(type, ids, stale);
  }

  /** Of the search syntax only `email:"…"`. */
  search({ query, stale }: SandboxRequest): SandboxAnswer {
    const email = /^email:"(.*)"$/.exec(query.query ?? '')?.[1] ?? '';
    return this.#list('user', [this.#ids.get(nameOf('user', 'email', email))], stale);
  }

  #list(type: ProfileType, ids: (string | undefined)[], stale: boolean): SandboxAnswer {
    const list = `${type}s`;
    const profiles = ids.slice(0, maxBatch).flatMap((id = '') => {
      const record = stale ? this.records.before(list, id) : this.records.get(list, id);
      return record ? [{ id: Number(id), ...record.fields }] : [];
    });
    return { status: 200, body: { [list]: profiles, count: profiles.length } };
  }

  #put(type: ProfileType, sent: Sent) {
    const identity = folded(sent.external_id || sent.email);
    const text = JSON.stringify(sent);
    if (this.faults.take('reject_item', text)) this.#refused.add(identity);
    const known =
      this.#ids.get(nameOf(type, 'external_id', sent.external_id)) ??
      this.#ids.get(nameOf(type, 'email', sent.email));
    const complaint = this.#refused.has(identity) ? 'Name: is not allowed' : complaintOf(sent, known);
    if (complaint !== undefined) return { complaint };
    const id = known ?? String(++this.#lastId);
    const old = known ? this.records.get(`${type}s`, known)?.fields : {};
    const fields = { ...old, ...this.#taken(type, sent, text, old) };
    if (!this.faults.take('accept_without_write', text)) {
      this.records.put(`${type}s`, id, fields);
      for (const field of ['external_id', 'email'] as const)
        if (sent[field]) this.#ids.set(nameOf(type, field, sent[field]), id);
    }
    const profile: Sent & { id: number } = { id: Number(id), ...fields };
    return { created: known === undefined, profile };
  }

  /** Emails in lower case, tags as tags, custom fields merged; changed as the `alter` and `normalise` faults want. */
  #taken(type: ProfileType, sent: Sent, text: string, old: Sent = {}): Sent {
    const { skip_verify_email: _, ...taken } = sent;
    const custom = `${type}_fields`;
    if (taken[custom]) taken[custom] = { ...(old[custom] as object), ...(taken[custom] as object) };
    if (taken.email) taken.email = taken.email.trim().toLowerCase();
    if (taken.tags) taken.tags = splitTags(taken.tags.join(','));
    if (this.faults.take('alter', text)) return { ...taken, name: `${taken.name} (altered)` };
    if (this.faults.take('normalise', text))
      return {
        ...taken,
        ...(taken.name && { name: taken.name.trim() }),
        tags: taken.tags?.toReversed() ?? [],
      };
    return taken;
  }
}

function nameOf(type: ProfileType, field: string, value: unknown): string {
  return `${type}/${field}/${folded(value) || '-'}`;
}

function complaintOf({ email, name }: Sent, known: string | undefined): string | undefined {
  if (!known && !name?.trim()) return 'Name: is too short (minimum is 1 character)';
  if (email !== undefined && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email.trim()))
    return `Email: ${email} is not properly formatted`;
  return undefined;
}
