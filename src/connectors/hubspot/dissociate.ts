import { z } from 'zod';
import { canonicalText } from '../canonical.ts';
import type { CallOptions, Inverse, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { onlyField } from '../fields.ts';
import { oneByOne } from '../one-by-one.ts';
import { rejected } from '../outcomes.ts';
import { type Action, type Options, shared } from './action.ts';
import { type Failure, type HubSpot, outcomeOf, readingOf } from './client.ts';
import { asInput, linked, type Pair, pairIn, pairOf } from './links.ts';
import { beforeWriting, folded } from './lookup.ts';
import type { LinkTarget, LinkType } from './reply.ts';
import { objectName } from './schema.ts';

const fields = onlyField('associated', 'false', 'Only false.');

const options = z.strictObject({
  from_object: objectName.describe('The object of the one record, as in associate.'),
  to_object: objectName.describe('The object of the other record.'),
  label: z
    .string()
    .exactOptional()
    .describe('The label to be taken off; the records stay associated. Absent: the association goes.'),
});

export const dissociate: Action = {
  ...shared,
  // Of several in one request HubSpot does not say which it refuses.
  maxBatch: 1,
  summary: 'Takes back the association, or the label, that an earlier destination made (`follows:`).',
  fields,
  options,
  needsParent: true,
  example: {
    fields: { associated: 'false' },
    options: { from_object: 'contacts', to_object: 'companies', label: 'Decision maker' },
  },
  canonical: (_field, value) => canonicalText(value),
  locate: () => ({}),
  needs: () => [],
  write: (hubspot, given, items, call) => oneByOne(items, (item) => takeOff(hubspot, given, item, call)),
  read,
};

/** What undoes an association as a destination has it; nothing does where each row has a label of its own. */
export function dissociationOf({ fields: { label }, options: made }: Required<Inverse>): Inverse | undefined {
  if (label !== undefined && /\{[{%]/.test(label)) return undefined;
  const { from_object, to_object } = made;
  return {
    action: 'dissociate',
    fields: { associated: 'false' },
    options: { from_object, to_object, ...(label === undefined ? {} : { label }) },
  };
}

async function takeOff(
  hubspot: HubSpot,
  given: Options,
  { parentId }: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  const pair = parentId === undefined ? undefined : pairOf(parentId);
  if (parentId === undefined || !pair) return rejected('NO_PARENT', 'no association to take back');
  const held = await typesOf(hubspot, given, [pair], call);
  const types = held(pair);
  if ('kind' in types) return beforeWriting(types, 'associations');
  const ends = [String(given.from_object), String(given.to_object)] as const;
  const [type] = wanted(types, given.label);
  if (!type) return { kind: 'already', id: parentId };
  const labels = types.flatMap(({ category, label }) => (category === 'USER_DEFINED' ? (label ?? []) : []));
  // Taking off the association takes off all its labels.
  if (given.label === undefined && labels.length > 0)
    return rejected('LABELLED', 'not taken off: the association has labels, which somebody else has set');
  const answer =
    given.label === undefined
      ? await hubspot.archiveLinks(...ends, [pair], call)
      : await hubspot.archiveLabels(...ends, [asInput(pair, [type])], call);
  return answer.kind === 'ok' ? { kind: 'applied', id: parentId } : outcomeOf(answer);
}

async function read(
  hubspot: HubSpot,
  given: Options,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const pairs = items.flatMap((item) => pairOf(item.id ?? item.parentId ?? '') ?? []);
  const held = await typesOf(hubspot, given, pairs, call);
  return new Map(
    items.map((item): [string, Reading] => {
      const id = item.id ?? item.parentId ?? '';
      const pair = pairOf(id);
      if (!pair) return [item.key, { kind: 'unreadable', reason: 'no association to read' }];
      const types = held(pair);
      if ('kind' in types) return [item.key, readingOf(types)];
      const associated = String(wanted(types, given.label).length > 0);
      return [item.key, { kind: 'found', id, fields: { associated } }];
    }),
  );
}

/** What is to go: the association as a whole, or its label of this name. */
function wanted(types: LinkType[], label: unknown): LinkType[] {
  if (label === undefined) return types;
  return types.filter((type) => type.label !== null && folded(type.label) === folded(String(label)));
}

/** The kinds of association that two records have; none: they are not associated. */
async function typesOf(
  hubspot: HubSpot,
  { from_object, to_object }: Options,
  pairs: Pair[],
  call: CallOptions,
): Promise<(pair: Pair) => LinkType[] | Failure> {
  const ids = pairs.map(({ from }) => from);
  const links = await linked(hubspot, String(from_object), String(to_object), ids, call);
  const lost: Failure = { kind: 'lost', reason: 'the answer says nothing about its associations' };
  return ({ from, to }) => {
    if (!(links instanceof Map)) return links;
    const held: LinkTarget[] | undefined = links.get(from);
    return held ? (pairIn(held, to)?.associationTypes ?? []) : lost;
  };
}
