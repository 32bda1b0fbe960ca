import { splitList } from '../canonical.ts';
import type { CallOptions, Fields, Outcome, ReadItem, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asked } from '../rest.ts';
import type { Zendesk } from './client.ts';
import { splitTags } from './normal.ts';
import { customProfileField } from './profile-schema.ts';

/** Users and organisations are written and read alike; the words are those of the API's paths and bodies. */
export type ProfileType = 'user' | 'organization';

/** What says which user or organisation is meant. Zendesk does not tell upper from lower case there. */
export interface Identity {
  field: 'external_id' | 'email';
  value: string;
}

/** A profile to write, with what identifies it. */
export interface Named {
  item: WriteItem;
  identity: Identity;
}

export function folded(value: unknown): string {
  return String(value ?? '')
    .trim()
    .toLowerCase();
}

/** `external_id` where it is mapped, also when this row has none: another row must not mean another thing. */
export function locate(fields: Fields): Record<string, string> {
  const field = fields.external_id === undefined ? 'email' : 'external_id';
  return { [field]: fields[field]?.trim() ?? '' };
}

export function identityOf(locator: ReadItem['locator']): Identity | undefined {
  const field = locator.external_id === undefined ? 'email' : 'external_id';
  const value = locator[field] ?? '';
  return value === '' ? undefined : { field, value };
}

/** Splits items into those that name someone, and the outcomes of those that do not. */
export function named(items: readonly WriteItem[]): { named: Named[]; outcomes: Map<string, Outcome> } {
  const outcomes = new Map<string, Outcome>();
  const named = items.flatMap((item) => {
    const locator = locate(item.fields);
    const identity = identityOf(locator);
    if (identity) return [{ item, identity }];
    const reason = `${Object.keys(locator).join()} is empty, so that nobody is meant`;
    outcomes.set(item.key, rejected('identity', reason));
    return [];
  });
  return { named, outcomes };
}

/** Creates or changes one profile. */
export async function upsertOne(
  zendesk: Zendesk,
  type: ProfileType,
  record: Record<string, unknown>,
  call: CallOptions,
): Promise<Outcome> {
  const path = `/api/v2/${type}s/create_or_update`;
  const answer = await asked(() => zendesk.create(path, call, { [type]: record }));
  if (!answer.ok) return answer.problem;
  const id = (answer.body[type] as { id?: number } | undefined)?.id;
  return id === undefined
    ? zendesk.unreadable(`an answer without ${type}`).problem
    : { kind: 'applied', id: String(id) };
}

/** The profile as Zendesk wants it. */
export function profileRecord(
  type: ProfileType,
  fields: Fields,
  options: Record<string, unknown>,
): Record<string, unknown> {
  const record: Record<string, unknown> = type === 'user' ? { skip_verify_email: !options.verify_email } : {};
  const custom: Record<string, string> = {};
  for (const [field, value] of Object.entries(fields)) {
    const name = customProfileField.exec(field)?.[1];
    if (name) custom[name] = value;
    else if (field === 'tags') record.tags = splitTags(value);
    else if (field === 'domain_names') record.domain_names = splitList(value);
    else if (field === 'external_id' || field === 'email') record[field] = value.trim();
    else if (field.endsWith('_id') && /^\d+$/.test(value.trim())) record[field] = Number(value);
    else record[field] = value;
  }
  if (Object.keys(custom).length > 0) record[`${type}_fields`] = custom;
  return record;
}
