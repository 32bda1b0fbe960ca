import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { eventMediaType, eventOf } from '../event.ts';
import { inHalves } from '../halves.ts';
import type { Message, PubSub } from './client.ts';

/**
 * Publishes a batch. A request takes only messages of one ordering key, and refuses all for one that is bad, which is then
 * looked for in halves.
 */
export async function publish(
  pubSub: PubSub,
  topic: string,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const group of byOrderingKey(items)) {
    await inHalves(group, async (batch) => {
      const answer = await pubSub.publish(topic, batch.map(messageOf), call);
      if (!answer.ok && batch.length > 1 && isOfOne(answer.problem)) return batch;
      for (const [index, { key }] of batch.entries()) {
        const id = answer.ok ? answer.ids[index] : undefined;
        if (id !== undefined) outcomes.set(key, { kind: 'applied', id });
        else if (!answer.ok) outcomes.set(key, answer.problem);
      }
      return [];
    });
  }
  return outcomes;
}

/** A refusal that the others of the batch may not deserve: a message that is none, or all of them together too large. */
function isOfOne(problem: Outcome): boolean {
  return problem.kind === 'rejected' && ['INVALID_ARGUMENT', 'http_413'].includes(problem.code);
}

function byOrderingKey(items: WriteItem[]): WriteItem[][] {
  const groups = new Map<string, WriteItem[]>();
  for (const item of items) {
    const name = item.fields.ordering_key ?? '';
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups.values()];
}

function messageOf({ key, fields }: WriteItem): Message {
  const { ordering_key: orderingKey } = fields;
  return {
    data: Buffer.from(JSON.stringify(eventOf(key, fields))).toString('base64'),
    attributes: { 'content-type': eventMediaType, 'readback-key': key },
    ...(orderingKey ? { orderingKey } : {}),
  };
}
