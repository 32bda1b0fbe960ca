import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { writeBatches } from './batch.ts';
import { bindWrite, bodyOf } from './binding.ts';
import type { Api } from './client.ts';
import type { Definition } from './grammar.ts';
import { outcomeOf } from './outcome.ts';
import { find } from './readback.ts';
import { idReader, requestOf } from './request.ts';

/** Writes items of one action; what has been written already is not written again. */
export async function write(
  api: Api,
  definition: Definition,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const unsent: WriteItem[] = [];
  for (const item of items) {
    const known =
      definition.idempotency === 'marker' && item.mayRepeat
        ? await lookUp(api, definition, item, call)
        : undefined;
    if (known) outcomes.set(item.key, known);
    else unsent.push(item);
  }
  if (definition.write.batch) await writeBatches(api, definition, unsent, outcomes, call);
  else for (const item of unsent) outcomes.set(item.key, await writeOne(api, definition, item, call));
  return outcomes;
}

/** Nothing but our key prevents a second record, so an item that may be there is looked for first. */
async function lookUp(
  api: Api,
  definition: Definition,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome | undefined> {
  const { key, parentId, fields } = item;
  const reading = await find(
    api,
    definition,
    { key, parentId, id: undefined, locator: fields, fields: [] },
    call,
    'key',
  );
  switch (reading.kind) {
    case 'found':
      return { kind: 'already', id: reading.id };
    case 'absent':
      return undefined;
    case 'throttled':
    case 'unavailable':
      return reading;
    default:
      return {
        kind: 'rejected',
        code: 'lookup',
        reason: `looking for an earlier write: ${reading.reason}`,
        permanent: false,
      };
  }
}

async function writeOne(
  api: Api,
  definition: Definition,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  const binding = bindWrite(definition, item);
  const request = requestOf(definition, binding, bodyOf(definition.write.body, binding));
  if ('kind' in request) return request;
  const reply = await api.send(request, call);
  return outcomeOf(api, reply, idReader(definition, binding), definition);
}
