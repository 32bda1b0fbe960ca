import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { asId, readingOf } from './answer.ts';
import { address, bindRead, bodyOf, fingerprint, matchKey } from './binding.ts';
import type { Api } from './client.ts';
import type { Definition, Find } from './grammar.ts';
import { at } from './pointer.ts';
import { fillText, namesIn, Unaddressable } from './template.ts';
import { canonicalValue } from './values.ts';

/** What the API holds now of one item: by its id where that is known, else as `find` says. */
export async function read(
  api: Api,
  definition: Definition,
  item: ReadItem,
  call: CallOptions,
): Promise<Reading> {
  const { by_id: byId, find: search } = definition.read;
  if (item.id === undefined || !byId) {
    if (search) return find(api, definition, item, call);
    return {
      kind: 'unreadable',
      reason: 'no id came back, and the action does not say how to find the record',
    };
  }
  const reading = await readById(api, definition, item, call);
  if (reading.kind !== 'absent') return reading;
  // A mistyped path answers 404 for ever, and what is believed absent is written again: a second request must agree.
  if (search) return find(api, definition, item, call);
  return {
    kind: 'unreadable',
    reason: `no record has the id ${item.id}, and there is no \`find\` to confirm that`,
  };
}

async function readById(
  api: Api,
  definition: Definition,
  item: ReadItem,
  call: CallOptions,
): Promise<Reading> {
  const request = definition.read.by_id;
  if (!request || item.id === undefined) return { kind: 'failed', reason: 'there is no by_id' };
  const answer = await ask(api, definition, request, item, call, [404, 410]);
  if (!('json' in answer)) return answer;
  const record = at(answer.json, request.record);
  if (!isRecord(record)) return noRecord(request.record);
  return { kind: 'found', id: item.id, fields: fieldsOf(definition, item, record) };
}

/**
 * Finds the record by its fields or key. Every record of the answer is compared with what was asked for, because an API
 * that ignores a parameter it does not know answers with all there is.
 *
 * @param by `key`: the item is not yet written, so that its locator holds no digests for `match`
 */
export async function find(
  api: Api,
  definition: Definition,
  item: ReadItem,
  call: CallOptions,
  by: 'all' | 'key' = 'all',
): Promise<Reading> {
  const request = definition.read.find;
  if (!request) return { kind: 'unreadable', reason: 'the action does not say how to find the record' };
  const isList = request.items !== undefined;
  const answer = await ask(api, definition, request, item, call, isList ? [] : [404, 410]);
  if (!('json' in answer)) return answer;
  const listed = isList ? at(answer.json, request.items ?? '') : [answer.json];
  if (!Array.isArray(listed))
    return { kind: 'failed', reason: `the answer has no list at ${request.items || 'its top'}` };
  const records = listed.map((one) => at(one, request.record));
  if (!records.every(isRecord)) return noRecord(request.record);
  const wanted = { definition, request, item };
  const own = records.filter((record) => isAskedFor(wanted, record) && isOurs(wanted, record, by));
  const ids = new Map(own.map((record) => [idOf(wanted, record), record]));
  const [first] = ids;
  if (first?.[0] === undefined)
    return first ? { kind: 'failed', reason: 'the record has no id' } : noneOf(wanted, records);
  // Our key is nobody else's. Fields may be: then it cannot be told which record this action made.
  if (ids.size > 1 && request.key === undefined)
    return { kind: 'unreadable', reason: `${ids.size} records match; name more fields under find.match` };
  return { kind: 'found', id: first[0], fields: fieldsOf(definition, item, first[1]) };
}

interface Wanted {
  definition: Definition;
  request: Find;
  item: ReadItem;
}

/** The record agrees with every placeholder of the request. */
function isAskedFor({ definition, request, item }: Wanted, record: object): boolean {
  return namesIn([request.path, request.query, request.body]).every((name) => {
    if (name === 'action_key') return holdsKey(request, item, record);
    const field = definition.fields[name];
    if (!field || field.read === 'never') return true;
    const { type, read: pointer } = field;
    return canonicalValue(type, at(record, pointer)) === canonicalValue(type, item.locator[name]);
  });
}

/** Of the records asked for, the one this action made. */
function isOurs(wanted: Wanted, record: object, by: 'all' | 'key'): boolean {
  const { definition, request, item } = wanted;
  if (request.key !== undefined && !holdsKey(request, item, record)) return false;
  if (item.id !== undefined && idOf(wanted, record) !== item.id) return false;
  if (by === 'key') return true;
  return request.match.every(
    (name) =>
      fingerprint(definition, name, at(record, definition.fields[name]?.read ?? '')) ===
      item.locator[matchKey(name)],
  );
}

function holdsKey(request: Find, item: ReadItem, record: object): boolean {
  return request.key !== undefined && canonicalValue('text', at(record, request.key)) === item.key;
}

function idOf({ definition, request, item }: Wanted, record: object): string | undefined {
  if (request.id.startsWith('/')) return asId(at(record, request.id));
  return asId(fillText(request.id, bindRead(definition, item).text));
}

/** Absence is concluded only from an answer that would have shown the record. */
function noneOf(wanted: Wanted, records: readonly object[]): Reading {
  const { page } = wanted.request;
  if (records.some((record) => !isAskedFor(wanted, record)))
    return { kind: 'failed', reason: 'the answer lists other records than it was asked for' };
  if (page !== undefined && records.length >= page)
    return { kind: 'failed', reason: `not among the first ${records.length} records, and there may be more` };
  return { kind: 'absent' };
}

async function ask(
  api: Api,
  definition: Definition,
  request: NonNullable<Definition['read']['by_id']> | Find,
  item: ReadItem,
  call: CallOptions,
  absentAt: readonly number[],
): Promise<{ json: unknown } | Reading> {
  const binding = bindRead(definition, item);
  try {
    const { path, headers } = address(request, binding);
    const reply = await api.send(
      { method: request.method, path, headers, body: bodyOf(request.body, binding) },
      call,
    );
    return readingOf(api, reply, request, absentAt);
  } catch (error) {
    if (!(error instanceof Unaddressable)) throw error;
    return { kind: 'unreadable', reason: error.message };
  }
}

function fieldsOf({ fields }: Definition, item: ReadItem, record: object): Record<string, unknown> {
  return Object.fromEntries(item.fields.map((name) => [name, at(record, fields[name]?.read ?? '/')]));
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noRecord(pointer: string): Reading {
  return { kind: 'failed', reason: `the answer has no record at ${pointer || 'its top'}` };
}
