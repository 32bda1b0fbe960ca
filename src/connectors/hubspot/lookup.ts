import type { CallOptions } from '../connector.ts';
import { inHalves } from '../halves.ts';
import type { Failure, HubSpot } from './client.ts';
import { readObjects } from './reply.ts';

export interface HubSpotRecord {
  kind: 'record';
  id: string;
  properties: Record<string, unknown>;
}
export type Looked = HubSpotRecord | { kind: 'absent' } | Failure;

/** Other values under which HubSpot finds the same record: secondary emails, and ids of records merged into it. */
const aliasProperties = ['hs_additional_emails', 'hs_merged_object_ids'];

/**
 * Looks records up by id, or by a unique property, in one call. Absent is only what HubSpot names as missing; a value
 * that the answer is silent about is lost. Ask the result with `under`.
 */
export async function lookUp(
  hubspot: HubSpot,
  by: { type: string; idProperty: string | undefined; properties: string[] },
  values: string[],
  call: CallOptions,
): Promise<Map<string, Looked>> {
  const found = new Map<string, Looked>();
  const properties = [
    ...new Set([...by.properties, ...aliasProperties, ...(by.idProperty ? [by.idProperty] : [])]),
  ];
  await inHalves([...new Set(values.map((value) => uniqueForm(by.idProperty, value)))], async (batch) => {
    const answer = await hubspot.batchRead(by.type, by.idProperty, batch, properties, call);
    if (answer.kind === 'refused' && batch.length > 1) return batch;
    if (answer.kind !== 'ok') {
      for (const value of batch) found.set(value, answer);
      return [];
    }
    const named = namedRecords(answer.body, by.idProperty);
    const silence: Failure = { kind: 'lost', reason: 'the answer says nothing about this record' };
    for (const value of batch) found.set(value, named.get(value) ?? named.get(folded(value)) ?? silence);
    return [];
  });
  return found;
}

/** What `lookUp` found for a value. */
export function under(
  found: Map<string, Looked>,
  idProperty: string | undefined,
  value: string,
): Looked | undefined {
  return found.get(uniqueForm(idProperty, value));
}

/** Every name in the answer, as it stands and without case, with what it belongs to. */
function namedRecords(body: Record<string, unknown>, idProperty: string | undefined): Map<string, Looked> {
  const named = new Map<string, Looked>();
  const put = (name: string, looked: Looked) => {
    named.set(name, looked);
    if (!named.has(folded(name))) named.set(folded(name), looked);
  };
  const reply = readObjects(body);
  for (const name of reply?.errors.flatMap((error) => Object.values(error.context).flat()) ?? []) {
    put(name, { kind: 'absent' });
  }
  for (const { id, properties, archived } of reply?.results ?? []) {
    const record: Looked = archived ? { kind: 'absent' } : { kind: 'record', id, properties };
    const aliases = properties[idProperty ? 'hs_additional_emails' : 'hs_merged_object_ids'];
    for (const alias of String(aliases ?? '').split(';')) put(alias, record);
    put(String((idProperty ? properties[idProperty] : id) ?? ''), record);
  }
  return named;
}

/** A unique value as HubSpot takes it: emails in lower case, anything else as it is, without outer spaces. */
export function uniqueForm(idProperty: string | undefined, value: string): string {
  return idProperty === 'email' ? folded(value) : value.trim();
}

/** The form in which two values can at most be meant to be the same. */
export function folded(value: string): string {
  return value.trim().toLowerCase();
}
