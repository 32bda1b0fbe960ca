import { hash } from 'node:crypto';
import type { Fields, ReadItem, WriteItem } from '../connector.ts';
import type { Definition } from './grammar.ts';
import { fieldsAsked } from './placeholders.ts';
import { fillJson, fillPath, fillQuery, fillText, type Lookup } from './template.ts';
import { canonicalValue, toJson, type ValueType } from './values.ts';

/** The values of one item's placeholders, as text for addresses and headers, and typed for JSON. */
export interface Binding {
  text: Lookup<string>;
  json: Lookup<unknown>;
}

export function bindWrite(definition: Definition, item: WriteItem): Binding {
  return bind(definition, item.fields, {
    action_key: item.key,
    idempotency_key: item.requestKey,
    parent_id: item.parentId,
  });
}

export function bindRead(definition: Definition, item: ReadItem): Binding {
  return bind(definition, item.locator, { action_key: item.key, id: item.id, parent_id: item.parentId });
}

function bind(definition: Definition, fields: Fields, keys: Record<string, string | undefined>): Binding {
  const text: Lookup<string> = (name) => (Object.hasOwn(keys, name) ? keys[name] : fields[name]);
  return {
    text,
    json: (name) => {
      const value = text(name);
      const type = definition.fields[name]?.type;
      return value === undefined || type === undefined ? value : toJson(type, value);
    },
  };
}

interface Templates {
  path: string;
  query: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
}

/** Path with query, and headers. @throws Unaddressable when a value cannot stand in the path */
export function address({ path, query, headers }: Templates, { text }: Binding) {
  return {
    path: fillPath(path, text) + fillQuery(query, text),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, fillText(value, text)]),
    ),
  };
}

export function bodyOf(template: unknown, { json }: Binding): unknown {
  return template === undefined ? undefined : fillJson(template, json);
}

export function typeOf(definition: Definition, field: string): ValueType {
  return definition.fields[field]?.type ?? 'text';
}

/**
 * What finds a record again: the fields that the reading requests name, as they are, and those under `match` as
 * digests, since they are only compared.
 */
export function locatorOf(definition: Definition, fields: Fields): Record<string, string> {
  const locator: Record<string, string> = {};
  for (const name of fieldsAsked(definition)) locator[name] = fields[name] ?? '';
  for (const name of definition.read.find?.match ?? [])
    locator[matchKey(name)] = fingerprint(definition, name, fields[name]);
  return locator;
}

export function matchKey(field: string): string {
  return `match:${field}`;
}

export function fingerprint(definition: Definition, field: string, value: unknown): string {
  return hash('sha256', canonicalValue(typeOf(definition, field), value), 'hex').slice(0, 32);
}
