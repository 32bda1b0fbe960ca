import { z } from 'zod';
import type { Fields } from '../connector.ts';
import { withCustomFields } from '../fields.ts';
import { canonicalDue, canonicalProperty } from './canonical.ts';

/** What an action makes once: a record of this object, under our own names for its usual properties. */
export interface Creation {
  object: string;
  summary: string;
  fields: z.ZodType<Fields>;
  named: Readonly<Record<string, Named>>;
  /** Fields that must have a value when it is written. */
  required: readonly string[];
  /** Properties that HubSpot insists on, where the fields say nothing. */
  defaults(): Record<string, string>;
  example: Fields;
}

/** A property under our name. HubSpot keeps choices in upper case, and dates in UTC. */
interface Named {
  property: string;
  form?: 'choice' | 'date';
}

const text = (about: string) => z.string().describe(about);
const optional = (about: string) => z.string().exactOptional().describe(about);

const owner = { owner_id: optional('Numeric id of the HubSpot owner it is assigned to.') };
const contactAndCompany = {
  contact_email: optional(
    'Email of an existing contact to put it on. Unknown: it is refused, and nothing made.',
  ),
  contact_id: optional('Record id of the contact, instead of its email.'),
  company_id: optional('Record id of a company to put it on.'),
};
const deal = { deal_id: optional('Record id of a deal to put it on.') };
const ticket = { ticket_id: optional('Record id of a ticket to put it on.') };

function refined(fields: z.ZodType<{ contact_email?: string; contact_id?: string }>): z.ZodType<Fields> {
  return fields.refine(
    ({ contact_email, contact_id }) => contact_email === undefined || contact_id === undefined,
    'name the contact by contact_email or by contact_id, not by both',
  ) as z.ZodType<Fields>;
}

/** The named fields, and any other property by its internal name, unless it is one that has a name of ours. */
function withProperties(shape: z.ZodRawShape, named: Creation['named']): z.ZodType<Fields> {
  const taken = Object.values(named).map(({ property }) => property);
  const others = taken.filter((property) => !Object.hasOwn(shape, property)).join('|');
  return refined(withCustomFields(shape, new RegExp(`^(?!(?:${others})$)[a-z][a-z0-9_]*$`)));
}

const ticketNames: Creation['named'] = {
  subject: { property: 'subject' },
  body: { property: 'content' },
  stage: { property: 'hs_pipeline_stage' },
  pipeline: { property: 'hs_pipeline' },
  priority: { property: 'hs_ticket_priority', form: 'choice' },
  owner_id: { property: 'hubspot_owner_id' },
};

const dealNames: Creation['named'] = {
  name: { property: 'dealname' },
  stage: { property: 'dealstage' },
  pipeline: { property: 'pipeline' },
  amount: { property: 'amount' },
  close_date: { property: 'closedate', form: 'date' },
  owner_id: { property: 'hubspot_owner_id' },
};

export const creations = {
  create_task: {
    object: 'tasks',
    summary: 'Creates a task, once per action, on the records you name.',
    fields: refined(
      z.strictObject({
        subject: text('The title of the task.'),
        body: optional('The notes of the task; HubSpot reads them as HTML.'),
        due: optional(
          'Date or timestamp (ISO 8601, or milliseconds since 1970), UTC where it has no zone. Default: 23:59:59 UTC of ' +
            'the day on which it is written.',
        ),
        priority: optional('LOW, MEDIUM or HIGH.'),
        type: optional('TODO (default), CALL or EMAIL.'),
        status: optional(
          'NOT_STARTED, IN_PROGRESS, WAITING, COMPLETED or DEFERRED. Left out, a second write does not reopen a ' +
            'completed task.',
        ),
        ...owner,
        ...contactAndCompany,
        ...deal,
        ...ticket,
      }),
    ),
    named: {
      subject: { property: 'hs_task_subject' },
      body: { property: 'hs_task_body' },
      due: { property: 'hs_timestamp', form: 'date' },
      priority: { property: 'hs_task_priority', form: 'choice' },
      type: { property: 'hs_task_type', form: 'choice' },
      status: { property: 'hs_task_status', form: 'choice' },
      owner_id: { property: 'hubspot_owner_id' },
    },
    required: ['subject'],
    // The same all day, so that a second write changes nothing.
    defaults: () => ({
      hs_task_type: 'TODO',
      hs_timestamp: `${new Date().toISOString().slice(0, 10)}T23:59:59.000Z`,
    }),
    example: {
      subject: 'Call {{ name }}: churn risk {{ churn_probability }}',
      due: "{{ now | plus: '2d' }}",
      priority: 'HIGH',
      contact_email: '{{ email }}',
    },
  },
  create_note: {
    object: 'notes',
    summary: 'Puts a note on the records you name, once per action.',
    fields: refined(
      z.strictObject({
        body: text('The text of the note; HubSpot reads it as HTML, and takes at most 65,536 characters.'),
        time: optional(
          'Where it stands in the timeline: a date or timestamp as ISO 8601. Default: when it is written.',
        ),
        ...owner,
        ...contactAndCompany,
        ...deal,
        ...ticket,
      }),
    ),
    named: {
      body: { property: 'hs_note_body' },
      time: { property: 'hs_timestamp', form: 'date' },
      owner_id: { property: 'hubspot_owner_id' },
    },
    required: ['body'],
    defaults: () => ({ hs_timestamp: new Date().toISOString() }),
    example: { body: 'Churn risk {{ churn_probability }}: {{ churn_reason }}', contact_email: '{{ email }}' },
  },
  create_ticket: {
    object: 'tickets',
    summary: 'Opens a ticket, once per action, on the records you name.',
    fields: withProperties(
      {
        subject: text('The name of the ticket.'),
        body: optional('What it is about.'),
        stage: text('Internal id of the stage: 1 is New in the pipeline every account has.'),
        pipeline: optional('Internal id of the pipeline. Default: that of the account.'),
        priority: optional('LOW, MEDIUM, HIGH or URGENT.'),
        ...owner,
        ...contactAndCompany,
        ...deal,
      },
      ticketNames,
    ),
    named: ticketNames,
    required: ['subject', 'stage'],
    defaults: () => ({}),
    example: {
      subject: 'Churn risk: {{ name }}',
      body: 'Churn probability {{ churn_probability }}.',
      stage: '1',
      priority: 'HIGH',
      contact_email: '{{ email }}',
    },
  },
  create_deal: {
    object: 'deals',
    summary: 'Creates a deal, once per action, on the records you name.',
    fields: withProperties(
      {
        name: text('The name of the deal.'),
        stage: text(
          'Internal id of the stage, such as appointmentscheduled in the pipeline every account has.',
        ),
        pipeline: optional('Internal id of the pipeline. Default: that of the account.'),
        amount: optional('A number, in the currency of the account.'),
        close_date: optional('Date or timestamp, as ISO 8601.'),
        ...owner,
        ...contactAndCompany,
      },
      dealNames,
    ),
    named: dealNames,
    required: ['name', 'stage'],
    defaults: () => ({}),
    example: {
      name: 'Renewal {{ company }}',
      stage: 'appointmentscheduled',
      amount: '{{ mrr | times: 12 }}',
      close_date: '{{ renewal_date }}',
      contact_email: '{{ email }}',
    },
  },
} satisfies Record<string, Creation>;

/** The comparable form of a field of a creation, under our name. */
export function canonicalIn({ named }: Pick<Creation, 'named'>, field: string, value: unknown): string {
  const text = canonicalProperty(field, value);
  const form = named[field]?.form;
  if (form === 'date') return canonicalDue(text) ?? text;
  return form === 'choice' ? text.toUpperCase() : text;
}
