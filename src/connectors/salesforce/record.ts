import type { Fields } from '../connector.ts';
import type { SObject } from './client.ts';

/**
 * The record that fields describe. Empty text clears a field: Salesforce takes null, and refuses `""` for a number or
 * date. `Account.Customer_Id__c` points to the account with that external id; without a value it points nowhere new.
 */
export function recordOf(object: string, fields: Fields): SObject {
  const record: SObject = { attributes: { type: object } };
  for (const [field, value] of Object.entries(fields)) {
    const [name = '', externalId] = field.split('.');
    if (externalId === undefined) record[name] = value.trim() === '' ? null : value;
    else if (value.trim() !== '') record[name] = { [externalId]: value.trim() };
  }
  return record;
}

/** What a record holds in a field; names differ at most in case, because Salesforce answers in its own. */
export function valueIn(record: Record<string, unknown>, field: string): unknown {
  const [name = '', ...rest] = field.split('.');
  const found = Object.keys(record).find((key) => key.toLowerCase() === name.toLowerCase());
  const value = found === undefined ? undefined : record[found];
  if (rest.length === 0) return value ?? '';
  return typeof value === 'object' && value !== null
    ? valueIn(value as Record<string, unknown>, rest.join('.'))
    : '';
}

/** The fields, and in the field that the options name the record of the destination that is followed. */
export function withParent(
  fields: Fields,
  { parent_field: field }: Record<string, unknown>,
  parentId: string | undefined,
): Fields {
  return typeof field === 'string' && parentId !== undefined ? { ...fields, [field]: parentId } : fields;
}
