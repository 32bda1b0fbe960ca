import type { Fields, WriteItem } from '../connector.ts';
import { eventMediaType, eventOf, fieldsOf } from '../event.ts';
import type { FetchedRecord } from './fetched.ts';
import type { PublishOptions } from './schema.ts';

/** A record as it is sent. */
export interface Message {
  key: string;
  value: string;
  headers: Record<string, string>;
}

/** The key that a user's fields give a record; without one it is the action's own, which spreads records evenly. */
export function messageKey({ message_key: own, event_subject: subject }: Fields): string | undefined {
  return own || subject || undefined;
}

/** The event of an action, in either mode of the Kafka protocol binding of CloudEvents 1.0. */
export function messageOf({ key, fields }: WriteItem, mode: PublishOptions['mode']): Message {
  const event = eventOf(key, fields);
  const own = messageKey(fields) ?? key;
  if (mode === 'structured')
    return { key: own, value: JSON.stringify(event), headers: { 'content-type': eventMediaType } };
  const { data, datacontenttype, ...attributes } = event;
  const headers = Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]);
  return {
    key: own,
    value: JSON.stringify(data),
    headers: { 'content-type': datacontenttype, ...Object.fromEntries(headers) },
  };
}

/** The event of a record, in whichever mode it is, as JSON and by its id; undefined when it is none. */
export function eventIn({ headers, value }: FetchedRecord): { id: string; payload: string } | undefined {
  const text = value?.toString() ?? '';
  const { ce_id: id, ce_type: type, ce_source: source, ce_subject: subject, ce_time: time } = headers;
  try {
    if (id !== undefined) {
      const data: unknown = JSON.parse(text);
      return { id, payload: JSON.stringify({ id, type, source, subject, time, data }) };
    }
    const event: unknown = JSON.parse(text);
    const own = typeof event === 'object' && event !== null && 'id' in event ? event.id : undefined;
    return typeof own === 'string' ? { id: own, payload: text } : undefined;
  } catch {
    return undefined;
  }
}

/** The fields of a record; undefined when it does not hold the event of this action. */
export function fieldsIn(key: string, record: FetchedRecord): Record<string, unknown> | undefined {
  const event = eventIn(record);
  const fields = event && fieldsOf(key, event.payload);
  return fields && { ...fields, message_key: record.key?.toString() };
}
