/** A property definition, as the properties endpoints show it. */
export interface Property {
  name: string;
  label: string;
  type: 'string' | 'number' | 'datetime' | 'date' | 'bool' | 'enumeration';
  fieldType: string;
  groupName: string;
  hasUniqueValue: boolean;
  options: { label: string; value: string }[];
}

type Type = Property['type'];

/** Standard names of HubSpot, and custom ones that a churn or renewal project would have made. */
const seeds: Record<
  string,
  Partial<Record<Type, string>> & { unique: string; choice?: Record<string, string> }
> = {
  contacts: {
    unique: 'customer_id external_id user_id readback_key',
    string:
      'email firstname lastname phone mobilephone company website jobtitle address city state zip country ' +
      'hubspot_owner_id hs_additional_emails hs_merged_object_ids plan segment churn_reason churn_risk_level account_name',
    number:
      'churn_probability churn_risk churn_score health_score mrr arr ltv orders seats nps last_deal_amount deal_amount',
    datetime: 'last_seen_at last_order_at scored_at churn_scored_at',
    date: 'renewal_date signup_date',
    bool: 'is_customer at_risk',
    choice: {
      lifecyclestage:
        'subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other',
      hs_lead_status: 'NEW OPEN IN_PROGRESS OPEN_DEAL UNQUALIFIED ATTEMPTED_TO_CONTACT CONNECTED BAD_TIMING',
    },
  },
  companies: {
    unique: 'customer_id company_id account_id external_id readback_key',
    string:
      'name domain website phone industry description city state zip country hubspot_owner_id ' +
      'hs_merged_object_ids plan segment churn_reason churn_risk churn_risk_level',
    number:
      'churn_probability churn_score health_score mrr arr ltv seats nps annualrevenue numberofemployees stock',
    datetime: 'last_seen_at last_order_at scored_at churn_scored_at',
    date: 'renewal_date signup_date',
    bool: 'is_customer at_risk',
    choice: {
      lifecyclestage:
        'subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other',
    },
  },
  deals: {
    unique: 'contract_id external_id readback_key',
    string: 'dealname dealstage pipeline description hubspot_owner_id hs_merged_object_ids plan churn_reason',
    number: 'amount mrr arr seats churn_probability churn_risk',
    datetime: 'closedate',
    date: 'renewal_date',
    choice: { dealtype: 'newbusiness existingbusiness' },
  },
  tickets: {
    unique: 'external_id readback_key',
    string:
      'subject content hs_pipeline hs_pipeline_stage hubspot_owner_id hs_merged_object_ids sku churn_reason',
    number: 'churn_probability churn_risk days_left',
    choice: { hs_ticket_priority: 'LOW MEDIUM HIGH URGENT' },
  },
  notes: {
    unique: 'readback_key',
    string: 'hs_note_body hubspot_owner_id hs_merged_object_ids',
    datetime: 'hs_timestamp',
  },
  // A custom object.
  p_invoices: {
    unique: 'invoice_id readback_key',
    string: 'name currency hs_merged_object_ids',
    number: 'amount',
    date: 'due_date',
    bool: 'is_paid',
  },
  tasks: {
    unique: 'readback_key',
    string: 'hs_task_subject hs_task_body hubspot_owner_id hs_merged_object_ids',
    datetime: 'hs_timestamp',
    choice: {
      hs_task_status: 'NOT_STARTED IN_PROGRESS WAITING COMPLETED DEFERRED',
      hs_task_priority: 'NONE LOW MEDIUM HIGH',
      hs_task_type: 'TODO CALL EMAIL',
    },
  },
};

/** Each object can be named by its type id as well. */
export const objectTypeIds: Readonly<Record<string, string>> = {
  contacts: '0-1',
  companies: '0-2',
  deals: '0-3',
  tickets: '0-5',
  tasks: '0-27',
  notes: '0-46',
  p_invoices: '2-3465404',
};

/** What must have a value when a record is created. */
export const requiredProperties: Readonly<Record<string, readonly string[]>> = {
  tasks: ['hs_timestamp'],
  notes: ['hs_timestamp'],
  tickets: ['subject', 'hs_pipeline_stage'],
  deals: ['dealname', 'dealstage'],
};

const words = (text = '') => text.split(' ').filter((word) => word !== '');

/** The properties a new sandbox knows, by object type and name. */
export function seedProperties(): Map<string, Map<string, Property>> {
  const types = new Map<string, Map<string, Property>>();
  for (const [type, { unique, choice, ...plain }] of Object.entries(seeds)) {
    const known = new Map<string, Property>();
    const put = (property: Parameters<typeof makeProperty>[0]) =>
      known.set(property.name, makeProperty(property));
    for (const name of words(unique)) put({ name, hasUniqueValue: true });
    for (const [kind, names] of Object.entries(plain)) {
      for (const name of words(names)) put({ name, type: kind as Type });
    }
    for (const [name, values] of Object.entries(choice ?? {})) {
      put({ name, type: 'enumeration', options: words(values).map((value) => ({ label: value, value })) });
    }
    types.set(type, known);
  }
  return types;
}

export function makeProperty(given: Partial<Property> & { name: string }): Property {
  return {
    name: given.name,
    label: given.label ?? given.name,
    type: given.type ?? 'string',
    fieldType: given.fieldType ?? 'text',
    groupName: given.groupName ?? 'sandbox',
    hasUniqueValue: given.hasUniqueValue ?? false,
    options: given.options ?? [],
  };
}

/** What HubSpot stores for a value, or the `error` code with which it refuses it. */
export function storedValue(property: Property, raw: unknown): { value: string | null } | { error: string } {
  const text = String(raw ?? '').trim();
  if (text === '') return { value: null };
  if (property.name === 'email') {
    return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)
      ? { value: text.toLowerCase() }
      : { error: 'INVALID_EMAIL' };
  }
  if (property.name === 'domain') return { value: text.toLowerCase() };
  switch (property.type) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(text) ? { value: text } : { error: 'INVALID_NUMBER' };
    case 'bool':
      return /^(true|false)$/i.test(text) ? { value: text.toLowerCase() } : { error: 'INVALID_OPTION' };
    case 'enumeration':
      return property.options.some(({ value }) => value === text)
        ? { value: text }
        : { error: 'INVALID_OPTION' };
    case 'date':
    case 'datetime': {
      const at = new Date(/^\d+$/.test(text) ? Number(text) : text);
      if (Number.isNaN(at.getTime())) return { error: 'INVALID_DATE' };
      return { value: property.type === 'date' ? at.toISOString().slice(0, 10) : at.toISOString() };
    }
    default:
      return { value: text };
  }
}

/** The same value in another of the forms in which HubSpot is known to give values back. */
export function reformatted(property: Property, value: string): string {
  if (property.type === 'number') return value.includes('.') ? `${value}0` : `${value}.0`;
  if (property.type === 'datetime') return value.replace('.000Z', 'Z');
  return value.trim();
}

/** Another value of the same type. */
export function altered(property: Property, value: string): string {
  if (property.type === 'number') return String(Number(value) + 1);
  if (property.type === 'string' && !property.hasUniqueValue && property.name !== 'email')
    return `${value} (altered)`;
  return value;
}
