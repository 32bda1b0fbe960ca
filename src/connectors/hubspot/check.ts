import type { CallOptions, Finding } from '../connector.ts';
import type { ListName, Need, Options } from './action.ts';
import { actions } from './actions.ts';
import type { Failure, HubSpot } from './client.ts';
import { readList } from './reply.ts';

/** Proves that the token works and that every unique property and list the actions build on can be relied on. */
export async function check(
  hubspot: HubSpot,
  wanted: { action: string; options: Options }[],
  call: CallOptions,
): Promise<Finding[]> {
  const needs = new Map<string, Need>();
  for (const { action, options } of wanted)
    for (const need of actions[action]?.needs(options) ?? []) needs.set(JSON.stringify(need), need);
  const objects = new Set([...needs.values()].flatMap((need) => ('object' in need ? [need.object] : [])));
  if (objects.size === 0) objects.add('contacts');
  const findings: Finding[] = [];
  for (const object of objects) {
    const first = await hubspot.firstRecord(object, call);
    if (first.kind === 'unavailable' || first.kind === 'throttled' || first.kind === 'lost')
      return [connectionFinding(first)];
    if (first.kind === 'refused') findings.push(noObject(object, first));
  }
  if (findings.length > 0) return findings;
  for (const need of needs.values()) {
    const finding =
      need.kind === 'list'
        ? await listFinding(hubspot, need.list, call)
        : await propertyFinding(hubspot, need.object, need.name, call);
    if (finding) findings.push(finding);
  }
  return findings;
}

function noObject(object: string, { reason }: Failure): Finding {
  return {
    problem: `HubSpot has no object ${object}, or the private app may not read it: ${reason}`,
    hint:
      'Write contacts, companies, deals or tickets, or a custom object by its fully qualified name or objectTypeId ' +
      '(GET /crm/v3/schemas), and give the private app its read and write scopes.',
  };
}

const singulars: Readonly<Record<string, string>> = {
  contacts: 'contact',
  companies: 'company',
  deals: 'deal',
  tickets: 'ticket',
  tasks: 'task',
  notes: 'note',
};

async function propertyFinding(
  hubspot: HubSpot,
  object: string,
  name: string,
  call: CallOptions,
): Promise<Finding | undefined> {
  // HubSpot keeps record ids and contact emails unique by itself, and does not mark these properties so.
  if (name === 'hs_object_id' || (['contacts', '0-1'].includes(object) && name === 'email')) return undefined;
  const singular = singulars[object] ?? object;
  const create =
    `In HubSpot open Settings → Properties, choose ${singular} properties, create a property with the ` +
    `internal name ${name} and the field type "Single-line text", and tick "Require unique values for this property".`;
  const answer = await hubspot.property(object, name, call);
  if (answer.kind === 'refused')
    return { problem: `HubSpot has no ${singular} property ${name}.`, hint: create };
  if (answer.kind !== 'ok') return connectionFinding(answer);
  if (answer.body.hasUniqueValue === true) return undefined;
  return {
    problem: `The ${singular} property ${name} does not require unique values, so it cannot tell records apart.`,
    hint: `HubSpot cannot make an existing property unique. Name another one. ${create}`,
  };
}

async function listFinding(
  hubspot: HubSpot,
  wanted: ListName,
  call: CallOptions,
): Promise<Finding | undefined> {
  const name = wanted.name ?? wanted.id;
  const answer = await hubspot.list(wanted, call);
  const make =
    'In HubSpot open CRM → Segments (Lists), and make a static list of this object, or name another.';
  if (answer.kind === 'refused')
    return { problem: `HubSpot has no list ${name} of ${wanted.objectTypeId} records.`, hint: make };
  if (answer.kind !== 'ok') return connectionFinding(answer);
  const list = readList(answer.body);
  if (!list) return { problem: `HubSpot does not describe the list ${name}.`, hint: make };
  if (list.objectTypeId !== wanted.objectTypeId)
    return {
      problem: `The list ${name} holds ${list.objectTypeId} records, not ${wanted.objectTypeId}.`,
      hint: 'Write the object of the list in the option object.',
    };
  if (list.processingType !== 'DYNAMIC') return undefined;
  return { problem: `The list ${name} is active: HubSpot alone decides who is in it.`, hint: make };
}

function connectionFinding(failure: Failure): Finding {
  if (failure.kind === 'unavailable' && failure.code === 'unauthorized') {
    return {
      problem: failure.reason,
      hint: 'Put the access token of a HubSpot private app (Settings → Integrations → Private Apps) in access_token.',
    };
  }
  if (failure.kind === 'unavailable' && failure.code === 'forbidden') {
    return {
      problem: failure.reason,
      hint:
        'Give the private app the scopes crm.objects.contacts.read and .write (tasks and notes need them, too), and ' +
        'crm.schemas.contacts.read; the same of companies, deals, tickets or custom where an action writes or names ' +
        'them; crm.lists.read and .write for lists.',
    };
  }
  return {
    problem: failure.reason,
    hint: 'Check the network and base_url of the connection, then try again.',
  };
}
