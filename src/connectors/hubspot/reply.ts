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

/** Taken as it stands: a copy of every record of every answer would be the dearest part of a call. */
const properties = z.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null);

const errors = z.array(itemError).catch([]);
const count = z.number().catch(0);

const objectReply = z.object({
  results: z.array(
    z.object({
      id: text,
      properties: properties.catch({}),
      objectWriteTraceId: z.string().optional().catch(undefined),
      archived: z.boolean().catch(false),
    }),
  ),
  numErrors: count,
  errors,
});
export type ObjectReply = z.infer<typeof objectReply>;

const linkReply = z.object({
  results: z.array(
    z.object({
      from: z.object({ id: text }),
      to: z.union([
        z
          .array(z.object({ toObjectId: text }))
          .transform((targets) => targets.map((each) => each.toObjectId)),
        z.object({ id: text }).transform((target) => [target.id]),
      ]),
    }),
  ),
  numErrors: count,
  errors,
});
export type LinkReply = z.infer<typeof linkReply>;

/** A batch answer about records; undefined when it is not one. */
export function readObjects(body: Record<string, unknown>): ObjectReply | undefined {
  return objectReply.safeParse(body).data;
}

/** A batch answer about associations, made or read; undefined when it is not one. */
export function readLinks(body: Record<string, unknown>): LinkReply | undefined {
  return linkReply.safeParse(body).data;
}
