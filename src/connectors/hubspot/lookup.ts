import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { rejected } from '../outcomes.ts';
import { type Failure, type HubSpot, isAboutAll, outcomeOf } from './client.ts';
import { readObjects } from './reply.ts';

export interface HubSpotRecord {
  kind: 'record';
  id: string;
  properties: Record<string, unknown>;
}
/** An object, and the unique property by which its records are named; undefined: by their record ids. */
export interface Place {
  object: string;
  idProperty: string | undefined;
}

/** The property that holds the record id at HubSpot, and stands for it in our options. */
const recordId = 'hs_object_id';

/** The place that two options name. */
export function placeOf(object: unknown, property: unknown): Place {
  return { object: String(object), idProperty: property === recordId ? undefined : String(property) };
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
  by: Place & { properties: string[] },
  values: string[],
  call: CallOptions,
): Promise<Map<string, Looked>> {
  const found = new Map<string, Looked>();
  const properties = [
    ...new Set([...by.properties, ...aliasProperties, ...(by.idProperty ? [by.idProperty] : [])]),
  ];
  await inHalves([...new Set(values.map((value) => uniqueForm(by.idProperty, value)))], async (batch) => {
    const answer = await hubspot.batchRead(by.object, by.idProperty, batch, properties, call);
    if (answer.kind === 'refused' && batch.length > 1 && !isAboutAll(answer)) return batch;
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

/**
 * The id of the record that a field names, before anything is written: a lookup that was lost is then a definite no that
 * is worth another attempt, and so is the first that finds nothing, as what is read may be behind what was written.
 */
export function idIn(
  found: Map<string, Looked>,
  { object, idProperty }: Place,
  { fields, mayRepeat }: Pick<WriteItem, 'fields' | 'mayRepeat'>,
  field: string,
): { id: string } | { failure: Outcome } {
  const value = fields[field] ?? '';
  const looked = value.trim() === '' ? undefined : under(found, idProperty, value);
  if (!looked) return { failure: rejected('EMPTY_TARGET', `${field} is empty, so it names no record`) };
  if (looked.kind === 'record') return { id: looked.id };
  if (looked.kind === 'absent') {
    const by = idProperty ?? 'id';
    const no = rejected('UNKNOWN_TARGET', `HubSpot has no ${object} record with this ${by} (field ${field})`);
    return { failure: { ...no, permanent: mayRepeat } };
  }
  return { failure: beforeWriting(looked, field) };
}

/** What a question that failed before a write means for an item: nothing was written. */
export function beforeWriting(failure: Failure, about: string): Outcome {
  if (failure.kind !== 'lost') return outcomeOf(failure);
  return { kind: 'rejected', code: 'LOOKUP_FAILED', reason: `${about}: ${failure.reason}`, permanent: false };
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
