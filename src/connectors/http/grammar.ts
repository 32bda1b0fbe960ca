import { z } from 'zod';
import { duration } from '../../config/duration.ts';
import { pointerPattern } from './pointer.ts';
import { checkAction } from './rules.ts';
import { checkUndos } from './undo.ts';
import { valueTypes } from './values.ts';

const pointer = () =>
  z.string().regex(pointerPattern, 'a JSON pointer is empty or begins with /, as /data/id');
const stepped = () => pointer().min(1, 'a JSON pointer begins with /, as /data/id');
/** Numbers and booleans need no quotes where text is sent anyway. */
const words = () =>
  z.preprocess(
    (value) => (['number', 'boolean'].includes(typeof value) ? String(value) : value),
    z.string().meta({ type: ['string', 'number', 'boolean'] }),
  );
export const path = () =>
  z
    .string()
    .regex(
      /^\/(?:(?![?#\\])[!-~])*$/,
      'a path begins with / and has no ?, # or blanks; parameters go under query',
    )
    .refine((text) => !/\/\.{0,2}(?=\/)|\/\.{1,2}$/.test(text), 'a path has no empty part, `.` or `..`');
/** A list of statuses, or one. */
const statuses = (least: number, most: number) =>
  z
    .preprocess(
      (value, context) => {
        if (typeof value !== 'number') return value;
        if (!Number.isInteger(value) || value < least || value > most)
          context.issues.push({ code: 'custom', message: `must be from ${least} to ${most}`, input: value });
        return [value];
      },
      z.array(z.int().min(least).max(most)).min(1),
    )
    .meta({ oneOrMore: true });
const headers = () =>
  z.record(
    z.string().regex(/^[A-Za-z0-9-]+$/, 'not the name of a header'),
    words().refine((text) => /^[ -~]*$/.test(text), 'a header is one line of plain characters'),
  );

const where = () =>
  z
    .record(stepped(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .refine((map) => Object.keys(map).length > 0, 'must not be empty');
const answerRule = (least: number, most: number) =>
  z.strictObject({
    status: statuses(least, most).exactOptional().describe('The statuses that count.'),
    where: where().exactOptional().describe('JSON pointer to the value that must stand there.'),
  });

const readable = 'must be a JSON pointer such as /note, or never';
export const fieldSchema = z.preprocess(
  (value, context) => {
    if (typeof value !== 'string') return value;
    if (value !== 'never' && !(value.startsWith('/') && pointerPattern.test(value)))
      context.issues.push({ code: 'custom', message: readable, input: value });
    return { read: value };
  },
  z
    .strictObject({
      read: z
        .union([z.literal('never'), stepped()], { error: readable })
        .describe(
          'Where the value stands in a record that is read back, as /note; never, if it cannot be read.',
        ),
      type: z.enum(valueTypes).default('text').describe('How it is put into JSON and compared.'),
      required: z.boolean().default(true).describe('Whether every destination must map it.'),
      description: z.string().exactOptional().describe('What it is.'),
    })
    .meta({ type: ['object', 'string'] }),
);

const batchSchema = z.strictObject({
  max: z.int().min(2).max(1000).describe('The most items in one request.'),
  body: z.unknown().default('{items}').describe('The body, with {items} in place of the list of bodies.'),
  results: pointer().default('').describe('Where the list of results stands in the answer.'),
  match: z
    .record(stepped(), z.string())
    .refine((map) => Object.keys(map).length === 1, 'must have one JSON pointer')
    .describe('JSON pointer in a result, to the template of the item that it must equal.'),
});

const writeSchema = z.strictObject({
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').describe('How to write.'),
  path: path().describe('Where, below base_url, as /orders or /orders/{reference}.'),
  query: z.record(z.string(), words()).default({}).describe('Parameters of the address.'),
  headers: headers().default({}).describe('Headers of this request.'),
  body: z.unknown().optional().describe('The JSON to send, with placeholders.'),
  success: answerRule(200, 299).default({}).describe('Which answer means that it was taken.'),
  id: z.string().describe('Where the id of the record stands in the answer, as /data/id, or a template.'),
  error: pointer().exactOptional().describe('Where an answer says in words what is wrong.'),
  refused: answerRule(200, 599).exactOptional().describe('Which answer means no, too: nothing was written.'),
  transient: answerRule(200, 599)
    .exactOptional()
    .describe('Which answer means: nothing was written, try again.'),
  batch: batchSchema.exactOptional().describe('How several items go in one request.'),
});

const readShape = {
  method: z.enum(['GET', 'POST']).default('GET').describe('How to ask.'),
  path: path().describe('Where to ask, below base_url.'),
  query: z.record(z.string(), words()).default({}).describe('Parameters of the address.'),
  headers: headers().default({}).describe('Headers of this request.'),
  body: z.unknown().optional().describe('The JSON to ask with, for a POST.'),
  success: answerRule(200, 299).default({}).describe('Which answer holds what was asked for.'),
  absent: answerRule(200, 499).exactOptional().describe('Which answer means that there is no such record.'),
};

const byIdSchema = z.strictObject({
  ...readShape,
  record: pointer().default('').describe('Where the record stands in the answer.'),
});

const findSchema = z.strictObject({
  ...readShape,
  items: pointer()
    .exactOptional()
    .describe('Where the list of records stands. Without it, the answer is one record.'),
  record: pointer().default('').describe('Where the record stands: in one item, or in the answer.'),
  id: z.string().describe('Where its id stands in the record, as /id, or a template.'),
  key: stepped().exactOptional().describe('Where the {action_key} stands in the record.'),
  match: z.array(z.string()).default([]).describe('More fields that the record must have as they were sent.'),
  page: z.int().min(1).exactOptional().describe('The most records one answer lists.'),
});

const undoSchema = z.strictObject({
  action: z.string().describe('An action of this connection, on the record as {parent_id}.'),
  fields: z.record(z.string(), words()).default({}).describe('Its fields, as they are sent.'),
});

const shape = z.strictObject({
  summary: z.string().default('').describe('What it does.'),
  idempotency: z
    .enum(['keyed', 'upsert', 'marker', 'none'])
    .default('none')
    .describe('What happens when the same is written twice.'),
  fields: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'a field has lower case, digits and _'), fieldSchema)
    .describe('What a destination maps.'),
  write: writeSchema.describe('The request that writes.'),
  read: z
    .strictObject({
      by_id: byIdSchema.exactOptional().describe('How to read a record whose id is known.'),
      find: findSchema.exactOptional().describe('How to find the record when no id came back.'),
    })
    .describe('The requests that read back.'),
  link: z
    .string()
    .regex(
      /^https?:\/\/[^{}\s]*\{id\}[^{}\s]*$/,
      'must be an address with {id}, as https://erp.example/orders/{id}',
    )
    .exactOptional()
    .describe('Where a person finds the record, as https://erp.example/orders/{id}.'),
  undo: undoSchema.exactOptional().describe('What a play that compensates does to take it back.'),
  lag: duration().default(5_000).describe('How long a write may take to be readable.'),
  concurrency: z.int().min(1).max(32).default(4).describe('Writes that may be under way at once.'),
});

/** What `actions:` of a connection says about one action. */
export type Definition = z.output<typeof shape>;
export type Find = NonNullable<Definition['read']['find']>;
export type AnswerRule = Definition['write']['success'];

export const actionSchema = shape.superRefine(checkAction);
export const actionsSchema = z
  .record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'an action has lower case, digits and _'), actionSchema)
  .superRefine(checkUndos);
