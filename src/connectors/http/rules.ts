import type { z } from 'zod';
import { Secret } from '../../config/secret.ts';
import { suggest } from '../../config/suggest.ts';
import { isCredential } from './credentials.ts';
import type { Definition, Find } from './grammar.ts';
import { type Complain, checkPlaceholders, complaintsTo, type Path } from './placeholders.ts';
import { namesIn } from './template.ts';

/** What the parts of an action must be to each other. */
export function checkAction(action: Definition, context: z.RefinementCtx): void {
  const complain = complaintsTo(context, action);
  checkSecrets(action, complain);
  checkPlaceholders(action, complain);
  checkClass(action, complain);
  checkBatch(action, complain);
  checkIds(action, complain);
  checkRead(action, complain);
  if (action.read.find) checkFind(action, action.read.find, complain);
  checkRules(action, complain);
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
    for (const secret of secretsIn(body, path))
      complain(secret, 'is a secret', 'credentials go under headers: of the connection');
}

function secretsIn(value: unknown, path: Path): Path[] {
  if (value instanceof Secret) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => secretsIn(item, [...path, key]));
}

/** Each class is a promise of the API; without what it needs, it would be a hope. */
function checkClass({ idempotency, write, read }: Definition, complain: Complain): void {
  const path = ['idempotency'];
  const sent = new Set(namesIn([write.path, write.query, write.headers, write.body]));
  if (idempotency !== 'none' && !read.find)
    complain(path, `${idempotency} needs read.find`, 'say how the record is found when no answer came');
  if (idempotency === 'keyed' && !sent.has('idempotency_key'))
    complain(
      path,
      'keyed needs {idempotency_key} in the write',
      'mostly headers: { Idempotency-Key: "{idempotency_key}" }',
    );
  if (idempotency !== 'keyed' && sent.has('idempotency_key'))
    complain(
      path,
      `${idempotency} does not go with {idempotency_key}`,
      'write keyed, if the API honours that key',
    );
  if (idempotency === 'marker' && !(sent.has('action_key') && read.find?.key !== undefined))
    complain(
      path,
      'marker needs {action_key} in the write, and read.find.key',
      'say where the record keeps the key',
    );
}

function checkBatch({ idempotency, write }: Definition, complain: Complain): void {
  if (!write.batch) return;
  if (namesIn(write.batch.body).filter((name) => name === 'items').length !== 1)
    complain(['write', 'batch', 'body'], 'must hold {items} once', 'as { orders: "{items}" }');
  for (const [pointer, template] of Object.entries(write.batch.match))
    if (namesIn(template).length === 0)
      complain(['write', 'batch', 'match', pointer], 'is the same for every item', 'as "{reference}"');
  if (idempotency === 'keyed' && !namesIn(write.body).includes('idempotency_key'))
    complain(['idempotency'], 'keyed needs {idempotency_key} in the body of every item of a batch');
}

function checkIds({ write, read }: Definition, complain: Complain): void {
  const ids: [Path, string | undefined][] = [
    [['write', 'id'], write.id],
    [['read', 'find', 'id'], read.find?.id],
  ];
  for (const [path, id] of ids)
    if (id !== undefined && !id.startsWith('/') && namesIn(id).length === 0)
      complain(path, 'is the same for every record', 'write a JSON pointer such as /id, or a field as {sku}');
}

function checkRead({ read }: Definition, complain: Complain): void {
  const { by_id: byId, find } = read;
  if (!byId && !find)
    complain(['read'], 'needs by_id or find', 'what cannot be read back cannot be verified');
  if (byId && !namesIn([byId.path, byId.query, byId.body]).includes('id'))
    complain(['read', 'by_id', 'path'], 'does not say which record', 'write {id}, as /orders/{id}');
  for (const [name, { method, body, absent }] of Object.entries(read)) {
    if (body !== undefined && method !== 'POST')
      complain(['read', name, 'body'], 'a GET has no body', 'use query, or method: POST');
    const certain = (absent?.status ?? [200]).every((status) => status === 404 || status === 410);
    if (absent && absent.where === undefined && !certain)
      complain(
        ['read', name, 'absent'],
        'only 404 and 410 mean absent by themselves',
        'say what the answer holds then, as where: { /code: not_found }',
      );
  }
}

function checkFind({ fields }: Definition, find: Find, complain: Complain): void {
  const names = namesIn([find.path, find.query, find.body]);
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
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) complain(path, `there is no field ${name}`, suggest(name, Object.keys(fields)));
    else if (field.read === 'never') complain(path, `${name} cannot be read back`);
  }
  if (find.items === undefined) return;
  // What stands in the path cannot be ignored by the API; a parameter can, so the records are compared with it.
  for (const name of new Set(namesIn([find.query, find.body])))
    if (fields[name]?.read === 'never')
      complain(
        ['fields', name],
        'finds the record, so it must be readable',
        'say where it stands, as /reference',
      );
}

function checkRules({ write }: Definition, complain: Complain): void {
  for (const [name, mute] of [
    ['refused', [401, 429]],
    ['transient', [401, 403, 429]],
  ] as const) {
    const rule = write[name];
    if (!rule || rule.where !== undefined) continue;
    const path = ['write', name];
    const status = rule.status?.find((one) => one < 300 || (mute as readonly number[]).includes(one));
    if (rule.status === undefined) complain(path, 'needs status or where');
    else if (status !== undefined && status < 300)
      complain(
        path,
        `${status} alone is no refusal`,
        'say what the answer holds then, as where: { /ok: false }',
      );
    else if (status !== undefined) complain(path, `${status} says nothing about the item`, 'leave it out');
  }
  const { refused, transient } = write;
  const both = transient?.status?.find((status) => refused?.status?.includes(status));
  if (both !== undefined && refused?.where === undefined && transient?.where === undefined)
    complain(['write', 'transient'], `${both} cannot be refused and transient`);
  for (const name of Object.keys(write.headers))
    if (isCredential(name))
      complain(
        ['write', 'headers', name],
        'is for credentials, which belong to the connection',
        'write it under headers: of the connection',
      );
}
