import type { SandboxRecord } from '../connector.ts';
import type { Records } from '../records.ts';
import type { Faults, SandboxAnswer, SandboxRequest } from '../sandbox.ts';
import {
  altered,
  type Property,
  reformatted,
  requiredProperties,
  seedProperties,
  storedValue,
} from './sandbox-properties.ts';

interface Input {
  id?: unknown;
  idProperty?: string;
  properties?: Record<string, unknown>;
  objectWriteTraceId?: string;
}
/** A record about to be written, or the entry of `errors` that says why not. */
type Checked = { input: Input; existing: SandboxRecord | undefined; values: Record<string, string | null> };
type Refused = { input: Input; category: string; message: string };

/** Records of all objects in memory. */
export class Objects {
  readonly properties = seedProperties();
  readonly #records: Records;
  readonly #faults: Faults;
  #lastId = 290_200;
  /** Trace ids hit by `reject_item`: refused for good, also when they come again. */
  readonly #rejected = new Set<string>();

  constructor(records: Records, faults: Faults) {
    this.#records = records;
    this.#faults = faults;
  }

  /**
   * Batch upsert. With a custom unique property a bad input fails alone (207, named by its trace id). With `email`
   * it takes the whole batch down with it and is not named: so this sandbox reads HubSpot's sentence that partial
   * upserts are not supported when email is the id property.
   */
  upsert(type: string, body: Record<string, unknown>): SandboxAnswer {
    const inputs = inputsOf<Input>(body);
    const idProperty = inputs[0]?.idProperty ?? '';
    const flaw = this.#batchFlaw(type, inputs, idProperty);
    if (flaw) return invalid(flaw);
    const checked = inputs.map((input) => this.#check(type, idProperty, input));
    const bad = checked.filter((each): each is Refused => 'message' in each);
    const first = bad[0];
    if (first && idProperty === 'email') return invalid(first.message, first.category);
    const good = checked.filter((each): each is Checked => 'values' in each);
    const at = now();
    const results = good.map((each) => this.#store(type, each, at)).reverse();
    const errors = bad.map(({ input, category, message }) => ({
      status: 'error',
      category,
      message,
      context: input.objectWriteTraceId ? { objectWriteTraceId: [input.objectWriteTraceId] } : {},
    }));
    return batchAnswer(results, errors);
  }

  create(type: string, body: Record<string, unknown>): SandboxAnswer {
    const checked = this.#check(type, '', body as Input);
    if ('message' in checked) return invalid(checked.message, checked.category);
    const { objectWriteTraceId: _, ...result } = this.#store(type, checked, now());
    return { status: 201, body: result };
  }

  read(type: string, { body, stale }: SandboxRequest): SandboxAnswer {
    const idProperty = typeof body.idProperty === 'string' ? body.idProperty : undefined;
    const inputs = inputsOf<Input>(body);
    const flaw = this.#batchFlaw(type, inputs, idProperty);
    if (flaw) return invalid(flaw);
    const wanted = Array.isArray(body.properties) ? body.properties.map(String) : [];
    const missing: string[] = [];
    const results: object[] = [];
    const at = now();
    for (const input of inputs) {
      const newest = this.#held(type, idProperty, input.id);
      const record = stale && newest ? this.#records.before(type, newest.id) : newest;
      if (record && !isArchived(record)) results.push(present(record, wanted, at));
      else missing.push(String(input.id));
    }
    const notFound = {
      status: 'error',
      category: 'OBJECT_NOT_FOUND',
      message: `Could not get some ${type.toUpperCase()} objects, they may be deleted or not exist. Check that ids are valid.`,
      context: { ids: missing },
    };
    return batchAnswer(results.reverse(), missing.length > 0 ? [notFound] : []);
  }

  /** What is archived stays in memory, marked, and is found by nothing that looks for records. */
  archive(type: string, body: Record<string, unknown>): SandboxAnswer {
    for (const { id } of inputsOf<Input>(body)) {
      const record = this.#records.get(type, String(id));
      const text = () => JSON.stringify(record);
      if (this.#faults.take('reject_item', text))
        return invalid('This record is blocked by a rule of the account');
      if (!record || isArchived(record) || this.#faults.take('accept_without_write', text)) continue;
      // Somebody restores it at the same moment.
      const archived = !this.#faults.take('alter', text);
      this.#records.put(type, record.id, { [archivedMark]: archived });
    }
    return { status: 204 };
  }

  list(type: string, limit: number): SandboxAnswer {
    const records = this.#records.list().filter((record) => record.type === type);
    return {
      status: 200,
      body: { results: records.slice(0, limit).map((record) => present(record, [], now())) },
    };
  }

  get(type: string, id: string): SandboxAnswer {
    const record = this.#records.get(type, id);
    return record
      ? { status: 200, body: present(record, Object.keys(record.fields), now()) }
      : notFoundAnswer();
  }

  #find(type: string, idProperty: string | undefined, id: unknown): SandboxRecord | undefined {
    const record = this.#held(type, idProperty, id);
    return record && !isArchived(record) ? record : undefined;
  }

  /** Archived or not. */
  #held(type: string, idProperty: string | undefined, id: unknown): SandboxRecord | undefined {
    const value = String(id).trim();
    if (idProperty === undefined) return this.#records.get(type, value);
    return this.#records.find(type, idProperty, idProperty === 'email' ? value.toLowerCase() : value)[0];
  }

  #batchFlaw(type: string, inputs: Input[], idProperty: string | undefined): string | undefined {
    if (inputs.length === 0) return 'inputs must not be empty';
    if (inputs.length > 100) return `Too many inputs: ${inputs.length}. At most 100 are allowed.`;
    const ids = inputs.map(({ id }) => String(id).trim().toLowerCase());
    if (new Set(ids).size < ids.length) return 'Duplicate IDs found in batch input';
    if (idProperty === undefined || (idProperty === 'email' && type === 'contacts')) return undefined;
    if (this.properties.get(type)?.get(idProperty)?.hasUniqueValue) return undefined;
    return `Property "${idProperty}" is not a unique property of ${type}`;
  }

  #check(type: string, idProperty: string, input: Input): Checked | Refused {
    const refuse = (message: string, category = 'VALIDATION_ERROR'): Refused => ({
      input,
      category,
      message,
    });
    const traceId = input.objectWriteTraceId ?? '';
    if (this.#faults.take('reject_item', () => JSON.stringify(input))) this.#rejected.add(traceId);
    if (this.#rejected.has(traceId))
      return refuse('This record is blocked by a validation rule of the account');
    const values: Record<string, string | null> = {};
    const given = idProperty ? { ...input.properties, [idProperty]: input.id } : { ...input.properties };
    const known = this.properties.get(type);
    for (const [name, raw] of Object.entries(given)) {
      const property = known?.get(name);
      if (!property)
        return refuse(invalidValue(name, `Property "${name}" does not exist`, 'PROPERTY_DOESNT_EXIST'));
      const stored = storedValue(property, raw);
      if ('error' in stored)
        return refuse(invalidValue(name, `${String(raw)} is not valid for ${name}`, stored.error));
      values[name] = stored.value;
    }
    const existing = idProperty ? this.#find(type, idProperty, input.id) : undefined;
    const lacking = (requiredProperties[type] ?? []).find((name) => !existing && !values[name]);
    if (lacking !== undefined)
      return refuse(invalidValue(lacking, `Missing required property ${lacking}`, 'REQUIRED_FIELD'));
    for (const [name, value] of Object.entries(values)) {
      if (value === null || !(name === 'email' || known?.get(name)?.hasUniqueValue)) continue;
      const owner = this.#records.find(type, name, value)[0];
      if (owner && owner.id !== existing?.id)
        return refuse(`${name} already exists. Existing ID: ${owner.id}`, 'CONFLICT');
    }
    return { input, existing, values };
  }

  /** Writes the checked values, or misbehaves as the item's faults say; the answer looks the same. */
  #store(type: string, { input, existing, values }: Checked, at: string) {
    const text = () => JSON.stringify(input);
    const change = (how: (property: Property, value: string) => string) => {
      for (const [name, value] of Object.entries(values)) {
        const property = this.properties.get(type)?.get(name);
        if (property && value !== null) values[name] = how(property, value);
      }
    };
    if (this.#faults.take('normalise', text)) change(reformatted);
    if (this.#faults.take('alter', text)) change(altered);
    const id = existing?.id ?? String(++this.#lastId);
    const skipped = this.#faults.take('accept_without_write', text);
    const record = skipped
      ? { id, type, fields: { ...existing?.fields, ...values }, writes: 0 }
      : this.#records.put(type, id, values);
    return Object.assign(present(record, Object.keys(record.fields), at), {
      new: existing === undefined,
      objectWriteTraceId: input.objectWriteTraceId,
    });
  }
}

/** No property: names of those have no space. */
const archivedMark = 'is archived';

function isArchived({ fields }: SandboxRecord): boolean {
  return fields[archivedMark] === true;
}

/** @param at when it is answered */
function present(record: SandboxRecord, wanted: readonly string[], at: string) {
  const properties: Record<string, unknown> = {};
  for (const name of wanted) properties[name] = record.fields[name] ?? null;
  properties.hs_object_id = record.id;
  properties.createdate = at;
  properties.hs_lastmodifieddate = at;
  return { id: record.id, properties, createdAt: at, updatedAt: at, archived: false };
}

function now(): string {
  return new Date().toISOString();
}

/** The inputs of any batch. What they hold is up to whom they come from. */
export function inputsOf<Input>(body: Record<string, unknown>): Input[] {
  return Array.isArray(body.inputs) ? body.inputs : [];
}

/** The answer to any batch: 207 with `errors` as soon as one input failed. */
export function batchAnswer(results: object[], errors: object[]): SandboxAnswer {
  const at = new Date().toISOString();
  const body = { status: 'COMPLETE', results, startedAt: at, completedAt: at };
  if (errors.length === 0) return { status: 200, body };
  return { status: 207, body: { ...body, numErrors: errors.length, errors } };
}

export function invalid(message: string, category = 'VALIDATION_ERROR'): SandboxAnswer {
  const body = { status: 'error', message, correlationId: crypto.randomUUID(), category };
  return { status: category === 'CONFLICT' ? 409 : 400, body };
}

export function notFoundAnswer(): SandboxAnswer {
  return {
    status: 404,
    body: { status: 'error', message: 'resource not found', category: 'OBJECT_NOT_FOUND' },
  };
}

/** HubSpot puts the details of a refused value as JSON into the message. */
function invalidValue(name: string, message: string, error: string): string {
  return `Property values were not valid: ${JSON.stringify([{ isValid: false, message, error, name }])}`;
}
