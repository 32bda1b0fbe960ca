import { isOfConnection } from '../calls.ts';
import type { Outcome, Throttled, Unavailable } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { type Answer, type HubSpot, isAboutAll, isPermanent, outcomeOf, type Refused } from './client.ts';
import type { ItemError } from './reply.ts';

/** One kind of batch: how it is sent, and what its answer says. */
export interface Batch<Item extends { key: string }> {
  send(batch: Item[]): Promise<Answer>;
  /** What an answer with a good status says; an item that it does not settle stays open. */
  settle(batch: Item[], body: Record<string, unknown>): Settled<Item> | undefined;
  /** The items that this refusal of the whole batch names; the others are sent again. */
  named?(batch: Item[], refusal: Refused): Item[];
}

export interface Settled<Item> {
  outcomes: Map<Item, Outcome>;
  /** What the answer complains of, be it about an item that it does not name. */
  complaint: ItemError | undefined;
}

/**
 * Sends each round in one call, and in more where HubSpot refuses items together and does not name the bad one. Nothing
 * more is sent once the connection has to rest or a call got no answer.
 */
export async function writeBatches<Item extends { key: string }>(
  hubspot: HubSpot,
  rounds: Item[][],
  { send, settle, named = () => [] }: Batch<Item>,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  let stopped: Throttled | Unavailable | undefined;
  const settleAll = (batch: Item[], outcome: Outcome): Item[] => {
    for (const { key } of batch) outcomes.set(key, outcome);
    return [];
  };
  const answered = (batch: Item[], body: Record<string, unknown>): Item[] => {
    const settled = settle(batch, body);
    if (!settled) return settleAll(batch, { kind: 'ambiguous', reason: 'the answer has no results' });
    for (const [{ key }, outcome] of settled.outcomes) outcomes.set(key, outcome);
    const rest = batch.filter((item) => !settled.outcomes.has(item));
    if (settled.complaint && batch.length > 1) return rest;
    return settleAll(
      rest,
      settled.complaint
        ? itemOutcome(hubspot, settled.complaint)
        : { kind: 'ambiguous', reason: 'missing from the answer' },
    );
  };
  const work = async (batch: Item[]): Promise<Item[]> => {
    if (stopped) return settleAll(batch, stopped);
    const answer = await send(batch);
    if (answer.kind === 'ok') return answered(batch, answer.body);
    if (answer.kind === 'refused' && batch.length > 1 && !isAboutAll(answer)) {
      const hit = new Set(named(batch, answer));
      settleAll([...hit], outcomeOf(answer));
      return batch.filter((item) => !hit.has(item));
    }
    if (isOfConnection(answer)) stopped = answer;
    if (answer.kind === 'lost')
      stopped = {
        kind: 'throttled',
        retryAfterMs: null,
        reason: 'not sent: the call before it got no answer',
      };
    return settleAll(batch, outcomeOf(answer));
  };
  for (const round of rounds) await inHalves(round, work);
  return outcomes;
}

/** What an entry of `errors` means for its input. */
export function itemOutcome(hubspot: HubSpot, error: ItemError): Outcome {
  const code = hubspot.quote(error.category);
  const reason = `HubSpot refused it: ${hubspot.quote(error.message) || code}`;
  if (/^RATE_LIMIT/.test(code)) return { kind: 'throttled', retryAfterMs: null, reason };
  if (/INTERNAL|SERVER_ERROR|TIMEOUT/.test(code)) return { kind: 'ambiguous', reason };
  return { kind: 'rejected', code, reason, permanent: isPermanent({ code, reason }) };
}
