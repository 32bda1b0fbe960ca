import { createHash } from 'node:crypto';
import { findEntities, findMark, findReference } from './mark.ts';
import {
  type Call,
  type How,
  otherCall,
  type Protocol,
  page,
  parseObject,
  type Reply,
  type Request,
  type Write,
} from './protocol.ts';
import { Records } from './records.ts';

interface Ticket extends Record<string, unknown> {
  id: number;
  external_id: string | null;
  subject: string;
  description: string;
  requester_id: number;
}

interface Replay {
  digest: string;
  reply: Reply;
}

/** A ticket desk that speaks Zendesk's ticketing API. */
export function keyedProtocol(): Protocol {
  const tickets = new Records<Ticket>();
  /** `external_id` is not unique here. */
  const byExternalId = new Map<string, string[]>();
  const replays = new Map<string, Replay>();
  const users = new Map<number, { id: number; email: string; name: string; role: string }>();
  const userIds = new Map<string, number>();
  /** By ticket, newest last: the updates as Zendesk audits them. */
  const audits = new Map<string, object[]>();
  let lastId = 0;

  function create(request: Request): Call {
    const { ticket } = parseObject(request.text) as { ticket?: Record<string, unknown> };
    if (!ticket) return otherCall(malformed);
    const key = String(request.headers['idempotency-key'] ?? '');
    const mark = findMark(request.text);
    const write: Write = { mark, key: key === '' ? null : key, refers: findReference(request.text) };
    const run = (how: How): Reply => {
      const digest = createHash('sha1').update(request.text).digest('base64');
      const known = how.keys === 'honoured' ? replays.get(key) : undefined;
      if (known) return known.digest === digest ? replay(known) : anotherBody;
      const refusal = how.refusal(write);
      if (refusal) return zendeskSays[refusal] as Reply;
      const made = ticketOf(ticket, how.tidy);
      const reply = { status: 201, body: { ticket: made, audit: { id: made.id + 1, ticket_id: made.id } } };
      if (key !== '' && how.keys !== 'ignored') replays.set(key, { digest, reply });
      how.put(write, () => store(made));
      return key === '' ? reply : { ...reply, headers: { 'x-idempotency-lookup': 'miss' } };
    };
    return { kind: 'write', entities: mark ? [mark.entity] : [], writes: [write], run };
  }

  function ticketOf(asked: Record<string, unknown>, tidy: boolean): Ticket {
    const { comment, requester, tags, ...rest } = asked as {
      comment?: { body?: string };
      requester?: { email?: string; name?: string };
      tags?: string[];
    } & Record<string, unknown>;
    lastId += 2;
    const at = new Date().toISOString().replace(/\.\d+/, '');
    const subject = String(rest.subject ?? '');
    const description = String(comment?.body ?? '');
    return {
      ...rest,
      id: lastId,
      url: `https://acme.zendesk.com/api/v2/tickets/${lastId}.json`,
      external_id: rest.external_id === undefined ? null : String(rest.external_id),
      subject: tidy ? subject.trim() : subject,
      raw_subject: tidy ? subject.trim() : subject,
      description: tidy ? description.replace(/\r?\n/g, '\r\n').trim() : description,
      status: rest.status ?? 'open',
      priority: rest.priority ?? null,
      tags: (tags ?? []).map((tag) => (tidy ? tag.toLowerCase() : tag)),
      requester_id: requesterId(requester),
      created_at: at,
      updated_at: at,
    };
  }

  function requesterId(requester: { email?: string; name?: string } | undefined): number {
    const email = (requester?.email ?? agent.email).toLowerCase();
    const id = userIds.get(email) ?? 1000 + users.size;
    userIds.set(email, id);
    if (!users.has(id)) users.set(id, { id, email, name: requester?.name ?? email, role: 'end-user' });
    return id;
  }

  function store(ticket: Ticket): string {
    const id = String(ticket.id);
    tickets.put(id, ticket);
    if (ticket.external_id !== null) {
      const same = byExternalId.get(ticket.external_id);
      if (same) same.push(id);
      else byExternalId.set(ticket.external_id, [id]);
    }
    return id;
  }

  /** An update is what takes a ticket back: no other is sent here. */
  function update(id: string, { text }: Request): Call {
    const { ticket = {} } = parseObject(text) as { ticket?: Record<string, unknown> };
    const { comment, metadata, ...change } = ticket as {
      comment?: { body?: string };
      metadata?: { readback_key?: string };
    } & Record<string, unknown>;
    const mark = findMark(tickets.get(id)?.subject ?? '');
    const write: Write = { mark, key: metadata?.readback_key ?? null, undoes: true };
    const run = (how: How): Reply => {
      const refusal = how.refusal(write);
      const held = tickets.get(id);
      if (refusal || !held) return zendeskSays[refusal ?? 'gone_404'] as Reply;
      how.put(write, () => {
        tickets.put(id, { ...held, ...change });
        const events = comment?.body === undefined ? [] : [{ type: 'Comment', body: comment.body }];
        audits.set(id, [...(audits.get(id) ?? []), { metadata: { custom: metadata ?? {} }, events }]);
        return id;
      });
      return { status: 200, body: { ticket: { ...held, ...change } } };
    };
    return { kind: 'write', entities: mark ? [mark.entity] : [], writes: [write], run };
  }

  function audited(id: string): Call {
    const run = (): Reply => {
      const all = audits.get(id) ?? [];
      return { status: 200, body: { audits: all, count: all.length } };
    };
    return { kind: 'read', entities: findEntities(tickets.get(id)?.subject ?? ''), writes: [], run };
  }

  function list(ids: string[]): Call {
    const entities = ids.flatMap((id) => findEntities(tickets.get(id)?.subject ?? ''));
    const run = ({ staleMs }: How): Reply => {
      const found = ids.flatMap((id) => tickets.get(id, staleMs) ?? []);
      const asked = new Set(found.map((ticket) => ticket.requester_id));
      const body = { tickets: found, users: [...asked].flatMap((id) => users.get(id) ?? []) };
      return { status: 200, body: { ...body, count: found.length, next_page: null, previous_page: null } };
    };
    return { kind: 'read', entities: [...new Set(entities)], writes: [], run };
  }

  return {
    understand(request) {
      const { method, query } = request;
      const path = request.path.replace(/\.json$/, '');
      if (request.headers.authorization === undefined) return otherCall(zendeskSays.unauthorized as Reply);
      if (method === 'GET' && path === '/api/v2/users/me')
        return otherCall({ status: 200, body: { user: agent } });
      if (method === 'POST' && path === '/api/v2/tickets') return create(request);
      if (method === 'GET' && path === '/api/v2/tickets/show_many')
        return list((query.get('ids') ?? '').split(',').slice(0, 100));
      if (method === 'GET' && path === '/api/v2/tickets')
        return list(byExternalId.get(query.get('external_id') ?? '') ?? []);
      const [, audit] = /^\/api\/v2\/tickets\/(\d+)\/audits$/.exec(path) ?? [];
      if (method === 'GET' && audit) return audited(audit);
      const [, id] = /^\/api\/v2\/tickets\/(\d+)$/.exec(path) ?? [];
      if (method === 'PUT' && id) return update(id, request);
      if (method === 'GET' && id)
        return tickets.get(id) ? showing(id) : otherCall(zendeskSays.gone_404 as Reply);
      return otherCall(zendeskSays.gone_404 as Reply);
    },
    says: zendeskSays,
    refuses: ['bad', 'conflict', 'gone_404'],
    records: () => tickets.list(),
  };

  function showing(id: string): Call {
    const call = list([id]);
    return {
      ...call,
      run: ({ staleMs }) => {
        const ticket = tickets.get(id, staleMs);
        return ticket ? { status: 200, body: { ticket } } : (zendeskSays.gone_404 as Reply);
      },
    };
  }
}

const agent = { id: 1, email: 'agent@acme.example', name: 'Agent', role: 'admin', active: true };

function replay({ reply }: Replay): Reply {
  return { ...reply, headers: { 'x-idempotency-lookup': 'hit' } };
}

const malformed: Reply = {
  status: 400,
  body: { error: 'TicketMissing', description: 'The parameter ticket is missing' },
};
const anotherBody: Reply = {
  status: 400,
  body: {
    error: 'IdempotentRequestError',
    description: 'Request parameters do not match those of the first request with this idempotency key',
  },
};

const zendeskSays: Protocol['says'] = {
  accepted: { status: 202, body: {} },
  bad: {
    status: 422,
    body: {
      error: 'RecordInvalid',
      description: 'Record validation errors',
      details: { base: [{ description: 'Subject: is not acceptable', error: 'InvalidValue' }] },
    },
  },
  broken: { status: 500, body: { error: 'InternalServerError', description: 'Something went wrong' } },
  conflict: { status: 409, body: { error: 'DatabaseConflict', description: 'Database collision' } },
  error_body: { status: 200, body: { error: 'InternalServerError', description: 'Something went wrong' } },
  gone_404: { status: 404, body: { error: 'RecordNotFound', description: 'Not found' } },
  throttled: {
    status: 429,
    body: 'Number of allowed API requests per minute exceeded',
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
  },
  timeout: page(504, '504 Gateway Time-out'),
  too_large: page(413, '413 Request Entity Too Large'),
  unauthorized: { status: 401, body: { error: "Couldn't authenticate you" } },
  unavailable: { status: 503, body: { error: 'ServiceUnavailable', description: 'Try again later' } },
};
