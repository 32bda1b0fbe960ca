import type { SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, SandboxPart } from '../sandbox.ts';
import { longId } from './ids.ts';
import {
  altered,
  type Field,
  type ObjectType,
  reformatted,
  seedObjects,
  storedValue,
} from './sandbox-fields.ts';

type Sent = Record<string, unknown>;
interface Saved {
  id: string | undefined;
  success: boolean;
  errors: { statusCode: string; message: string; fields: string[] }[];
  created?: boolean;
}
/** Thrown for what Salesforce refuses about one record, or (`whole`) about the request it is in. */
class Refused extends Error {
  readonly code: string;
  readonly fields: string[];
  readonly whole: boolean;

  constructor(code: string, message: string, fields: string[] = [], whole = false) {
    super(message);
    this.code = code;
    this.fields = fields;
    this.whole = whole;
  }
}

/** The org's records. Ids count up for each object: the first contact is 003500000000001. */
export class Org extends SandboxPart {
  readonly objects = seedObjects();
  readonly #counts = new Map<string, number>();

  upsert(object: string, externalId: string, body: Sent): SandboxAnswer {
    const type = this.objects.get(object);
    const key = type?.fields.find(({ name }) => name === externalId);
    if (!type || !key?.externalId)
      return fault(
        404,
        'NOT_FOUND',
        `Provided external ID field does not exist or is not accessible: ${externalId}`,
      );
    const seen = new Set<string>();
    return this.#collection(body, (sent) => {
      const value = String(sent[externalId] ?? '').trim();
      if (value === '') throw new Refused('MISSING_ARGUMENT', `${externalId} not specified`);
      if (seen.has(value))
        throw new Refused('DUPLICATE_VALUE', `Duplicate external id specified: ${value}`, [externalId]);
      seen.add(value);
      const existing = this.records.find(object, externalId, value).find((one) => !isDeleted(one));
      return { ...this.#save(object, type, sent, existing), created: existing === undefined };
    });
  }

  create(body: Sent): SandboxAnswer {
    return this.#collection(body, (sent) => {
      const { object, type } = this.#typeOf(sent);
      return this.#save(object, type, sent, undefined);
    });
  }

  update(body: Sent): SandboxAnswer {
    return this.#collection(body, ({ id, ...sent }) => {
      const { object, type } = this.#typeOf(sent);
      const existing = this.records.get(object, longId(String(id)));
      if (!existing || isDeleted(existing)) throw new Refused('ENTITY_IS_DELETED', 'entity is deleted');
      return this.#save(object, type, sent, existing);
    });
  }

  /** Into the recycle bin, where no query looks. */
  delete(ids: string[]): SandboxAnswer {
    const results = ids.map((id): Saved => {
      const refuse = (statusCode: string, message: string): Saved => ({
        id: undefined,
        success: false,
        errors: [{ statusCode, message, fields: [] }],
      });
      const [object] = [...this.objects].find(([, { prefix }]) => id.startsWith(prefix)) ?? [];
      const record = object === undefined ? undefined : this.records.get(object, longId(id));
      if (object === undefined || !record)
        return refuse('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id');
      const text = () => JSON.stringify(record);
      if (this.faults.take('reject_item', text))
        return refuse('DELETE_FAILED', 'Your attempt to delete was refused');
      if (isDeleted(record)) return refuse('ENTITY_IS_DELETED', 'entity is deleted');
      // Somebody restores it at the same moment.
      const deleted = !this.faults.take('alter', text);
      if (!this.faults.take('accept_without_write', text))
        this.records.put(object, record.id, { IsDeleted: deleted });
      return { id: record.id, success: true, errors: [] };
    });
    return { status: 200, body: results };
  }

  field(object: string, name: string): Field | undefined {
    return this.objects.get(object)?.fields.find((field) => field.name === name);
  }

  describe(object: string): SandboxAnswer {
    const type = this.objects.get(object);
    if (!type) return fault(404, 'NOT_FOUND', 'The requested resource does not exist');
    return { status: 200, body: { name: object, createable: true, updateable: true, fields: type.fields } };
  }

  #typeOf(sent: Sent): { object: string; type: ObjectType } {
    const object = String((sent.attributes as Sent | undefined)?.type);
    const type = this.objects.get(object);
    if (!type) throw new Refused('INVALID_TYPE', `sObject type '${object}' is not supported.`, [], true);
    return { object, type };
  }

  /** Values that cannot be parsed fail the whole request before anything is written; all else fails alone. */
  #collection(body: Sent, save: (sent: Sent) => Saved): SandboxAnswer {
    const sent = (Array.isArray(body.records) ? body.records : []) as Sent[];
    if (sent.length === 0 || sent.length > 200)
      return fault(400, 'INVALID_BATCH_SIZE', `${sent.length} records: at most 200 are allowed`);
    try {
      for (const record of sent) this.#parse(record);
      const results = sent.map((record) => {
        try {
          return save(record);
        } catch (error) {
          if (!(error instanceof Refused) || error.whole) throw error;
          const { code: statusCode, message, fields } = error;
          return { success: false, errors: [{ statusCode, message, fields }] };
        }
      });
      return { status: 200, body: results };
    } catch (error) {
      if (error instanceof Refused) return fault(400, error.code, error.message);
      throw error;
    }
  }

  #parse(sent: Sent): void {
    const { type } = this.#typeOf(sent);
    for (const [name, raw] of Object.entries(sent)) {
      const field = type.fields.find((one) => one.name === name);
      const stored = field && storedValue(field, raw);
      if (stored && 'unparsable' in stored) {
        const message = `Cannot deserialize instance of ${stored.unparsable} from VALUE_STRING value ${raw} or request may be missing a required field at [line:1, column:1]`;
        throw new Refused('JSON_PARSER_ERROR', message, [], true);
      }
    }
  }

  #save(object: string, type: ObjectType, sent: Sent, existing: SandboxRecord | undefined): Saved {
    const text = () => JSON.stringify(sent);
    if (this.faults.take('reject_item', text))
      throw new Refused('FIELD_CUSTOM_VALIDATION_EXCEPTION', 'This record is blocked by a validation rule');
    const fields = this.#values(object, type, sent, existing);
    const missing = type.required.filter((name) => (fields[name] ?? existing?.fields[name] ?? null) === null);
    if (missing.length > 0)
      throw new Refused(
        'REQUIRED_FIELD_MISSING',
        `Required fields are missing: [${missing.join(', ')}]`,
        missing,
      );
    if (object === 'CampaignMember' && !existing) this.#mustBeNew(fields);
    const change = (how: (field: Field, value: unknown) => unknown) => {
      for (const field of type.fields)
        if ((fields[field.name] ?? null) !== null) fields[field.name] = how(field, fields[field.name]);
    };
    if (this.faults.take('normalise', text)) change(reformatted);
    if (this.faults.take('alter', text)) change(altered);
    const id = existing?.id ?? this.#nextId(object, type);
    if (!this.faults.take('accept_without_write', text)) this.records.put(object, id, { Id: id, ...fields });
    return { id, success: true, errors: [] };
  }

  #values(object: string, type: ObjectType, sent: Sent, existing: SandboxRecord | undefined): Sent {
    const values: Sent = {};
    for (const [name, raw] of Object.entries(sent)) {
      if (name === 'attributes') continue;
      const link = type.fields.find((one) => one.referenceTo.length > 0 && one.name === `${name}Id`);
      if (link && typeof raw === 'object' && raw !== null) {
        values[link.name] = this.#linked(link.referenceTo[0] ?? '', raw as Sent);
        continue;
      }
      const field = type.fields.find((one) => one.name === name);
      if (!field?.createable || (existing && !field.updateable))
        throw new Refused('INVALID_FIELD', `No such column '${name}' on sobject of type ${object}`, [name]);
      const stored = storedValue(field, raw);
      if ('error' in stored) throw new Refused(stored.error, `${name}: invalid value: ${raw}`, [name]);
      if ('value' in stored) values[name] = stored.value;
      const target = field.referenceTo[0];
      if (target !== undefined && values[name] && !this.records.get(target, String(values[name])))
        throw new Refused('INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', [name]);
    }
    return values;
  }

  #linked(object: string, by: Sent): string {
    const [[name, value] = ['', '']] = Object.entries(by);
    const found = this.records.find(object, name, value)[0];
    if (found) return found.id;
    throw new Refused(
      'INVALID_FIELD',
      `Foreign key external ID: ${value} not found for field ${name} in entity ${object}`,
    );
  }

  #mustBeNew({ CampaignId, ContactId, LeadId }: Sent): void {
    const members = this.records.find('CampaignMember', 'CampaignId', CampaignId);
    const twin = members.find(({ fields }) =>
      ContactId ? fields.ContactId === ContactId : fields.LeadId === LeadId,
    );
    if (twin) throw new Refused('DUPLICATE_VALUE', 'Already a campaign member.');
  }

  #nextId(object: string, { prefix }: ObjectType): string {
    const count = (this.#counts.get(object) ?? 0) + 1;
    this.#counts.set(object, count);
    return longId(`${prefix}5${String(count).padStart(11, '0')}`);
  }
}

export function isDeleted({ fields }: SandboxRecord): boolean {
  return fields.IsDeleted === true;
}

/** Salesforce's answer to a request that it refuses as a whole. */
export function fault(status: number, errorCode: string, message: string): SandboxAnswer {
  return { status, body: [{ message, errorCode }] };
}
