import type { CallOptions, Fields, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { beforeWriting } from '../rest.ts';
import type { Salesforce, SObject } from './client.ts';
import { find, folded, type Looked } from './find.ts';
import { longId } from './ids.ts';
import { recordOf } from './record.ts';
import { type Saving, save } from './save.ts';

export const memberObject = 'CampaignMember';

/** What makes a campaign member unique, by the columns that hold it; undefined when fields do not say it. */
export function membership(fields: Fields): { by: string[]; values: string[] } | undefined {
  const [campaign, contact, lead] = ['CampaignId', 'ContactId', 'LeadId'].map((name) =>
    longId((fields[name] ?? '').trim()),
  );
  if (!campaign || Boolean(contact) === Boolean(lead)) return undefined;
  return contact
    ? { by: ['CampaignId', 'ContactId'], values: [campaign, contact] }
    : { by: ['CampaignId', 'LeadId'], values: [campaign, lead ?? ''] };
}

/**
 * A person is in a campaign at most once, which Salesforce sees to; but it has no upsert on that. So those who are in it
 * are looked up, and changed by their id; the others are created.
 */
export async function addMembers(
  salesforce: Salesforce,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const looked = await findMembers(salesforce, items, ['Status'], call);
  const creations: Saving[] = [];
  const changes: Saving[] = [];
  for (const { key, fields } of items) {
    const member = membership(fields);
    const found = looked(fields);
    if (!member || !found)
      outcomes.set(
        key,
        rejected('NO_MEMBER', 'CampaignId and one of ContactId and LeadId must have a value'),
      );
    else if (found === 'several')
      outcomes.set(key, rejected('SEVERAL', 'they are in the campaign more than once'));
    else if (found === 'absent')
      creations.push({ key, name: folded(member.values), record: creation(fields, member) });
    else if ('problem' in found) outcomes.set(key, beforeWriting(found.problem));
    else changes.push({ key, name: found.id, record: change(fields, found.id) });
  }
  for (const [saving, send] of [
    [creations, (records: SObject[]) => salesforce.create(records, call)],
    [changes, (records: SObject[]) => salesforce.update(records, call)],
  ] as const)
    for (const [key, outcome] of await save(saving, 'campaign member', send)) outcomes.set(key, outcome);
  return outcomes;
}

/** The members that these fields mean; undefined where they mean none. */
export async function findMembers(
  salesforce: Salesforce,
  items: { fields: Fields }[],
  columns: string[],
  call: CallOptions,
): Promise<(fields: Fields) => Looked | undefined> {
  const answers = new Map<string, (values: string[]) => Looked>();
  const members = items.flatMap(({ fields }) => membership(fields) ?? []);
  for (const person of ['ContactId', 'LeadId']) {
    const values = members.flatMap(({ by, values }) => (by[1] === person ? [values] : []));
    if (values.length === 0) continue;
    const question = { object: memberObject, by: ['CampaignId', person], columns };
    answers.set(person, await find(salesforce, question, values, call));
  }
  return (fields) => {
    const member = membership(fields);
    return member && answers.get(member.by[1] ?? '')?.(member.values);
  };
}

function creation(fields: Fields, { by, values }: { by: string[]; values: string[] }): SObject {
  const names = Object.fromEntries(by.map((column, at) => [column, values[at] ?? '']));
  return recordOf(memberObject, { ...settable(fields), ...names });
}

/** Whose member it is cannot be changed, and may not even be sent again. */
function change(fields: Fields, id: string): SObject {
  return { ...recordOf(memberObject, settable(fields)), id };
}

function settable({ CampaignId: _, ContactId: __, LeadId: ___, ...others }: Fields): Fields {
  return others;
}
