import type { z } from 'zod';
import { suggest } from '../../config/suggest.ts';
import type { Definition } from './grammar.ts';
import { hasLooseBraces, namesIn, wholeName } from './template.ts';

/** Placeholders that are no fields: what they stand for is known when a request is made. */
const reserved: readonly string[] = [
  'id',
  'parent',
  'parent_id',
  'action_key',
  'idempotency_key',
  'items',
  'match',
];

export type Path = readonly (string | number)[];
/** Reports a mistake where it is written. */
export type Complain = (path: Path, message: string, hint?: string | undefined) => void;

/** A path of its own for each issue: the schemas around an action put their keys before it. */
export function complaintsTo(context: z.RefinementCtx, input: unknown): Complain {
  return (path, message, hint) =>
    context.addIssue({ code: 'custom', path: [...path], message, params: { hint }, input });
}

/** The kinds of place in which a template may stand. */
interface Kind {
  /** Placeholders, besides fields, that have a value there. */
  keys: readonly string[];
  fields: boolean;
  /** Braces are placeholders or a mistake; in a body they may be text of another language. */
  strict: boolean;
  /** A value that is not given can be left out, where it is all there is. */
  optional: boolean;
}

interface Place extends Kind {
  path: Path;
  text: string;
  /** The value of a key, as opposed to an item of a list. */
  isValue: boolean;
}

const address = { fields: true, strict: true, optional: false };
const parameters = { fields: true, strict: true, optional: true };
const json = { fields: true, strict: false, optional: true };
const ofWrite = ['parent_id', 'action_key', 'idempotency_key'];

/** Every text of an action that may hold placeholders. */
function placesOf({ write, read }: Definition): Place[] {
  const { batch } = write;
  // The address of a batch is that of all its items.
  const shared = { fields: batch === undefined, keys: batch ? [] : ofWrite };
  const places = [
    ...textsAt(['write', 'path'], write.path, { ...address, ...shared }),
    ...textsAt(['write', 'query'], write.query, { ...parameters, ...shared }),
    ...textsAt(['write', 'headers'], write.headers, {
      ...address,
      ...shared,
      fields: false,
      keys: batch ? [] : ofWrite.slice(1),
    }),
    ...textsAt(['write', 'body'], write.body, { ...json, keys: ofWrite }),
    ...idPlace(['write', 'id'], write.id),
    ...textsAt(['write', 'batch', 'body'], batch?.body, { ...json, fields: false, keys: ['items'] }),
    ...textsAt(['write', 'batch', 'match'], batch?.match, { ...address, keys: ['parent_id', 'action_key'] }),
  ];
  for (const [name, request] of Object.entries(read)) {
    const keys = name === 'by_id' ? ['id', 'parent_id'] : ['action_key', 'parent_id'];
    places.push(
      ...textsAt(['read', name, 'path'], request.path, { ...address, keys }),
      ...textsAt(['read', name, 'query'], request.query, { ...address, keys }),
      ...textsAt(['read', name, 'headers'], request.headers, { ...address, fields: false, keys: [] }),
      ...textsAt(['read', name, 'body'], request.body, { ...json, optional: false, keys }),
    );
  }
  return read.find ? [...places, ...idPlace(['read', 'find', 'id'], read.find.id)] : places;
}

function idPlace(path: Path, id: string): Place[] {
  return id.startsWith('/') ? [] : textsAt(path, id, { ...address, keys: ['parent_id'] });
}

function textsAt(path: Path, value: unknown, kind: Kind, isValue = true): Place[] {
  if (typeof value === 'string') return [{ path, text: value, isValue, ...kind }];
  if (Array.isArray(value))
    return value.flatMap((item, index) => textsAt([...path, index], item, kind, false));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsAt([...path, key], item, kind));
}

/** Every placeholder has a value where it stands, every field is used, and what may be missing can be left out. */
export function checkPlaceholders(action: Definition, complain: Complain): void {
  const fields = Object.keys(action.fields);
  for (const name of fields)
    if (reserved.includes(name))
      complain(['fields', name], 'is a name with a meaning of its own', 'give the field another name');
  const used = new Set<string>();
  for (const place of placesOf(action)) {
    const known = [...place.keys, ...(place.fields ? fields : [])];
    for (const name of namesIn(place.text)) {
      used.add(name);
      if (!known.includes(name))
        complain(place.path, `there is no {${name}} here`, suggest(name, known) ?? 'write plain text here');
      else if (!place.keys.includes(name) && action.fields[name]?.required === false)
        checkOptional(place, name, complain);
    }
    checkBraces(place, complain);
  }
  for (const name of fields)
    if (!used.has(name))
      complain(['fields', name], 'is not used by any request', `write {${name}} into the body`);
}

function checkOptional(place: Place, name: string, complain: Complain): void {
  const isWhole = place.isValue && wholeName(place.text) === name;
  if (place.optional && isWhole) return;
  if (place.path[0] === 'read')
    complain(place.path, `{${name}} is needed to read back, so it cannot be optional`);
  else if (place.optional)
    complain(
      place.path,
      `{${name}} is optional, so it must be the whole value of a key`,
      `write "{${name}}"`,
    );
  else complain(place.path, `{${name}} is optional, but nothing can be left out here`);
}

function checkBraces({ path, text, strict }: Place, complain: Complain): void {
  if (text.includes('{{'))
    complain(
      path,
      'templates with {{ }} belong to the destination',
      'write a field in single braces: {note}',
    );
  else if (strict && hasLooseBraces(text))
    complain(path, 'braces stand around the name of a field, and nowhere else');
}

/** The fields that the reading requests name. */
export function fieldsAsked({ read: { by_id: byId, find } }: Definition): string[] {
  const templates = [byId, find].flatMap((one) => (one ? [one.path, one.query, one.body] : []));
  const ids = find && !find.id.startsWith('/') ? [find.id] : [];
  return [...new Set(namesIn([...templates, ...ids]))].filter((name) => !reserved.includes(name));
}
