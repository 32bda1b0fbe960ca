import { z } from 'zod';

const text = z.union([z.string(), z.number()]).transform(String);
const texts = z.union([z.array(text), text.transform((one) => [one])]).catch([]);

/**
 * One entry of a batch answer's `errors`. The specification marks more keys as required than answers really carry,
 * so only what is used is looked at, and nothing missing is an error.
 */
const itemError = z.object({
  category: z.string().catch('UNKNOWN'),
  message: z.string().catch(''),
  context: z.record(z.string(), texts).catch({}),
});
export type ItemError = z.infer<typeof itemError>;

const complaints = { numErrors: z.number().catch(0), errors: z.array(itemError).catch([]) };
interface Complaints {
  numErrors: number;
  errors: ItemError[];
}

/** What a batch answer complains of, if it does; an answer that only counts its errors complains of something, too. */
function withComplaint<Reply extends Complaints>(reply: Reply): Reply & { complaint: ItemError | undefined } {
  const unsaid = { category: 'INTERNAL_ERROR', message: 'an error it does not describe', context: {} };
  return { ...reply, complaint: reply.errors[0] ?? (reply.numErrors > 0 ? unsaid : undefined) };
}

/** One record of an answer. */
interface Entry {
  id: string;
  properties: Record<string, unknown>;
  objectWriteTraceId: string | undefined;
  archived: boolean;
}

/** Looked at without zod, and its properties taken as they stand: of every answer's many records this is the dearest part. */
const entry = z.unknown().transform((given, context): Entry => {
  const { id, properties, objectWriteTraceId, archived } = (given ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' && typeof id !== 'number') context.issues.push({ code: 'custom', input: id });
  return {
    id: String(id),
    properties:
      typeof properties === 'object' && properties !== null ? (properties as Record<string, unknown>) : {},
    objectWriteTraceId: typeof objectWriteTraceId === 'string' ? objectWriteTraceId : undefined,
    archived: archived === true,
  };
});

const objectReply = z.object({ results: z.array(entry), ...complaints }).transform(withComplaint);
export type ObjectReply = z.infer<typeof objectReply>;

/** What an association is: `label` is null where it has none. */
const linkType = z.object({
  category: z.string().catch('HUBSPOT_DEFINED'),
  typeId: z.number(),
  label: z.string().nullable().catch(null),
});
export type LinkType = z.infer<typeof linkType>;

const target = z.object({ toObjectId: text, associationTypes: z.array(linkType).catch([]) });
export type LinkTarget = z.infer<typeof target>;

/** Which records each record is on: all that were asked for, page by page. */
const linkReply = z
  .object({
    results: z.array(
      z.object({
        from: z.object({ id: text }),
        to: z.array(target),
        paging: z
          .object({ next: z.object({ after: z.string() }) })
          .optional()
          .catch(undefined),
      }),
    ),
    ...complaints,
  })
  .transform(withComplaint);
export type LinkReply = z.infer<typeof linkReply>;

/** Associations just made, in either or both directions; with labels they are shown in another form than without. */
const pairReply = z
  .object({
    results: z.array(
      z.union([
        z
          .object({ from: z.object({ id: text }), to: z.object({ id: text }) })
          .transform(({ from, to }) => ({ from: from.id, to: to.id })),
        z
          .object({ fromObjectId: text, toObjectId: text })
          .transform(({ fromObjectId, toObjectId }) => ({ from: fromObjectId, to: toObjectId })),
      ]),
    ),
    ...complaints,
  })
  .transform(withComplaint);
export type PairReply = z.infer<typeof pairReply>;

const memberReply = z
  .object({
    results: z.array(
      z.object({ recordId: text, recordListMemberships: z.array(z.object({ listId: text })) }),
    ),
    ...complaints,
  })
  .transform(withComplaint);
export type MemberReply = z.infer<typeof memberReply>;

const ids = z.array(text);
/** HubSpot really spells one of them `records`. */
const changeReply = z.object({
  recordsIdsAdded: ids,
  recordIdsRemoved: ids,
  recordIdsMissing: ids,
});
export type ChangeReply = z.infer<typeof changeReply>;

const listReply = z.object({
  list: z.object({ listId: text, name: z.string(), objectTypeId: z.string(), processingType: z.string() }),
});
export type List = z.infer<typeof listReply>['list'];

const labelReply = z.object({ results: z.array(linkType) });

/** A batch answer about records; undefined when it is not one. */
export function readObjects(body: Record<string, unknown>): ObjectReply | undefined {
  return objectReply.safeParse(body).data;
}

/** A batch answer about associations that are there; undefined when it is not one. */
export function readLinks(body: Record<string, unknown>): LinkReply | undefined {
  return linkReply.safeParse(body).data;
}

/** A batch answer about associations that were made; undefined when it is not one. */
export function readPairs(body: Record<string, unknown>): PairReply | undefined {
  return pairReply.safeParse(body).data;
}

/** The lists that records are in; undefined when it does not tell. */
export function readMembers(body: Record<string, unknown>): MemberReply | undefined {
  return memberReply.safeParse(body).data;
}

/** Who was added to a list and who was taken off it; undefined when it does not tell. */
export function readChange(body: Record<string, unknown>): ChangeReply | undefined {
  return changeReply.safeParse(body).data;
}

/** A list; undefined when it is none. */
export function readList(body: Record<string, unknown>): List | undefined {
  return listReply.safeParse(body).data?.list;
}

/** The kinds of association there are between two objects; undefined when it does not tell. */
export function readLabels(body: Record<string, unknown>): LinkType[] | undefined {
  return labelReply.safeParse(body).data?.results;
}
