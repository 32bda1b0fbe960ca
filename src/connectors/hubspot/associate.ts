import { canonicalText } from '../canonical.ts';
import type { CallOptions, Outcome, ReadItem, Reading, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { inRounds } from '../rounds.ts';
import { type Action, type Options, shared } from './action.ts';
import { itemOutcome, type Settled, writeBatches } from './batches.ts';
import { type Failure, type HubSpot, readingOf } from './client.ts';
import { dissociationOf } from './dissociate.ts';
import { asInput, linked, madeIn, type Pair, pairId, pairIn, pairOf } from './links.ts';
import { beforeWriting, folded, idIn, lookUp, type Place, placeOf, under, uniqueForm } from './lookup.ts';
import { chosen, found, lookUpItems, namesOf } from './readback.ts';
import { type LinkType, readLabels, readPairs } from './reply.ts';
import { associationFields, associationOptions } from './schema.ts';

/** An association to be made, of the kinds it is to have; without any it gets the default one. */
interface Link extends Pair {
  key: string;
  types: LinkType[];
}

export const associate: Action = {
  ...shared,
  summary: 'Associates two records that are there, with a label if you like.',
  inverse: dissociationOf,
  fields: associationFields,
  options: associationOptions,
  example: {
    fields: { from: '{{ email }}', to: '{{ customer_id }}', label: 'Decision maker' },
    options: {
      from_object: 'contacts',
      from_property: 'email',
      to_object: 'companies',
      to_property: 'customer_id',
    },
  },
  canonical: (_field, value) => folded(canonicalText(value)),
  locate: ({ from = '', to = '', label }, { from_property, to_property }) => ({
    from: uniqueForm(String(from_property), from),
    to: uniqueForm(String(to_property), to),
    ...(label === undefined ? {} : { label: label.trim() }),
  }),
  needs: ({ from_object, from_property, to_object, to_property }) => [
    { kind: 'property', object: String(from_object), name: String(from_property) },
    { kind: 'property', object: String(to_object), name: String(to_property) },
  ],
  write,
  read,
};

function endsOf({ from_object, from_property, to_object, to_property }: Options): { from: Place; to: Place } {
  return { from: placeOf(from_object, from_property), to: placeOf(to_object, to_property) };
}

async function write(
  hubspot: HubSpot,
  options: Options,
  items: WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const ends = endsOf(options);
  const outcomes = new Map<string, Outcome>();
  const values = (field: string) =>
    items.map(({ fields }) => fields[field] ?? '').filter((value) => value.trim() !== '');
  const froms = await lookUp(hubspot, { ...ends.from, properties: [] }, values('from'), call);
  const tos = await lookUp(hubspot, { ...ends.to, properties: [] }, values('to'), call);
  const labelOf = await labels(hubspot, ends, values('label').length > 0, call);
  const links: Link[] = [];
  for (const item of items) {
    const { key, fields } = item;
    const from = idIn(froms, ends.from, item, 'from');
    const to = idIn(tos, ends.to, item, 'to');
    const label = fields.label === undefined ? [] : labelOf(fields.label);
    if ('failure' in from) outcomes.set(key, from.failure);
    else if ('failure' in to) outcomes.set(key, to.failure);
    else if ('failure' in label) outcomes.set(key, label.failure);
    else links.push({ key, from: from.id, to: to.id, types: label });
  }
  for (const [key, outcome] of await make(hubspot, ends, links, call)) outcomes.set(key, outcome);
  return outcomes;
}

/** What a label stands for between these objects, or why nothing was written. */
async function labels(
  hubspot: HubSpot,
  { from, to }: { from: Place; to: Place },
  isWanted: boolean,
  call: CallOptions,
): Promise<(label: string) => LinkType[] | { failure: Outcome }> {
  const answer = isWanted ? await hubspot.associationLabels(from.object, to.object, call) : undefined;
  const known = answer?.kind === 'ok' ? readLabels(answer.body) : undefined;
  const lost: Failure = { kind: 'lost', reason: 'the answer names no labels' };
  return (label) => {
    const failure = answer && answer.kind !== 'ok' ? answer : lost;
    if (!known) return { failure: beforeWriting(failure, 'label') };
    const type = known.find((one) => one.label !== null && folded(one.label) === folded(label));
    if (type) return [type];
    const objects = `${from.object} and ${to.object}`;
    return {
      failure: rejected('UNKNOWN_LABEL', `HubSpot has no association label of this name for ${objects}`),
    };
  };
}

/** Those with a label are set to the kinds they have already and theirs, because setting takes off what is not named. */
async function make(
  hubspot: HubSpot,
  { from, to }: { from: Place; to: Place },
  links: Link[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const plain = links.filter(({ types }) => types.length === 0);
  const labelled = links.filter(({ types }) => types.length > 0);
  const outcomes = await send(hubspot, plain, (batch) =>
    hubspot.associate(from.object, to.object, batch, call),
  );
  if (labelled.length === 0) return outcomes;
  const ids = labelled.map((link) => link.from);
  const held = await linked(hubspot, from.object, to.object, ids, call);
  const known = labelled.filter((link) => held instanceof Map && held.has(link.from));
  const lost: Failure = { kind: 'lost', reason: 'the answer says nothing about its associations' };
  for (const link of labelled)
    if (!known.includes(link))
      outcomes.set(link.key, beforeWriting(held instanceof Map ? lost : held, 'labels'));
  const typesOf = (link: Link): LinkType[] => [
    ...(held instanceof Map ? (pairIn(held.get(link.from), link.to)?.associationTypes ?? []) : []),
    ...labelled.flatMap((other) => (name(other) === name(link) ? other.types : [])),
  ];
  const made = await send(hubspot, known, (batch) =>
    hubspot.associateAs(
      from.object,
      to.object,
      batch.map((link) => asInput(link, typesOf(link))),
      call,
    ),
  );
  for (const [key, outcome] of made) outcomes.set(key, outcome);
  return outcomes;
}

const name = ({ from, to }: Pair) => `${from} ${to}`;

function send(
  hubspot: HubSpot,
  links: Link[],
  call: (batch: Link[]) => ReturnType<HubSpot['associate']>,
): Promise<Map<string, Outcome>> {
  return writeBatches(hubspot, inRounds(links, name), {
    send: call,
    settle: (batch, body) => settle(hubspot, batch, body),
  });
}

/** An error is about a pair when it names both of its records: one record may be in many pairs. */
function settle(hubspot: HubSpot, batch: Link[], body: Record<string, unknown>): Settled<Link> | undefined {
  const reply = readPairs(body);
  if (!reply) return undefined;
  const outcomes = new Map<Link, Outcome>();
  const isMade = madeIn(reply.results);
  for (const link of batch) if (isMade(link)) outcomes.set(link, { kind: 'applied', id: pairId(link) });
  for (const error of reply.errors) {
    const named = new Set(Object.values(error.context).flat());
    const hit = batch.filter((link) => named.has(link.from) && named.has(link.to));
    // An error that names several pairs at once may be about any of them.
    if (hit.length === 1 && hit[0] && !outcomes.has(hit[0]))
      outcomes.set(hit[0], itemOutcome(hubspot, error));
  }
  return { outcomes, complaint: reply.complaint };
}

async function read(
  hubspot: HubSpot,
  options: Options,
  asked: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  const ends = endsOf(options);
  const items = asked.map((item) => ({ ...item, id: pairOf(item.id ?? '')?.from }));
  const properties = ({ idProperty }: Place) => (idProperty === undefined ? [] : [idProperty]);
  const fromOf = await lookUpItems(
    hubspot,
    ends.from,
    items,
    ({ locator }) => locator.from ?? '',
    properties(ends.from),
    call,
  );
  const names = items.flatMap(({ locator }) => (locator.to ? [locator.to] : []));
  const tos = await lookUp(hubspot, { ...ends.to, properties: properties(ends.to) }, names, call);
  const readings = new Map<string, Reading>();
  const both = items.flatMap((item) => {
    const from = found(fromOf(item));
    const to = found(under(tos, ends.to.idProperty, item.locator.to ?? ''));
    if (from.kind === 'record' && to.kind === 'record') return [{ item, from, to }];
    if (from.kind !== 'record') readings.set(item.key, from);
    else if (to.kind !== 'record') readings.set(item.key, to);
    return [];
  });
  const ids = both.map(({ from }) => from.id);
  const links = await linked(hubspot, ends.from.object, ends.to.object, ids, call);
  for (const { item, from, to } of both) {
    const held = links instanceof Map ? links.get(from.id) : links;
    if (!Array.isArray(held)) {
      const silence: Failure = { kind: 'lost', reason: 'the answer says nothing about its associations' };
      readings.set(item.key, readingOf(held ?? silence));
      continue;
    }
    const pair = { from: from.id, to: to.id };
    const link = pairIn(held, to.id);
    const labels = link?.associationTypes.flatMap(({ label }) => label ?? []) ?? [];
    const fields = {
      from: chosen(namesOf(from, ends.from.idProperty), item.locator.from),
      to: chosen(namesOf(to, ends.to.idProperty), item.locator.to),
      ...(item.locator.label === undefined ? {} : { label: chosen(labels, item.locator.label) }),
    };
    readings.set(item.key, link ? { kind: 'found', id: pairId(pair), fields } : { kind: 'absent' });
  }
  return readings;
}
