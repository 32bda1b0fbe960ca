import { isOfConnection } from '../calls.ts';
import type { CallOptions, Throttled, Unavailable } from '../connector.ts';
import type { Failure, HubSpot } from './client.ts';
import { type LinkTarget, type LinkType, readLinks, readPairs } from './reply.ts';

/** Two records, by their ids. */
export interface Pair {
  from: string;
  to: string;
}

/** The id of an association: those of its records. */
export function pairId({ from, to }: Pair): string {
  return `${from}:${to}`;
}

/** The records of an association by its id; undefined when it is none. */
export function pairOf(id: string): Pair | undefined {
  const [, from, to] = /^(\d+):(\d+)$/.exec(id) ?? [];
  return from && to ? { from, to } : undefined;
}

/** Two records and kinds of association, as HubSpot takes them. */
export function asInput({ from, to }: Pair, types: LinkType[]): object {
  const distinct = new Map(types.map((type) => [`${type.category} ${type.typeId}`, type]));
  return {
    from: { id: from },
    to: { id: to },
    types: [...distinct.values()].map(({ category, typeId }) => ({
      associationCategory: category,
      associationTypeId: typeId,
    })),
  };
}

/** What a record has with another. */
export function pairIn(links: LinkTarget[] | undefined, to: string): LinkTarget | undefined {
  return links?.find(({ toObjectId }) => toObjectId === to);
}

export interface Unconfirmed {
  /** Why, for each record whose association the answer does not confirm. */
  reasons: Map<string, string>;
  /** The connection may not be called for now. */
  refused: Throttled | Unavailable | undefined;
}

/** Puts records on others, which HubSpot does once however often it is asked. Returns those it did not confirm. */
export async function link(
  hubspot: HubSpot,
  from: string,
  to: string,
  pairs: Pair[],
  call: CallOptions,
): Promise<Unconfirmed> {
  const answer = await hubspot.associate(from, to, pairs, call);
  const reply = answer.kind === 'ok' ? readPairs(answer.body) : undefined;
  const isMade = madeIn(reply?.results ?? []);
  const reason =
    answer.kind !== 'ok'
      ? answer.reason
      : hubspot.quote(reply?.errors[0]?.message) || 'it is not in the answer';
  const open = pairs.filter((pair) => !isMade(pair));
  const refused = isOfConnection(answer) ? answer : undefined;
  return { reasons: new Map(open.map((pair) => [pair.from, reason])), refused };
}

/** Whether an answer holds an association; it tells each in either or both directions. */
export function madeIn(results: Pair[]): (pair: Pair) => boolean {
  const made = new Set(results.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]));
  return ({ from, to }) => made.has(`${from} ${to}`);
}

/** 500 associations make a page (documented for v4), and a record may have 50,000 of a kind. */
const mostPages = 100;

/** Which records of an object each record is on; one whose answer is not there has no entry. */
export async function linked(
  hubspot: HubSpot,
  from: string,
  to: string,
  ids: string[],
  call: CallOptions,
): Promise<Map<string, LinkTarget[]> | Failure> {
  const links = new Map<string, LinkTarget[]>();
  let inputs: { id: string; after?: string }[] = [...new Set(ids)].map((id) => ({ id }));
  for (let page = 1; inputs.length > 0; page += 1) {
    if (page > mostPages) return { kind: 'lost', reason: `more than ${mostPages} pages of associations` };
    const answer = await hubspot.associations(from, to, inputs, call);
    if (answer.kind !== 'ok') return answer;
    const reply = readLinks(answer.body);
    if (!reply) return { kind: 'lost', reason: 'the answer has no results' };
    const told = new Set(reply.results.map((result) => result.from.id));
    for (const result of reply.results)
      links.set(result.from.id, [...(links.get(result.from.id) ?? []), ...result.to]);
    // A record on no (more) others is either named in `errors` or simply left out of an answer without errors.
    const bare = new Set(reply.errors.flatMap((error) => Object.values(error.context).flat()));
    for (const { id } of inputs) {
      if (told.has(id)) continue;
      if (reply.complaint && !bare.has(id)) links.delete(id);
      else if (!links.has(id)) links.set(id, []);
    }
    inputs = reply.results.flatMap(({ from: { id }, paging }) =>
      paging ? [{ id, after: paging.next.after }] : [],
    );
  }
  return links;
}
