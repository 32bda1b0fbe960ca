import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { type Action, type Options, shared } from './action.ts';
import { canonicalProperty } from './canonical.ts';
import type { HubSpot } from './client.ts';
import { uniqueForm } from './lookup.ts';
import { lookUpItems, readingFor } from './readback.ts';
import { companyOptions, contactOptions, propertyFields, recordOptions } from './schema.ts';
import { type Upsert, upsert } from './upsert.ts';

/** An action that creates or updates records on a unique property of theirs. */
function upserting(
  object: (options: Options) => string,
  own: Pick<Action, 'summary' | 'options' | 'example'>,
): Action {
  return {
    ...shared,
    ...own,
    fields: propertyFields,
    canonical: canonicalProperty,
    locate: (fields, { id_property }) => {
      const name = String(id_property);
      return { [name]: uniqueForm(name, fields[name] ?? '') };
    },
    needs: (options) => [{ kind: 'property', object: object(options), name: String(options.id_property) }],
    write: (hubspot, options, items, call) =>
      writeRecords(hubspot, object(options), String(options.id_property), items, call),
    read: async (hubspot, options, items, call) => {
      const idProperty = String(options.id_property);
      const looked = await lookUpItems(
        hubspot,
        { object: object(options), idProperty },
        items,
        ({ locator }) => locator[idProperty] ?? '',
        items.flatMap(({ fields }) => fields),
        call,
      );
      return new Map(items.map((item) => [item.key, readingFor(item, looked(item), (name) => name)]));
    },
  };
}

async function writeRecords(
  hubspot: HubSpot,
  object: string,
  idProperty: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const inputs: Upsert[] = [];
  for (const { key, fields } of items) {
    const id = uniqueForm(idProperty, fields[idProperty] ?? '');
    if (id !== '') inputs.push({ key, id, properties: fields });
    else outcomes.set(key, rejected('EMPTY_ID', `${idProperty} is empty`));
  }
  for (const [key, outcome] of await upsert(hubspot, object, idProperty, inputs, call))
    outcomes.set(key, outcome);
  return outcomes;
}

export const upserts: Readonly<Record<string, Action>> = {
  upsert_contact: upserting(() => 'contacts', {
    summary: 'Creates or updates a contact. Fields are contact properties by their internal names.',
    options: contactOptions,
    example: {
      fields: {
        email: '{{ email }}',
        firstname: '{{ first_name }}',
        churn_probability: '{{ churn_probability }}',
      },
      options: { id_property: 'email' },
    },
  }),
  upsert_company: upserting(() => 'companies', {
    summary: 'Creates or updates a company. Fields are company properties by their internal names.',
    options: companyOptions,
    example: {
      fields: { customer_id: '{{ customer_id }}', name: '{{ company }}', churn_risk: '{{ risk }}' },
      options: { id_property: 'customer_id' },
    },
  }),
  upsert_record: upserting(({ object }) => String(object), {
    summary: 'Creates or updates a deal, a ticket, a record of a custom object, or any other.',
    options: recordOptions,
    example: {
      fields: {
        contract_id: '{{ contract_id }}',
        dealname: 'Renewal {{ company }}',
        dealstage: 'contractsent',
        amount: '{{ amount }}',
      },
      options: { object: 'deals', id_property: 'contract_id' },
    },
  }),
};
