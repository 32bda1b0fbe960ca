import { longId } from './ids.ts';

/** A field as `describe` shows it, as far as the sandbox goes. */
export interface Field {
  name: string;
  type: FieldType;
  externalId: boolean;
  unique: boolean;
  createable: boolean;
  updateable: boolean;
  /** The object a reference points to; none for one that may point to several. */
  referenceTo: string[];
}
const fieldTypes = [
  'string',
  'email',
  'phone',
  'double',
  'boolean',
  'date',
  'datetime',
  'multipicklist',
] as const;
type FieldType = (typeof fieldTypes)[number] | 'reference' | 'id';

export interface ObjectType {
  prefix: string;
  /** Without these no record is created. */
  required: string[];
  fields: Field[];
}

type Seed = Partial<Record<(typeof fieldTypes)[number], string>> & {
  prefix: string;
  required?: string;
  /** `AccountId:Account`; without an object any id will do. */
  references?: string;
};

/** Standard fields, and custom ones that a churn or renewal project would have made. */
const custom = {
  string: 'Plan__c Segment__c Source__c Churn_Reason__c',
  double: 'Churn_Risk__c Churn_Probability__c Health_Score__c MRR__c Seats__c',
  boolean: 'At_Risk__c Is_Customer__c',
  date: 'Renewal_Date__c',
  datetime: 'Scored_At__c Last_Seen_At__c',
  multipicklist: 'Products__c',
};
const seeds: Record<string, Seed> = {
  Account: {
    prefix: '001',
    required: 'Name',
    string: 'Name Industry Description Website AccountNumber BillingCity BillingCountry',
    double: 'AnnualRevenue NumberOfEmployees',
    references: 'OwnerId: ParentId:Account',
  },
  Contact: {
    prefix: '003',
    required: 'LastName',
    string: 'LastName FirstName Title Description Department MailingCity MailingPostalCode MailingCountry',
    email: 'Email',
    phone: 'Phone MobilePhone',
    references: 'OwnerId: AccountId:Account',
  },
  Lead: {
    prefix: '00Q',
    required: 'LastName Company',
    string: 'LastName FirstName Company Title Status LeadSource Description',
    email: 'Email',
    phone: 'Phone',
    references: 'OwnerId:',
  },
  Opportunity: {
    prefix: '006',
    required: 'Name StageName CloseDate',
    string: 'Name StageName Description NextStep',
    double: 'Amount Probability',
    date: 'CloseDate',
    references: 'OwnerId: AccountId:Account CampaignId:Campaign',
  },
  Task: {
    prefix: '00T',
    string: 'Subject Description Priority Status',
    date: 'ActivityDate',
    references: 'OwnerId: WhoId: WhatId:',
  },
  Case: {
    prefix: '500',
    string: 'Subject Description Priority Status Origin Type Reason',
    email: 'SuppliedEmail',
    references: 'OwnerId: ContactId:Contact AccountId:Account',
  },
  Campaign: {
    prefix: '701',
    required: 'Name',
    string: 'Name Status Type',
    boolean: 'IsActive',
    references: 'OwnerId:',
  },
  CampaignMember: {
    prefix: '00v',
    required: 'CampaignId',
    string: 'Status',
    references: 'CampaignId:Campaign ContactId:Contact LeadId:Lead',
  },
};

const words = (text = '') => text.split(' ').filter((word) => word !== '');

/** The objects a new sandbox knows. Each has the external ids `Readback_Key__c` and `Customer_Id__c`. */
export function seedObjects(): Map<string, ObjectType> {
  const objects = new Map<string, ObjectType>();
  for (const [object, seed] of Object.entries(seeds)) {
    const fields = [field('Id', 'id', { createable: false, updateable: false })];
    for (const type of fieldTypes)
      for (const name of words(
        `${seed[type] ?? ''} ${type in custom ? custom[type as keyof typeof custom] : ''}`,
      ))
        fields.push(field(name, type));
    for (const name of ['Readback_Key__c', 'Customer_Id__c'])
      fields.push(field(name, 'string', { externalId: true, unique: true }));
    for (const reference of words(seed.references)) {
      const [name = '', to = ''] = reference.split(':');
      // Whose member somebody is, is said once and for all.
      const updateable = object !== 'CampaignMember';
      fields.push(field(name, 'reference', { referenceTo: words(to), updateable }));
    }
    objects.set(object, { prefix: seed.prefix, required: words(seed.required), fields });
  }
  return objects;
}

function field(name: string, type: FieldType, more: Partial<Field> = {}): Field {
  return {
    name,
    type,
    externalId: false,
    unique: false,
    createable: true,
    updateable: true,
    referenceTo: [],
    ...more,
  };
}

/** What a field holds after this value was sent; `error` is the code with which the record is refused. */
export type Stored = { value: unknown } | { error: string } | { unparsable: string };

export function storedValue({ type }: Field, raw: unknown): Stored {
  if (raw === null || raw === undefined) return { value: null };
  const text = String(raw).trim();
  // An empty text field is null; anything else that is empty cannot be read.
  if (text === '' && ['string', 'email', 'phone', 'multipicklist'].includes(type)) return { value: null };
  switch (type) {
    case 'double':
      return /^[+-]?\d+(\.\d+)?$/.test(text) ? { value: Number(text) } : { unparsable: type };
    case 'boolean':
      return /^(true|false)$/i.test(text) ? { value: text.toLowerCase() === 'true' } : { unparsable: type };
    case 'date':
      return /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text.slice(0, 10)))
        ? { value: text.slice(0, 10) }
        : { unparsable: type };
    case 'datetime': {
      const at = /^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
      return Number.isNaN(at) ? { unparsable: type } : { value: instant(at) };
    }
    case 'email':
      return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)
        ? { value: text.toLowerCase() }
        : { error: 'INVALID_EMAIL_ADDRESS' };
    case 'reference':
      return /^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/.test(text)
        ? { value: longId(text) }
        : { error: 'MALFORMED_ID' };
    case 'multipicklist':
      return { value: text.split(';').sort().join(';') };
    default:
      return { value: text };
  }
}

/** Salesforce tells timestamps in UTC, to the second. */
function instant(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, '.000+0000');
}

/** The same value in another of the forms in which Salesforce is known to give values back. */
export function reformatted({ type }: Field, value: unknown): unknown {
  if (type === 'multipicklist') return String(value).split(';').reverse().join(';');
  if (type === 'string') return String(value).replace(/\r?\n/g, '\r\n');
  return value;
}

/** Another value of the same type. */
export function altered({ name, type, externalId }: Field, value: unknown): unknown {
  if (type === 'double') return Number(value) + 1;
  if (type === 'boolean') return value !== true;
  // A workflow may change what people see, and rarely what tells records apart.
  if (type === 'string' && !externalId && name !== 'Source__c') return `${value} (altered)`;
  return value;
}
