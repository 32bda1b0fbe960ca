import type { CallOptions, Outcome, Throttled, Unavailable, WriteItem } from '../connector.ts';
import { inHalves } from '../halves.ts';
import { inRounds } from '../rounds.ts';
import { type Binding, bindWrite, bodyOf, typeOf } from './binding.ts';
import type { Api } from './client.ts';
import type { Definition } from './grammar.ts';
import { isSuccess, type Refusal, refusalOf, resultOf } from './outcome.ts';
import { at } from './pointer.ts';
import { idReader, requestOf } from './request.ts';
import { fillText, wholeName } from './template.ts';
import { canonicalValue } from './values.ts';

interface Sent {
  item: WriteItem;
  binding: Binding;
  /** What a result of this item holds at the pointer of `match`. */
  match: string;
}

/** Items that a result could not tell apart go in requests of their own, in order. */
export async function writeBatches(
  api: Api,
  definition: Definition,
  items: readonly WriteItem[],
  outcomes: Map<string, Outcome>,
  call: CallOptions,
): Promise<void> {
  const sent = items.map((item): Sent => {
    const binding = bindWrite(definition, item);
    return { item, binding, match: matchOf(definition, binding) };
  });
  let stopped: Throttled | Unavailable | undefined;
  for (const round of inRounds(sent, ({ match }) => match))
    await inHalves(round, async (batch) => {
      if (stopped) return settle(outcomes, batch, stopped);
      const { left, stop } = await writeBatch(api, definition, batch, outcomes, call);
      stopped = stop;
      return left;
    });
}

const unanswered: Throttled = {
  kind: 'throttled',
  retryAfterMs: null,
  reason: 'not sent: the call before it got no answer',
};

/** One request. `left`: items of a batch that was refused as a whole, to be sent again in smaller ones. */
async function writeBatch(
  api: Api,
  definition: Definition,
  batch: Sent[],
  outcomes: Map<string, Outcome>,
  call: CallOptions,
): Promise<{ left: Sent[]; stop?: Throttled | Unavailable }> {
  const bodies = batch.map(({ binding }) => bodyOf(definition.write.body, binding));
  const list: Binding = { text: () => undefined, json: (name) => (name === 'items' ? bodies : undefined) };
  const request = requestOf(definition, list, bodyOf(definition.write.batch?.body, list));
  if ('kind' in request) return { left: settle(outcomes, batch, request) };
  const reply = await api.send(request, call);
  if (isSuccess(reply, definition.write)) {
    settleResults(api, definition, batch, outcomes, reply.json);
    return { left: [] };
  }
  const refusal = refusalOf(api, reply, definition);
  if (refusal.kind === 'rejected' && batch.length > 1)
    return refusedTogether(definition, batch, outcomes, refusal);
  const left = settle(outcomes, batch, refusal);
  if (refusal.kind === 'rejected') return { left };
  return { left, stop: refusal.kind === 'ambiguous' ? unanswered : refusal };
}

/** Which item was meant is not said. Halves find it out, unless a batch that was half done would be done twice. */
function refusedTogether(
  { idempotency }: Definition,
  batch: Sent[],
  outcomes: Map<string, Outcome>,
  refusal: Refusal & { kind: 'rejected' },
): { left: Sent[] } {
  if (!refusal.permanent) return { left: settle(outcomes, batch, refusal) };
  if (idempotency !== 'none') return { left: batch };
  const reason = `the batch was refused, perhaps not all of it: ${refusal.reason}`;
  return { left: settle(outcomes, batch, { kind: 'ambiguous', reason }) };
}

function settle(outcomes: Map<string, Outcome>, batch: readonly Sent[], outcome: Outcome): Sent[] {
  for (const { item } of batch) outcomes.set(item.key, outcome);
  return [];
}

/** Results are mapped by what `match` says, never by position. An item without one is in doubt. */
function settleResults(
  api: Api,
  definition: Definition,
  batch: readonly Sent[],
  outcomes: Map<string, Outcome>,
  json: unknown,
): void {
  const { write } = definition;
  const [pointer = ''] = Object.keys(write.batch?.match ?? {});
  const found = at(json, write.batch?.results ?? '');
  const open = new Map(batch.map((one) => [one.match, one]));
  for (const result of Array.isArray(found) ? found : []) {
    const match = canonicalValue(matchType(definition), at(result, pointer));
    const sent = open.get(match);
    if (!sent || at(result, pointer) === undefined) continue;
    open.delete(match);
    outcomes.set(sent.item.key, resultOf(api, result, idReader(definition, sent.binding), write));
  }
  settle(outcomes, [...open.values()], { kind: 'ambiguous', reason: 'the answer did not mention this item' });
}

function matchOf(definition: Definition, { text }: Binding): string {
  const [template = ''] = Object.values(definition.write.batch?.match ?? {});
  return canonicalValue(matchType(definition), fillText(template, text));
}

function matchType(definition: Definition) {
  const [template = ''] = Object.values(definition.write.batch?.match ?? {});
  return typeOf(definition, wholeName(template) ?? '');
}
