import type { SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, SandboxPart, type SandboxRequest } from '../sandbox.ts';

type Values = Record<string, unknown>;

const notFound: SandboxAnswer = { status: 404, body: { ok: false, problem: { text: 'no such thing' } } };

/** What the sandbox's ERP does at each of its paths. */
export class Erp extends SandboxPart {
  readonly #keys = new Map<string, SandboxAnswer>();
  #lastId = 0;

  answer(request: SandboxRequest): SandboxAnswer {
    const [, root, kind = '', ...rest] = request.path.split('/');
    if (root !== 'api') return notFound;
    if (kind === 'me') return { status: 200, body: { name: 'readback' } };
    // A product's number may hold a slash.
    const isNote = kind === 'purchase-orders' && rest[1] === 'notes';
    const id = isNote ? rest[0] : rest.length > 0 ? rest.join('/') : undefined;
    const work = `${request.method} ${kind}${id === undefined ? '' : '/'}${isNote ? '*/notes' : ''}`;
    switch (work) {
      case 'POST purchase-orders':
        return this.#once(request, () => this.#createPurchaseOrder(request));
      case 'GET purchase-orders/':
        return enveloped(this.#one('purchase_orders', id, request));
      case 'GET purchase-orders':
        return {
          status: 200,
          body: { ok: true, data: this.#list('purchase_orders', 'external_id', request) },
        };
      case 'POST purchase-orders/*/notes':
        return this.#create('notes', { ...request.body, order: id }, request);
      case 'GET purchase-orders/*/notes':
        return { status: 200, body: this.#shown(this.records.find('notes', 'order', id), request) };
      case 'PUT products/':
        return this.#put(
          'products',
          id ?? '',
          { ...request.body, sku: id },
          request.headers['x-request-id'] ?? '',
        );
      case 'GET products/':
        return this.#one('products', id, request);
      case 'POST stock-levels/':
        return this.#putLevels(request);
      case 'GET stock-levels':
        return { status: 200, body: { levels: this.#levels(request) } };
      case 'POST orders':
        return this.#create('orders', request.body, request);
      case 'GET orders/':
        return this.#one('orders', id, request);
      case 'GET orders':
        return { status: 200, body: { orders: this.#list('orders', 'reference', request) } };
      default:
        return notFound;
    }
  }

  /** Answers a repeated `Idempotency-Key` with the first answer. */
  #once(request: SandboxRequest, work: () => SandboxAnswer): SandboxAnswer {
    const key = request.headers['idempotency-key'];
    if (key === undefined)
      return { status: 400, body: { ok: false, problem: { text: 'Idempotency-Key is missing' } } };
    const known = this.#keys.get(key);
    if (known) return known;
    const answer = work();
    this.#keys.set(key, answer);
    return answer;
  }

  /** This resource says 200 to everything; what happened stands in `ok`. */
  #createPurchaseOrder({ body }: SandboxRequest): SandboxAnswer {
    const text = JSON.stringify(body);
    const [line] = (body.lines ?? []) as { quantity?: unknown }[];
    const bad = this.faults.take('reject_item', text) ? 'the supplier is blocked' : undefined;
    const problem = bad ?? (typeof line?.quantity === 'number' ? undefined : 'quantity must be a number');
    if (problem) return { status: 200, body: { ok: false, problem: { text: problem } } };
    const supplier = { code: String((body.supplier as Values | undefined)?.code ?? '').toUpperCase() };
    const due = body.due_at === undefined ? {} : { due_at: `${String(body.due_at)}T00:00:00+00:00` };
    const { id, fields } = this.#store('purchase_orders', { ...body, supplier, ...due }, text);
    return { status: 200, body: { ok: true, data: { id: Number(id), ...fields } } };
  }

  #create(type: string, body: Values, request: SandboxRequest): SandboxAnswer {
    const text = `${JSON.stringify(body)} ${request.headers['x-request-id'] ?? ''}`;
    if (this.faults.take('reject_item', text))
      return { status: 422, body: { message: 'not allowed for you' } };
    const { id, fields } = this.#store(type, body, text);
    return { status: 201, body: { id: Number(id), ...fields } };
  }

  #put(type: string, id: string, body: Values, trace: string): SandboxAnswer {
    const text = `${JSON.stringify(body)} ${trace}`;
    if (this.faults.take('reject_item', text))
      return { status: 422, body: { message: 'not allowed for you' } };
    const { fields } = this.#store(type, body, text, id);
    return { status: 200, body: fields };
  }

  /** Results come in another order than items. */
  #putLevels({ body }: SandboxRequest): SandboxAnswer {
    const results = ((body.levels ?? []) as Values[]).map((level) => {
      const { sku, place, trace } = level;
      const id = `${sku}@${place}`;
      const text = JSON.stringify(level);
      if (this.faults.take('reject_item', text))
        return { trace, status: 'refused', problem: 'no such place' };
      this.#store('stock_levels', level, text, id);
      return { trace, status: 'ok', id };
    });
    return { status: 207, body: { results: results.reverse() } };
  }

  #levels({ query, stale }: SandboxRequest): Values[] {
    const record = this.#version('stock_levels', `${query.sku}@${query.place}`, stale);
    return record ? [{ id: record.id, ...record.fields }] : [];
  }

  /** Stores what the faults leave of it. */
  #store(
    type: string,
    body: Values,
    text: string,
    id = String(++this.#lastId),
  ): { id: string; fields: Values } {
    let fields = body;
    if (this.faults.take('alter', text)) fields = altered(body);
    else if (this.faults.take('normalise', text)) fields = normalised(body);
    if (!this.faults.take('accept_without_write', text)) this.records.put(type, id, fields);
    return { id, fields };
  }

  #version(type: string, id: string, stale: boolean): SandboxRecord | undefined {
    return stale ? this.records.before(type, id) : this.records.get(type, id);
  }

  #one(type: string, id: string | undefined, { stale }: SandboxRequest): SandboxAnswer {
    const record = this.#version(type, id ?? '', stale);
    return record ? { status: 200, body: shown(record) } : notFound;
  }

  #list(type: string, field: string, request: SandboxRequest): Values[] {
    return this.#shown(this.records.find(type, field, request.query[field]), request);
  }

  #shown(records: readonly SandboxRecord[], { stale }: SandboxRequest): Values[] {
    return records.flatMap(({ type, id }) => {
      const record = this.#version(type, id, stale);
      return record ? [shown(record)] : [];
    });
  }
}

function shown({ id, fields }: SandboxRecord): Values {
  return { id: /^\d+$/.test(id) ? Number(id) : id, ...fields };
}

function enveloped(answer: SandboxAnswer): SandboxAnswer {
  return answer.status === 200 ? { status: 200, body: { ok: true, data: answer.body } } : answer;
}

/** Another value in every field that is no identifier. */
function altered(body: Values): Values {
  return mapTexts(body, (name, value) => {
    if (typeof value === 'number') return value + 1;
    return /^(text|note|title)$/.test(name) ? `${value} (altered)` : value;
  });
}

/** The same values in another form. */
function normalised(body: Values): Values {
  return mapTexts(body, (name, value) => {
    if (typeof value === 'number') return value.toFixed(2);
    return /^(text|note|title)$/.test(name) ? ` ${value}\r\n` : value;
  });
}

function mapTexts(value: Values, change: (name: string, value: unknown) => unknown): Values {
  const entries = Object.entries(value).map(([name, one]) => {
    if (typeof one !== 'object' || one === null) return [name, change(name, one)];
    return [
      name,
      Array.isArray(one)
        ? one.map((item) => mapTexts(item as Values, change))
        : mapTexts(one as Values, change),
    ];
  });
  return Object.fromEntries(entries);
}
