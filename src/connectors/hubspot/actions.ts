import type { ActionType, CallOptions, Outcome, WriteItem } from '../connector.ts';
import { canonicalProperty, canonicalTaskField } from './canonical.ts';
import type { HubSpot } from './client.ts';
import { uniqueForm } from './lookup.ts';
import {
  companyOptions,
  contactOptions,
  propertyFields,
  targetFields,
  taskFields,
  taskOptions,
  taskTargets,
} from './schema.ts';
import { writeTasks } from './tasks.ts';
import { type Upsert, upsert } from './upsert.ts';

/** 100 inputs is HubSpot's own limit for batch upsert and for batch read. */
const shared = {
  idempotency: 'upsert',
  unreadable: [],
  needsParent: false,
  maxBatch: 100,
  maxReadBatch: 100,
  // Four calls of about 400 ms fill 100 requests in 10 s.
  concurrency: 4,
  // Reads by id or unique property come from the store itself; this covers a request that outlived its deadline.
  lagMs: 5000,
} as const;

const onProperty = {
  ...shared,
  fields: propertyFields,
  locate: (fields, options) => {
    const name = String(options.id_property);
    return { [name]: uniqueForm(name, fields[name] ?? '') };
  },
  canonical: canonicalProperty,
} satisfies Partial<ActionType>;

export const actions: Readonly<Record<string, ActionType>> = {
  upsert_contact: {
    ...onProperty,
    summary: 'Creates or updates a contact.',
    options: contactOptions,
    example: {
      fields: {
        email: '{{ email }}',
        firstname: '{{ first_name }}',
        churn_probability: '{{ churn_probability }}',
      },
      options: { id_property: 'email' },
    },
  },
  upsert_company: {
    ...onProperty,
    summary: 'Creates or updates a company.',
    options: companyOptions,
    example: {
      fields: { customer_id: '{{ customer_id }}', name: '{{ company }}', churn_risk: '{{ risk }}' },
      options: { id_property: 'customer_id' },
    },
  },
  create_task: {
    ...shared,
    summary: 'Creates a task, on a contact or company if you name one.',
    fields: taskFields,
    options: taskOptions,
    locate: (fields) =>
      Object.fromEntries(
        targetFields.flatMap((name) =>
          fields[name] ? [[name, uniqueForm(taskTargets[name].idProperty, fields[name])]] : [],
        ),
      ),
    canonical: canonicalTaskField,
    example: {
      fields: {
        subject: 'Call {{ name }}: churn risk {{ churn_probability }}',
        due: "{{ now | plus: '2d' }}",
        priority: 'HIGH',
        contact_email: '{{ email }}',
      },
      options: { key_property: 'readback_key' },
    },
  },
};

/** The object each upserting action writes. */
export const upsertedTypes: Readonly<Record<string, string>> = {
  upsert_contact: 'contacts',
  upsert_company: 'companies',
};

/** Writes one batch of one action. Never throws for something HubSpot said. */
export async function write(
  hubspot: HubSpot,
  action: string,
  options: Record<string, unknown>,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const type = upsertedTypes[action];
  if (type === undefined) return writeTasks(hubspot, String(options.key_property), items, call);
  const idProperty = String(options.id_property);
  const outcomes = new Map<string, Outcome>();
  const inputs: Upsert[] = [];
  for (const { key, fields } of items) {
    const id = uniqueForm(idProperty, fields[idProperty] ?? '');
    if (id !== '') inputs.push({ key, id, properties: fields });
    else
      outcomes.set(key, {
        kind: 'rejected',
        code: 'EMPTY_ID',
        reason: `${idProperty} is empty`,
        permanent: true,
      });
  }
  for (const [key, outcome] of await upsert(hubspot, type, idProperty, inputs, call))
    outcomes.set(key, outcome);
  return outcomes;
}
