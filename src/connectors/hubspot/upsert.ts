import type { CallOptions, Outcome, Throttled, Unavailable } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { inRounds } from '../rounds.ts';
import { type Failure, type HubSpot, isPermanent, outcomeOf } from './client.ts';
import { folded } from './lookup.ts';
import { type ItemError, readObjects } from './reply.ts';

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
export async function upsert(
  hubspot: HubSpot,
  type: string,
  idProperty: string,
  inputs: Upsert[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  let stopped: Throttled | Unavailable | undefined;
  const send = async (batch: Upsert[]): Promise<Upsert[]> => {
    if (stopped) return settleAll(outcomes, batch, stopped);
    const answer = await hubspot.batchUpsert(
      type,
      batch.map((input) => asInput(idProperty, input)),
      call,
    );
    if (answer.kind === 'ok') return settle(hubspot, outcomes, idProperty, batch, answer.body);
    if (answer.kind === 'refused' && batch.length > 1) return refuseNamed(outcomes, batch, answer);
    if (answer.kind === 'throttled' || answer.kind === 'unavailable') stopped = answer;
    if (answer.kind === 'lost') {
      stopped = {
        kind: 'throttled',
        retryAfterMs: null,
        reason: 'not sent: the call before it got no answer',
      };
    }
    return settleAll(outcomes, batch, outcomeOf(answer));
  };
  for (const round of inRounds(inputs, ({ id }) => folded(id))) await inHalves(round, send);
  return outcomes;
}

/** The unique value goes in `id` alone: HubSpot sets the property from it when it creates the record. */
function asInput(idProperty: string, { key, id, properties }: Upsert): object {
  const { [idProperty]: _, ...rest } = properties;
  return { id, idProperty, properties: rest, objectWriteTraceId: key };
}

function settleAll(outcomes: Map<string, Outcome>, batch: Upsert[], outcome: Outcome): Upsert[] {
  for (const { key } of batch) outcomes.set(key, outcome);
  return [];
}

/**
 * The whole batch was refused and nothing of it written. When the answer names a property that does not exist, the
 * inputs that carry it are refused at once; what is left is to be sent again.
 */
function refuseNamed(
  outcomes: Map<string, Outcome>,
  batch: Upsert[],
  refusal: Failure & { kind: 'refused' },
): Upsert[] {
  const unknown = new Set(
    [...JSON.stringify(refusal.body).matchAll(/Property [\\"]+([a-z0-9_]+)[\\"]+ does not exist/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  return batch.filter((input) => {
    const hit = Object.keys(input.properties).some((name) => unknown.has(name));
    if (hit) outcomes.set(input.key, outcomeOf(refusal));
    return !hit;
  });
}

/** Settles what the answer names; returns the inputs that failed without being named. */
function settle(
  hubspot: HubSpot,
  outcomes: Map<string, Outcome>,
  idProperty: string,
  batch: Upsert[],
  body: Record<string, unknown>,
): Upsert[] {
  const reply = readObjects(body);
  if (!reply) return settleAll(outcomes, batch, { kind: 'ambiguous', reason: 'the answer has no results' });
  const byName = new Map(batch.map((input) => [folded(input.id), input]));
  for (const input of batch) byName.set(input.key, input);
  const open = new Set(batch);
  for (const { id, properties, objectWriteTraceId } of reply.results) {
    const input =
      byName.get(objectWriteTraceId ?? '') ?? byName.get(folded(String(properties[idProperty] ?? '')));
    if (input && open.delete(input)) outcomes.set(input.key, { kind: 'applied', id });
  }
  for (const error of reply.errors) {
    for (const name of Object.values(error.context).flat()) {
      const input = byName.get(name) ?? byName.get(folded(name));
      if (input && open.delete(input)) outcomes.set(input.key, itemOutcome(hubspot, error));
    }
  }
  const rest = [...open];
  const nameless = reply.errors.length > 0 || reply.numErrors > 0;
  if (nameless && batch.length > 1) return rest;
  const last = reply.errors[0];
  const outcome: Outcome =
    nameless && last ? itemOutcome(hubspot, last) : { kind: 'ambiguous', reason: 'missing from the answer' };
  return settleAll(outcomes, rest, outcome);
}

/** What an entry of `errors` means for its input. */
function itemOutcome(hubspot: HubSpot, error: ItemError): Outcome {
  const code = hubspot.quote(error.category);
  const reason = `HubSpot refused it: ${hubspot.quote(error.message) || code}`;
  if (/^RATE_LIMIT/.test(code)) return { kind: 'throttled', retryAfterMs: null, reason };
  if (/INTERNAL|SERVER_ERROR|TIMEOUT/.test(code)) return { kind: 'ambiguous', reason };
  return { kind: 'rejected', code, reason, permanent: isPermanent({ code, reason }) };
}
