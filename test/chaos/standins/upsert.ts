import type { Said } from './faults.ts';
import { findEntities, findMark, findReference } from './mark.ts';
import {
  type Call,
  type How,
  otherCall,
  type Protocol,
  parseObject,
  type Reply,
  type Request,
  type Write,
} from './protocol.ts';
import { Records } from './records.ts';
import { hubspotSays, itemError, property, refusal } from './upsert-words.ts';

interface Contact {
  id: string;
  type: string;
  properties: Record<string, string | null>;
  createdAt: string;
  updatedAt: string;
  archived: boolean;
}

interface Input {
  id: string;
  idProperty: string;
  properties: Record<string, string>;
  objectWriteTraceId?: string;
}

const maxBatch = 100;

/** A CRM that speaks HubSpot's object API: batch upsert on a unique property, batch read. */
export function upsertProtocol(): Protocol {
  const contacts = new Records<Contact>();
  /** A unique value's record id is settled when the value is first heard of, also when nothing is written. */
  const ids = new Map<string, string>();

  function idOf(type: string, idProperty: string, value: string): string {
    const name = `${type}\0${idProperty}\0${value.trim().toLowerCase()}`;
    const id = ids.get(name) ?? String(90_000_000_001 + ids.size);
    ids.set(name, id);
    return id;
  }

  function upsert(type: string, { text }: Request): Call {
    const { inputs = [] } = parseObject(text) as { inputs?: Input[] };
    const writes = inputs.map(
      (input): Write => ({
        mark: findMark(Object.values(input.properties).join(' ')),
        key: input.objectWriteTraceId ?? null,
        refers: findReference(Object.values(input.properties).join(' ')),
      }),
    );
    const entities = [...new Set(writes.flatMap(({ mark }) => mark?.entity ?? []))];
    return { kind: 'write', entities, writes, run: (how) => upsertAll(type, inputs, writes, how) };
  }

  function upsertAll(type: string, inputs: Input[], writes: Write[], how: How): Reply {
    const names = inputs.map(({ id, idProperty }) => `${idProperty}\0${id.trim().toLowerCase()}`);
    if (inputs.length === 0 || inputs.length > maxBatch)
      return refusal(400, 'VALIDATION_ERROR', `between 1 and ${maxBatch} inputs are allowed`);
    if (new Set(names).size < names.length)
      return refusal(400, 'VALIDATION_ERROR', 'Duplicate IDs found in batch input');
    const refusals = writes.map((write) => how.refusal(write));
    if (how.whole && refusals.some((said) => said)) return refuseAll(inputs, refusals, how.whole);
    const results: object[] = [];
    const errors: object[] = [];
    for (const [place, input] of inputs.entries()) {
      const said = refusals[place];
      if (said) errors.push(itemError(said, input));
      else results.push(upsertOne(type, input, writes[place] as Write, how));
    }
    return batchReply(results, errors, how, { status: 200 });
  }

  function upsertOne(type: string, input: Input, write: Write, how: How): object {
    const id = idOf(type, input.idProperty, input.id);
    const at = new Date().toISOString();
    const unique = input.idProperty === 'email' ? input.id.trim().toLowerCase() : input.id;
    const held = contacts.get(id);
    const properties = { ...input.properties, [input.idProperty]: unique };
    if (how.tidy)
      for (const name of Object.keys(properties)) properties[name] = tidied(name, properties[name]);
    const merged = (before: Contact | undefined): Contact => ({
      id,
      type,
      properties: { ...(before?.properties ?? { createdate: at, hs_object_id: id }), ...properties },
      createdAt: before?.createdAt ?? at,
      updatedAt: at,
      archived: false,
    });
    how.put(write, () => {
      contacts.put(id, merged(contacts.get(id)));
      return id;
    });
    const trace = input.objectWriteTraceId ? { objectWriteTraceId: input.objectWriteTraceId } : {};
    return { ...shown(merged(held)), new: held === undefined, ...trace };
  }

  function readMany(type: string, { text }: Request): Call {
    const body = parseObject(text) as {
      inputs?: { id: string }[];
      idProperty?: string;
      properties?: string[];
    };
    const asked = (body.inputs ?? []).map(({ id }) => String(id));
    const find = (value: string, staleMs: number) => {
      const id = body.idProperty
        ? ids.get(`${type}\0${body.idProperty}\0${value.trim().toLowerCase()}`)
        : value;
      return id === undefined ? undefined : contacts.get(id, staleMs);
    };
    const run = (how: How): Reply => {
      if (asked.length === 0 || asked.length > maxBatch)
        return refusal(400, 'VALIDATION_ERROR', `between 1 and ${maxBatch} inputs are allowed`);
      const results: object[] = [];
      const missing: string[] = [];
      for (const value of new Set(asked)) {
        const contact = find(value, how.staleMs);
        if (contact) results.push(shown(contact, body.properties));
        else missing.push(value);
      }
      const error = {
        status: 'error',
        category: 'OBJECT_NOT_FOUND',
        message: `Could not get some ${type.toUpperCase()} objects, they may be deleted or not exist. Check that ids are valid.`,
        context: { ids: missing },
      };
      return batchReply(results, missing.length > 0 ? [error] : [], how, { status: 200 });
    };
    const entities = asked.flatMap((value) =>
      body.idProperty ? findEntities(value) : findEntities(find(value, 0)?.properties.email ?? ''),
    );
    return { kind: 'read', entities: [...new Set(entities)], writes: [], run };
  }

  function firstPage(type: string): Reply {
    const [first] = contacts.list();
    return { status: 200, body: { results: first?.type === type ? [shown(first)] : [] } };
  }

  return {
    understand(request) {
      if (!String(request.headers.authorization ?? '').startsWith('Bearer '))
        return otherCall(hubspotSays.unauthorized as Reply);
      const { method, path } = request;
      const [, type = '', rest] =
        /^\/crm\/v3\/objects\/([a-z]+)(\/batch\/(?:upsert|read))?$/.exec(path) ?? [];
      if (method === 'POST' && rest === '/batch/upsert') return upsert(type, request);
      if (method === 'POST' && rest === '/batch/read') return readMany(type, request);
      if (method === 'GET' && type !== '' && rest === undefined) return otherCall(firstPage(type));
      const [, name] = /^\/crm\/v3\/properties\/[a-z]+\/([a-z0-9_]+)$/.exec(path) ?? [];
      if (method === 'GET' && name) return otherCall({ status: 200, body: property(name) });
      return otherCall(refusal(404, 'OBJECT_NOT_FOUND', 'resource not found'));
    },
    says: hubspotSays,
    refuses: ['bad', 'broken', 'conflict', 'gone_404'],
    records: () => contacts.list(),
  };
}

function shown({ type: _, properties, ...contact }: Contact, wanted?: string[]): object {
  const chosen = wanted ? wanted.map((name) => [name, properties[name] ?? null]) : Object.entries(properties);
  return { ...contact, properties: Object.fromEntries(chosen) };
}

/** Results in whatever order and completeness; 207 when something of the batch failed. */
function batchReply(results: object[], errors: object[], how: How, { status }: { status: number }): Reply {
  const told = results.filter((_, place) => !how.omits(place, results.length));
  const at = new Date().toISOString();
  return {
    status: errors.length > 0 || how.shuffled || told.length < results.length ? 207 : status,
    body: {
      status: 'COMPLETE',
      results: how.shuffled ? how.shuffle(told) : told,
      ...(errors.length > 0 ? { numErrors: errors.length, errors } : {}),
      startedAt: at,
      completedAt: at,
    },
  };
}

function refuseAll(inputs: Input[], refusals: (Said | undefined)[], whole: 'named' | 'unnamed'): Reply {
  const reply = refusal(400, 'VALIDATION_ERROR', 'Property values were not valid');
  if (whole === 'unnamed') return reply;
  const errors = inputs.flatMap((input, place) => {
    const said = refusals[place];
    return said ? [itemError(said, input)] : [];
  });
  return { ...reply, body: { ...(reply.body as object), errors } };
}

/** Values as HubSpot tidies them: no outer blanks, emails in lower case. */
function tidied(name: string, value: string | undefined): string {
  const trimmed = String(value ?? '').trim();
  return name === 'email' ? trimmed.toLowerCase() : trimmed;
}
