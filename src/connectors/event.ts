import { z } from 'zod';
import { canonicalText } from './canonical.ts';
import type { Fields } from './connector.ts';
import { withCustomFields } from './fields.ts';

/** The media type of an event in structured mode: attributes and data in one JSON object. */
export const eventMediaType = 'application/cloudevents+json';

/** An entry of the event's data: `data_amount` is `amount` in it. */
const dataField = /^data_(\w+)$/;

/** The fields of an event, the same for every topic, and what a topic wants beside it. */
export function eventFields(more: z.ZodRawShape = {}): z.ZodType<Fields> {
  return withCustomFields({ ...attributes, ...more }, dataField);
}

const attributes = {
  event_type: z.string().describe('What happened, such as com.acme.customer.at_risk.'),
  event_source: z.string().exactOptional().describe('Who says so, as a URI or path. `/readback` if absent.'),
  event_subject: z.string().exactOptional().describe('What it happened to, such as the customer’s number.'),
  event_time: z.string().exactOptional().describe('When it happened, as 2027-01-31T12:00:00Z.'),
};

/** What publishing an event is, at whatever takes it. */
export const publishing = {
  unreadable: [],
  needsParent: false,
  canonical: (_field: string, value: unknown) => canonicalText(value),
};

/** For the pages of those that take events. */
export const exampleEvent = {
  event_type: 'com.acme.customer.at_risk',
  event_source: '/warehouse/churn',
  event_subject: '{{ company }}',
  data_company: '{{ company }}',
};

/** A CloudEvents 1.0 event (https://github.com/cloudevents/spec, JSON format). */
export interface Event {
  specversion: '1.0';
  id: string;
  type: string;
  source: string;
  subject?: string;
  time?: string;
  datacontenttype: 'application/json';
  data: Record<string, string>;
}

/** The event of an action. Its id is the action's key, so that whoever receives it twice can tell. */
export function eventOf(key: string, fields: Fields): Event {
  const { event_type: type = '', event_source: source = '/readback', event_subject, event_time } = fields;
  const data: Record<string, string> = {};
  for (const [field, value] of Object.entries(fields)) {
    const name = dataField.exec(field)?.[1];
    if (name !== undefined) data[name] = value;
  }
  return {
    specversion: '1.0',
    id: key,
    type,
    source,
    ...(event_subject ? { subject: event_subject } : {}),
    ...(event_time ? { time: event_time } : {}),
    datacontenttype: 'application/json',
    data,
  };
}

const storedEvent = z.looseObject({
  id: z.string(),
  type: z.string(),
  source: z.string(),
  subject: z.string().optional(),
  time: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

/** The fields of what a topic holds; undefined when it is not the event of this action. */
export function fieldsOf(key: string, payload: string): Record<string, unknown> | undefined {
  const event = storedEvent.safeParse(parse(payload)).data;
  if (event?.id !== key) return undefined;
  const { type, source, subject, time, data = {} } = event;
  return {
    event_type: type,
    event_source: source,
    event_subject: subject,
    event_time: time,
    ...Object.fromEntries(Object.entries(data).map(([name, value]) => [`data_${name}`, value])),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
