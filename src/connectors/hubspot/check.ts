import type { CallOptions, Finding } from '../connector.ts';
import { upsertedTypes } from './actions.ts';
import type { Failure, HubSpot } from './client.ts';

/** Proves that the token works and that every unique property the actions build on exists and is unique. */
export async function check(
  hubspot: HubSpot,
  actions: { action: string; options: Record<string, unknown> }[],
  call: CallOptions,
): Promise<Finding[]> {
  const first = await hubspot.firstRecord('contacts', call);
  if (first.kind !== 'ok') return [connectionFinding(first)];
  const wanted = new Map<string, { type: string; name: string }>();
  for (const { action, options } of actions) {
    const type = upsertedTypes[action] ?? 'tasks';
    const name = String((type === 'tasks' ? options.key_property : options.id_property) ?? '');
    // HubSpot keeps contact emails unique by itself and does not mark the property so.
    if (name !== '' && !(type === 'contacts' && name === 'email'))
      wanted.set(`${type}/${name}`, { type, name });
  }
  const findings: Finding[] = [];
  for (const { type, name } of wanted.values()) {
    const finding = await propertyFinding(hubspot, type, name, call);
    if (finding) findings.push(finding);
  }
  return findings;
}

async function propertyFinding(
  hubspot: HubSpot,
  type: string,
  name: string,
  call: CallOptions,
): Promise<Finding | undefined> {
  const singular = { contacts: 'Contact', companies: 'Company' }[type] ?? 'Task';
  const create =
    `In HubSpot open Settings → Properties, choose ${singular} properties, create a property with the ` +
    `internal name ${name} and the field type "Single-line text", and tick "Require unique values for this property".`;
  const answer = await hubspot.property(type, name, call);
  if (answer.kind === 'refused') {
    return { problem: `HubSpot has no ${singular.toLowerCase()} property ${name}.`, hint: create };
  }
  if (answer.kind !== 'ok') return connectionFinding(answer);
  if (answer.body.hasUniqueValue === true) return undefined;
  return {
    problem: `The ${singular.toLowerCase()} property ${name} does not require unique values, so nothing can be upserted on it.`,
    hint: `HubSpot cannot make an existing property unique. Name another one. ${create}`,
  };
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
        'Give the private app the scopes crm.objects.contacts.read and .write, crm.objects.companies.read and ' +
        '.write, and crm.schemas.contacts.read and crm.schemas.companies.read.',
    };
  }
  return {
    problem: failure.reason,
    hint: 'Check the network and base_url of the connection, then try again.',
  };
}
