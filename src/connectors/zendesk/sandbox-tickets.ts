import { type SandboxAnswer, SandboxPart, type SandboxRequest } from '../sandbox.ts';
import { refusal, type Sent, stored, taken } from './sandbox-forms.ts';

interface Audit {
  id: number;
  ticket_id: number;
  metadata: { system: Record<string, unknown>; custom: unknown };
  events: Record<string, unknown>[];
}

/** How long an `Idempotency-Key` is remembered. */
const cacheMs = 2 * 60 * 60 * 1000;

/** What the sandbox does with tickets: the state behind the HTTP paths. */
export class Helpdesk extends SandboxPart {
  readonly #audits = new Map<string, Audit[]>();
  readonly #users = new Map<string, { id: number; email: string; name: string }>();
  readonly #cache = new Map<string, { body: string; answer: SandboxAnswer; until: number }>();
  /** What a job has refused is refused once more when it comes alone. */
  readonly #refused = new Set<string>();
  #lastId = 0;

  create(request: SandboxRequest): SandboxAnswer {
    const key = request.headers['idempotency-key'];
    const body = JSON.stringify(request.body);
    const cached = key ? this.#cache.get(key) : undefined;
    if (cached && cached.until > Date.now()) {
      if (cached.body !== body) {
        const description = 'Request parameters do not match the ones of the first request with this key';
        return { status: 400, body: { error: 'IdempotentRequestError', description } };
      }
      return { ...cached.answer, headers: { 'x-idempotency-lookup': 'hit' } };
    }
    const answer = this.#create((request.body.ticket ?? {}) as Sent);
    if (!key) return answer;
    if (answer.status === 201) this.#cache.set(key, { body, answer, until: Date.now() + cacheMs });
    return { ...answer, headers: { 'x-idempotency-lookup': 'miss' } };
  }

  #create(sent: Sent): SandboxAnswer {
    const refused = refusal(sent, true) ?? this.#rejected(sent);
    if (refused) return refused;
    const ticketId = String(++this.#lastId);
    const now = new Date().toISOString();
    const requester = this.#user(sent.requester);
    const ticket = {
      ...stored({}, taken(this.faults, sent)),
      status: sent.status ?? (sent.assignee_id ? 'open' : 'new'),
      requester_id: requester?.id ?? 1,
      created_at: now,
      updated_at: now,
    };
    if (this.faults.take('accept_without_write', JSON.stringify(sent)))
      return this.#shown(201, ticketId, ticket);
    this.records.put('tickets', ticketId, ticket);
    const audit = this.#audit(ticketId, sent, 'Create');
    return this.#shown(201, ticketId, ticket, audit);
  }

  update(ticketId: string, request: SandboxRequest, inJob = false): SandboxAnswer {
    const sent = (request.body.ticket ?? {}) as Sent;
    const record = this.records.get('tickets', ticketId);
    if (!record) return notFound;
    if (record.fields.group_id === otherGroup) return forbidden;
    const refused = refusal(sent, false) ?? this.#rejected(sent, inJob);
    if (refused) return refused;
    if (sent.safe_update && sent.updated_stamp !== record.fields.updated_at) {
      return {
        status: 409,
        body: { error: 'UpdateConflict', description: 'Safe Update prevented the update' },
      };
    }
    if (this.faults.take('accept_without_write', JSON.stringify(sent))) {
      return this.#shown(200, ticketId, record.fields);
    }
    const change = stored(record.fields, taken(this.faults, sent));
    const put = this.records.put('tickets', ticketId, { ...change, updated_at: new Date().toISOString() });
    return this.#shown(200, ticketId, put.fields, this.#audit(ticketId, sent, 'Change'));
  }

  /** What a job says of each change; refusals bear their position. */
  updateMany(request: SandboxRequest): unknown[] {
    const sent = (request.body.tickets ?? []) as (Sent & { id: number })[];
    return sent.map(({ id, ...ticket }, position) => {
      const { status, body } = this.update(String(id), { ...request, body: { ticket } }, true);
      if (status === 200) return { id, action: 'update', status: 'Updated', success: true };
      const { error } = body as { error: string };
      return { id: position, action: 'update', status: 'Failed', success: false, error };
    });
  }

  show(ticketId: string, stale: boolean): SandboxAnswer {
    const fields = this.#fields(ticketId, stale);
    return fields ? this.#shown(200, ticketId, fields) : notFound;
  }

  /** Ids that do not exist are left out of the answer. */
  showMany(ids: string[], stale: boolean): SandboxAnswer {
    const tickets = ids.slice(0, 100).flatMap((ticketId) => {
      const fields = this.#fields(ticketId, stale);
      return fields ? [{ id: Number(ticketId), ...fields }] : [];
    });
    return { status: 200, body: { tickets, users: [...this.#users.values()], count: tickets.length } };
  }

  byExternalId(externalId: string, stale: boolean): SandboxAnswer {
    return this.showMany(
      this.records.find('tickets', 'external_id', externalId).map((record) => record.id),
      stale,
    );
  }

  audits(ticketId: string, page: number, stale: boolean): SandboxAnswer {
    const all = this.#audits.get(ticketId);
    if (!all) return notFound;
    const shown = stale ? all.slice(0, -1) : all;
    const audits = shown.slice((page - 1) * 100, page * 100);
    return { status: 200, body: { audits, count: shown.length, next_page: null, previous_page: null } };
  }

  #fields(ticketId: string, stale: boolean): Record<string, unknown> | undefined {
    return (stale ? this.records.before('tickets', ticketId) : this.records.get('tickets', ticketId))?.fields;
  }

  #rejected(sent: Sent, inJob = false): SandboxAnswer | undefined {
    const text = JSON.stringify(sent);
    const isTaken = this.faults.take('reject_item', text) !== undefined;
    if (isTaken && inJob) this.#refused.add(text);
    else if (!isTaken && !this.#refused.delete(text)) return undefined;
    const details = { base: [{ description: 'Assignee: is not a member of the group' }] };
    return {
      status: 422,
      body: { error: 'RecordInvalid', description: 'Record validation errors', details },
    };
  }

  #user(requester: Sent['requester']) {
    if (!requester?.email) return undefined;
    const email = requester.email.toLowerCase();
    const user = this.#users.get(email) ?? {
      id: 1000 + this.#users.size,
      email,
      name: requester.name ?? email,
    };
    this.#users.set(email, user);
    return user;
  }

  #audit(ticketId: string, sent: Sent, type: string): Audit {
    const { comment, metadata, ...changes } = sent;
    const audits = this.#audits.get(ticketId) ?? [];
    this.#audits.set(ticketId, audits);
    const events: Record<string, unknown>[] = Object.entries(changes).map(([field_name, value]) => {
      return { type, field_name, value };
    });
    if (comment) events.push({ type: 'Comment', body: comment.body, public: comment.public ?? true });
    const audit = {
      id: Number(ticketId) * 1_000_000 + audits.length,
      ticket_id: Number(ticketId),
      metadata: { system: {}, custom: metadata ?? {} },
      events,
    };
    audits.push(audit);
    return audit;
  }

  #shown(status: number, ticketId: string, fields: Record<string, unknown>, audit?: Audit): SandboxAnswer {
    return { status, body: { ticket: { id: Number(ticketId), ...fields }, ...(audit ? { audit } : {}) } };
  }
}

/** Tickets of this group are not for the sandbox's agent to change. */
const otherGroup = 403;
const forbidden: SandboxAnswer = {
  status: 403,
  body: { error: { title: 'Forbidden', message: 'You do not have access to this page.' } },
};
const notFound: SandboxAnswer = { status: 404, body: { error: 'RecordNotFound', description: 'Not found' } };
