import type { z } from 'zod';
import { Secret } from '../../config/secret.ts';
import { suggest } from '../../config/suggest.ts';
import type { Definition, Settings } from './schema.ts';
import { hasLooseBraces, namesIn, textsIn, wholeName } from './template.ts';

/** Placeholders that are no fields: what they stand for is known when a request is made. */
export const reserved = ['id', 'parent', 'parent_id', 'action_key', 'idempotency_key', 'items'] as const;

type Path = (string | number)[];

/** What the parts of an action must be to each other. Every complaint stands where the mistake is written. */
export function checkAction(action: Definition, context: z.RefinementCtx): void {
  const complain: Complain = (path, message, hint) => {
    context.addIssue({ code: 'custom', path, message, params: { hint }, input: action });
  };
  for (const name of Object.keys(action.fields))
    if ((reserved as readonly string[]).includes(name))
      complain(['fields', name], 'is a name with a meaning of its own', 'give the field another name');
  checkSecrets(action, complain);
  checkPlaceholders(action, complain);
  checkOptional(action, complain);
  checkClass(action, complain);
  checkRead(action, complain);
  checkStatuses(action, complain);
}

type Complain = (path: Path, message: string, hint?: string | undefined) => void;

/** A template of the action, and the placeholders that have a value there. */
interface Place {
  path: Path;
  template: unknown;
  keys: readonly string[];
  fields: boolean;
  /** Braces mean something only as placeholders; in a body they may be text of another language. */
  strict: boolean;
}

function placesOf({ write, read }: Definition): Place[] {
  const perItem = write.batch === undefined;
  const keys = perItem ? ['parent_id', 'action_key', 'idempotency_key'] : [];
  const places: Place[] = [
    { path: ['write', 'path'], template: write.path, keys, fields: perItem, strict: true },
    ...each(['write', 'query'], write.query, keys, perItem),
    ...each(['write', 'headers'], write.headers, keys.slice(1), false),
    {
      path: ['write', 'body'],
      template: write.body,
      keys: ['parent_id', 'action_key', 'idempotency_key'],
      fields: true,
      strict: false,
    },
  ];
  if (!write.id.startsWith('/'))
    places.push({
      path: ['write', 'id'],
      template: write.id,
      keys: ['parent_id'],
      fields: true,
      strict: true,
    });
  if (write.batch)
    places.push(
      {
        path: ['write', 'batch', 'body'],
        template: write.batch.body,
        keys: ['items'],
        fields: false,
        strict: false,
      },
      ...each(['write', 'batch', 'match'], write.batch.match, ['action_key', 'parent_id'], true),
    );
  for (const [name, request] of Object.entries(read)) {
    const known = name === 'by_id' ? ['id', 'parent_id'] : ['action_key', 'parent_id'];
    places.push(
      { path: ['read', name, 'path'], template: request.path, keys: known, fields: true, strict: true },
      ...each(['read', name, 'query'], request.query, known, true),
      ...each(['read', name, 'headers'], request.headers, [], false),
      { path: ['read', name, 'body'], template: request.body, keys: known, fields: true, strict: false },
    );
  }
  if (read.find && !read.find.id.startsWith('/'))
    places.push({
      path: ['read', 'find', 'id'],
      template: read.find.id,
      keys: ['parent_id'],
      fields: true,
      strict: true,
    });
  return places;
}

function each(
  path: Path,
  texts: Readonly<Record<string, string>>,
  keys: readonly string[],
  fields: boolean,
): Place[] {
  return Object.entries(texts).map(([name, template]) => ({
    path: [...path, name],
    template,
    keys,
    fields,
    strict: true,
  }));
}

/** A reference that stands in a body has become a `Secret` by now. */
function checkSecrets({ write, read }: Definition, complain: Complain): void {
  const bodies: [Path, unknown][] = [
    [['write', 'body'], write.body],
    [['write', 'batch', 'body'], write.batch?.body],
    [['read', 'by_id', 'body'], read.by_id?.body],
    [['read', 'find', 'body'], read.find?.body],
  ];
  for (const [path, body] of bodies)
    if (holdsSecret(body))
      complain(path, 'holds a secret', 'credentials go under headers: of the connection');
}

function holdsSecret(value: unknown): boolean {
  if (value instanceof Secret) return true;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsSecret);
}

function checkPlaceholders(action: Definition, complain: Complain): void {
  const fields = Object.keys(action.fields);
  const used = new Set<string>();
  for (const { path, template, keys, fields: takesFields, strict } of placesOf(action)) {
    const known = [...keys, ...(takesFields ? fields : [])];
    for (const name of namesIn(template)) {
      used.add(name);
      if (!known.includes(name))
        complain(path, `there is no {${name}} here`, suggest(name, known) ?? 'write plain text here');
    }
    for (const text of textsIn(template)) {
      if (text.includes('{{'))
        complain(
          path,
          'templates with {{ }} belong to the destination',
          'write a field in single braces: {note}',
        );
      else if (strict && hasLooseBraces(text))
        complain(path, 'braces stand around the name of a field, and nowhere else');
    }
  }
  for (const name of fields)
    if (!used.has(name))
      complain(['fields', name], 'is not used by any request', `write {${name}} into the body`);
}

/** The fields that a read-back needs, besides those under `match`. */
export function asked({ read }: Definition): string[] {
  const { by_id: byId, find } = read;
  const templates = [byId, find].flatMap((one) => (one ? [one.path, one.query, one.body] : []));
  const ids = find && !find.id.startsWith('/') ? [find.id] : [];
  return [...new Set(namesIn([...templates, ...ids]))].filter((name) => !isReserved(name));
}

function isReserved(name: string): boolean {
  return (reserved as readonly string[]).includes(name);
}

/** An optional field may only stand where it can be left out; one that finds the record must always be there. */
function checkOptional(action: Definition, complain: Complain): void {
  const optional = new Set(
    Object.entries(action.fields).flatMap(([name, one]) => (one.required ? [] : [name])),
  );
  const needed = new Set([...asked(action), ...(action.read.find?.match ?? [])]);
  for (const name of optional)
    if (needed.has(name)) complain(['fields', name], 'is needed to read back, so it cannot be optional');
  const { write } = action;
  const parts: [Path, unknown][] = [
    [['write', 'path'], write.path],
    [['write', 'id'], write.id],
    ...Object.entries(write.batch?.match ?? {}).map(([name, text]): [Path, unknown] => [
      ['write', 'batch', 'match', name],
      text,
    ]),
    ...Object.entries(write.query).map(([name, text]): [Path, unknown] => [
      ['write', 'query', name],
      apart(text),
    ]),
    [['write', 'body'], apart(write.body)],
  ];
  for (const [path, template] of parts)
    for (const name of namesIn(template))
      if (optional.has(name))
        complain(path, `{${name}} is optional, so it must be the whole value of a key`, `write "{${name}}"`);
}

/** A template without what may be left out: the values of keys that are one placeholder. */
function apart(template: unknown): unknown {
  if (typeof template === 'string') return wholeName(template) === undefined ? template : '';
  if (Array.isArray(template)) return template.map((item) => (typeof item === 'string' ? item : apart(item)));
  if (typeof template !== 'object' || template === null) return template;
  return Object.values(template).map(apart);
}

/** Each class is a promise of the API; without what it needs, it would be a hope. */
function checkClass(action: Definition, complain: Complain): void {
  const { idempotency, write, read } = action;
  const at: Path = ['idempotency'];
  const sent = new Set(namesIn([write.path, write.query, write.headers, write.body]));
  if (idempotency !== 'none' && !read.find)
    complain(at, `${idempotency} needs read.find`, 'say how the record is found when no answer came');
  if (idempotency === 'keyed' && !sent.has('idempotency_key'))
    complain(
      at,
      'keyed needs {idempotency_key} in the write',
      'mostly headers: { Idempotency-Key: "{idempotency_key}" }',
    );
  if (idempotency !== 'keyed' && sent.has('idempotency_key'))
    complain(
      at,
      `${idempotency} does not go with {idempotency_key}`,
      'write keyed, if the API honours that key',
    );
  if (idempotency === 'marker' && !(sent.has('action_key') && read.find?.key !== undefined))
    complain(
      at,
      'marker needs {action_key} in the write, and read.find.key',
      'say where the record keeps the key',
    );
  if (idempotency === 'upsert' && action.fields && sent.size === 0)
    complain(at, 'upsert needs a field that says which record is meant');
  if (write.batch && idempotency === 'keyed' && !namesIn(write.body).includes('idempotency_key'))
    complain(at, 'keyed needs {idempotency_key} in the body of every item of a batch');
  if (write.batch && namesIn(write.batch.body).filter((name) => name === 'items').length !== 1)
    complain(['write', 'batch', 'body'], 'must hold {items} once', 'as { orders: "{items}" }');
}

function checkRead(action: Definition, complain: Complain): void {
  const { by_id: byId, find } = action.read;
  if (!byId && !find)
    complain(['read'], 'needs by_id or find', 'what cannot be read back cannot be verified');
  if (byId && !namesIn([byId.path, byId.query, byId.body]).includes('id'))
    complain(['read', 'by_id', 'path'], 'does not say which record', 'write {id}, as /orders/{id}');
  if (find) checkFind(action, find, complain);
  for (const [name, request] of Object.entries(action.read))
    if (request.body !== undefined && request.method !== 'POST')
      complain(['read', name, 'body'], 'a GET has no body', 'use query, or method: POST');
  for (const [name, { absent }] of Object.entries(action.read))
    if (
      absent &&
      absent.where === undefined &&
      (absent.status ?? [200]).some((status) => ![404, 410].includes(status))
    )
      complain(
        ['read', name, 'absent'],
        'only 404 and 410 mean absent by themselves',
        'say what the answer holds then, as where: { /code: not_found }',
      );
}

function checkFind(
  action: Definition,
  find: NonNullable<Definition['read']['find']>,
  complain: Complain,
): void {
  const templates = [find.path, find.query, find.body];
  const names = namesIn(templates);
  if (names.length === 0)
    complain(['read', 'find'], 'does not say which record', 'write a field or {action_key} into it');
  if (names.includes('action_key') && find.key === undefined)
    complain(
      ['read', 'find'],
      'asks for {action_key}, so `key` must say where a record keeps it',
      'as key: /external_id',
    );
  for (const [index, name] of find.match.entries()) {
    const path = ['read', 'find', 'match', index];
    if (!Object.hasOwn(action.fields, name))
      complain(path, `there is no field ${name}`, suggest(name, Object.keys(action.fields)));
    else if (action.fields[name]?.read === 'never') complain(path, `${name} cannot be read back`);
  }
  if (find.items === undefined) return;
  // What stands in the path cannot be ignored by the API; a parameter can, so the records are compared with it.
  for (const name of namesIn([find.query, find.body]))
    if (action.fields[name]?.read === 'never')
      complain(
        ['fields', name],
        'finds the record, so it must be readable',
        'say where it stands, as /reference',
      );
}

function checkStatuses({ write }: Definition, complain: Complain): void {
  for (const [index, status] of write.transient.entries()) {
    if (write.permanent.includes(status))
      complain(['write', 'transient', index], `${status} cannot be permanent and transient`);
    if (status === 429) complain(['write', 'transient', index], '429 is waited out anyway', 'leave it out');
  }
  for (const [index, status] of write.permanent.entries())
    if (status === 429 || status === 401)
      complain(['write', 'permanent', index], `${status} says nothing about the item`, 'leave it out');
  for (const name of Object.keys(write.headers))
    if (isCredential(name))
      complain(
        ['write', 'headers', name],
        'is for credentials, which belong to the connection',
        'write it under headers: of the connection',
      );
}

/** Headers that carry credentials, and those that are not for users to set. */
function isCredential(name: string): boolean {
  return (
    !/^(x-)?idempotency-key$/i.test(name) &&
    /authorization|cookie|token|secret|password|api-?key|^x-.*key$/i.test(name)
  );
}

/** Credentials are references, come from one source, and no header contradicts the transport. */
export function checkHeaders(settings: Settings, context: z.RefinementCtx): void {
  const complain: Complain = (path, message, hint) => {
    context.addIssue({ code: 'custom', path, message, params: { hint }, input: settings });
  };
  for (const [name, value] of Object.entries(settings.headers)) {
    if (!(value instanceof Secret) && isCredential(name))
      complain(
        ['headers', name],
        'is for a secret, which must be a reference',
        'write env:NAME or file:PATH',
      );
    if (/^(host|content-length|connection|transfer-encoding|accept-encoding|upgrade|expect)$/i.test(name))
      complain(['headers', name], 'is not for you to set', 'leave it out');
  }
  const ways = [
    settings.bearer_token !== undefined && 'bearer_token',
    settings.password !== undefined && 'password',
    Object.keys(settings.headers).some((name) => /^authorization$/i.test(name)) && 'headers.authorization',
  ].filter((way) => way !== false);
  if (ways.length > 1) complain([ways[1]?.split('.')[0] ?? ''], `excludes ${ways[0]}`, 'keep one of them');
  if ((settings.username === undefined) !== (settings.password === undefined))
    complain(
      [settings.username === undefined ? 'password' : 'username'],
      'username and password go together',
    );
}
