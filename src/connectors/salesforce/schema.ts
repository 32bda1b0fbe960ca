import { z } from 'zod';
import { secret, setting } from '../../config/references.ts';
import type { Fields } from '../connector.ts';
import { onlyField, withCustomFields } from '../fields.ts';

/** The YAML settings of a connection. */
export const settingsSchema = z
  .strictObject({
    instance_url: setting(z.url({ protocol: /^https?$/ })).describe(
      'The My Domain address of your org, such as https://acme.my.salesforce.com.',
    ),
    client_id: setting(z.string().min(1))
      .exactOptional()
      .describe('Consumer key of an external client app that allows the client credentials flow.'),
    client_secret: secret().exactOptional().describe('Consumer secret of that app.'),
    access_token: secret()
      .exactOptional()
      .describe('Instead of the two: an access token you renew yourself. It ends with its session.'),
  })
  .refine(
    (settings) =>
      settings.access_token === undefined
        ? settings.client_id !== undefined && settings.client_secret !== undefined
        : settings.client_id === undefined && settings.client_secret === undefined,
    'write client_id and client_secret, or access_token alone',
  );
export type Settings = z.infer<typeof settingsSchema>;

/** An API name: `LastName`, `Churn_Risk__c`. Names go into SOQL, so nothing else may pass. */
const apiName = z
  .string()
  .regex(/^[A-Za-z]\w*$/, 'write the API name, such as Customer_Id__c (Setup → Object Manager → Fields)');

/** A field, or a record to point to by its external id: `Account.Customer_Id__c`. */
const fieldName = /^([A-Za-z]\w*\.)?[A-Za-z]\w*$/;

/** Values are checked by Salesforce, not here: what the loader sees is a template, not yet a value. */
export const recordFields: z.ZodType<Fields> = z.record(
  z.string().regex(fieldName, 'write the API name of a field, such as LastName or Account.Customer_Id__c'),
  z.string(),
);

export const taskFields = withCustomFields(
  {
    Subject: z.string().describe('What is to be done.'),
    WhoId: z.string().exactOptional().describe('Record id of the contact or lead it is about.'),
    WhatId: z.string().exactOptional().describe('Record id of the account, opportunity or other record.'),
    OwnerId: z.string().exactOptional().describe('Record id of the user who is to do it.'),
    ActivityDate: z.string().exactOptional().describe('The day it is due, as YYYY-MM-DD.'),
    Priority: z.string().exactOptional().describe('High, Normal or Low, unless your org has others.'),
    Status: z.string().exactOptional().describe('Not Started unless your org has another default.'),
    Description: z.string().exactOptional().describe('Comments.'),
  },
  fieldName,
);

export const caseFields = withCustomFields(
  {
    Subject: z.string().describe('The subject line.'),
    Description: z.string().exactOptional().describe('What happened.'),
    ContactId: z.string().exactOptional().describe('Record id of the contact.'),
    AccountId: z.string().exactOptional().describe('Record id of the account.'),
    OwnerId: z.string().exactOptional().describe('Record id of a user or queue.'),
    Priority: z.string().exactOptional().describe('High, Medium or Low, unless your org has others.'),
    Status: z.string().exactOptional().describe('New unless your org has another default.'),
    Origin: z.string().exactOptional().describe('Phone, Email or Web, unless your org has others.'),
  },
  fieldName,
);

const memberShape = {
  CampaignId: z.string().describe('Record id of the campaign.'),
  ContactId: z.string().exactOptional().describe('Record id of the contact to add.'),
  LeadId: z.string().exactOptional().describe('Record id of the lead to add, instead of a contact.'),
  Status: z
    .string()
    .exactOptional()
    .describe("One of the campaign's member statuses. Its default if absent."),
};

/** A member's other standard fields belong to the contact or lead and cannot be written. */
export const memberFields = withCustomFields(memberShape, /^[A-Za-z]\w*__c$/);

const autoAssign = (fallback: boolean) =>
  z
    .boolean()
    .default(fallback)
    .describe('Whether assignment rules run, which may give the record another owner at every write.');

const keyField = apiName
  .default('Readback_Key__c')
  .describe('The custom field that holds our key: Text(64) or longer, External ID and Unique ticked.');

const parentField = apiName
  .exactOptional()
  .describe(
    'With `follows`: the field that gets the id of the record the other destination made, such as WhoId.',
  );

export const recordOptions = z.strictObject({
  object: apiName.describe('API name of the object, such as Contact, Account, Lead or Invoice__c.'),
  external_id: apiName.describe(
    'The external id field that decides which record is meant; a text field, and among the fields.',
  ),
  auto_assign: autoAssign(false),
  parent_field: parentField,
});

export const taskOptions = z.strictObject({ key_field: keyField, parent_field: parentField });
export const caseOptions = z.strictObject({
  key_field: keyField,
  auto_assign: autoAssign(true),
  parent_field: parentField,
});
export const deletionOptions = z.strictObject({
  object: apiName.describe('API name of the object of the record, such as Task.'),
});
export const deletionFields = onlyField(
  'deleted',
  'true',
  'Only true: what is deleted, only people bring back.',
);

export const memberOptions = z.strictObject({ parent_field: parentField });
