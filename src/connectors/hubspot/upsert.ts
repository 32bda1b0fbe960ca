import type { CallOptions, Outcome } from '../connector.ts';
import { inRounds } from '../rounds.ts';
import { itemOutcome, type Settled, writeBatches } from './batches.ts';
import type { HubSpot, Refused } from './client.ts';
import { folded } from './lookup.ts';
import { readObjects } from './reply.ts';

export interface Upsert {
  /** The action's key; travels as `objectWriteTraceId`, the only thing that names an input in an answer. */
  key: string;
  /** Value of the unique property. */
  id: string;
  properties: Record<string, string>;
}

/**
 * Creates or updates records on a unique property. Answers are mapped by trace id or unique value, never by position.
 * Inputs with the same unique value go in calls of their own, in order: HubSpot does not take them together.
 */
export function upsert(
  hubspot: HubSpot,
  object: string,
  idProperty: string,
  inputs: Upsert[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  return writeBatches(
    hubspot,
    inRounds(inputs, ({ id }) => folded(id)),
    {
      send: (batch) =>
        hubspot.batchUpsert(
          object,
          batch.map((input) => asInput(idProperty, input)),
          call,
        ),
      settle: (batch, body) => settle(hubspot, idProperty, batch, body),
      named: carriesUnknown,
    },
  );
}

/** The unique value goes in `id` alone: HubSpot sets the property from it when it creates the record. */
function asInput(idProperty: string, { key, id, properties }: Upsert): object {
  const { [idProperty]: _, ...rest } = properties;
  return { id, idProperty, properties: rest, objectWriteTraceId: key };
}

/** When the refusal names a property that does not exist, it is about the inputs that carry it. */
function carriesUnknown(batch: Upsert[], refusal: Refused): Upsert[] {
  const unknown = new Set(
    [...JSON.stringify(refusal.body).matchAll(/Property [\\"]+([a-z0-9_]+)[\\"]+ does not exist/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  return batch.filter((input) => Object.keys(input.properties).some((name) => unknown.has(name)));
}

function settle(
  hubspot: HubSpot,
  idProperty: string,
  batch: Upsert[],
  body: Record<string, unknown>,
): Settled<Upsert> | undefined {
  const reply = readObjects(body);
  if (!reply) return undefined;
  const outcomes = new Map<Upsert, Outcome>();
  const settleOne = (input: Upsert | undefined, outcome: Outcome) => {
    if (input && !outcomes.has(input)) outcomes.set(input, outcome);
  };
  const byName = new Map(batch.map((input) => [folded(input.id), input]));
  for (const input of batch) byName.set(input.key, input);
  for (const { id, properties, objectWriteTraceId } of reply.results) {
    const input =
      byName.get(objectWriteTraceId ?? '') ?? byName.get(folded(String(properties[idProperty] ?? '')));
    settleOne(input, { kind: 'applied', id });
  }
  for (const error of reply.errors)
    for (const name of Object.values(error.context).flat())
      settleOne(byName.get(name) ?? byName.get(folded(name)), itemOutcome(hubspot, error));
  return { outcomes, complaint: reply.complaint };
}
