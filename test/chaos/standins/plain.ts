import { findEntities, findMark, findReference, type Mark } from './mark.ts';
import {
  type Call,
  otherCall,
  type Protocol,
  page,
  parseObject,
  type Reply,
  type Request,
} from './protocol.ts';
import { Records } from './records.ts';

interface Order {
  id: string;
  reference: string;
  note: string;
}

/** An order API that knows neither keys nor uniqueness: what is posted twice is there twice. */
export function plainProtocol(): Protocol {
  const orders = new Records<Order>();
  const byReference = new Map<string, string[]>();
  let created = 0;

  function create({ text }: Request): Call {
    const { reference = '', note = '' } = parseObject(text) as { reference?: string; note?: string };
    const mark = findMark(`${note} ${reference}`);
    const write = { mark, key: null, refers: findReference(note) };
    const run: Call['run'] = (how) => {
      const refusal = how.refusal(write);
      if (refusal) return plainSays[refusal] as Reply;
      const id = `o-${++created}`;
      const order = { id, reference, note: how.tidy ? note.trim() : note };
      how.put(write, () => {
        orders.put(id, order);
        const same = byReference.get(reference);
        if (same) same.push(id);
        else byReference.set(reference, [id]);
        return id;
      });
      return { status: 201, body: { id } };
    };
    return { kind: 'write', entities: entitiesOf(mark, text), writes: [write], run };
  }

  function show(id: string): Call {
    const held = orders.get(id);
    return {
      kind: 'read',
      entities: findEntities(held?.reference ?? ''),
      writes: [],
      run: ({ staleMs }) => {
        const order = orders.get(id, staleMs);
        return order ? { status: 200, body: order } : { status: 404, body: { error: 'no such order' } };
      },
    };
  }

  function find(reference: string): Call {
    return {
      kind: 'read',
      entities: findEntities(reference),
      writes: [],
      run: ({ staleMs }) => {
        const found = (byReference.get(reference) ?? []).flatMap((id) => orders.get(id, staleMs) ?? []);
        return { status: 200, body: { orders: found } };
      },
    };
  }

  return {
    understand(request) {
      const { method, path, query } = request;
      if (method === 'POST' && path === '/orders') return create(request);
      if (method === 'GET' && path === '/orders') return find(query.get('reference') ?? '');
      const [, id] = /^\/orders\/([^/]+)$/.exec(path) ?? [];
      if (method === 'GET' && id) return show(id);
      return otherCall({ status: 404, body: { error: 'no such path' } });
    },
    says: plainSays,
    refuses: ['bad', 'conflict', 'gone_404', 'gone_410'],
    records: () => orders.list(),
  };
}

const plainSays: Protocol['says'] = {
  accepted: { status: 202, body: {} },
  bad: { status: 400, body: { error: 'invalid_order', message: 'note is not acceptable' } },
  broken: { status: 500, body: { error: 'internal' } },
  conflict: { status: 409, body: { error: 'conflict', message: 'the order book is locked' } },
  error_body: { status: 200, body: { error: 'internal' } },
  gone_404: { status: 404, body: { error: 'not_found' } },
  gone_410: { status: 410, body: { error: 'gone' } },
  throttled: { status: 429, body: { error: 'too_many_requests' } },
  timeout: page(504, '504 Gateway Time-out'),
  too_large: page(413, '413 Request Entity Too Large'),
  unauthorized: { status: 401, body: { error: 'unauthorized' } },
  unavailable: { status: 503, body: { error: 'unavailable' } },
};

function entitiesOf(mark: Mark | undefined, text: string): string[] {
  return mark ? [mark.entity] : findEntities(text);
}
