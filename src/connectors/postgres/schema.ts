import { z } from 'zod';
import { onlyField, withCustomFields } from '../fields.ts';

/** Names as most tables have them. They are quoted wherever they stand, so that capitals and blanks count. */
const name = '[\\p{L}_][\\p{L}\\p{N}_$ -]{0,62}';
const columnName = new RegExp(`^${name}$`, 'u');
const tableName = new RegExp(`^${name}\\.${name}$`, 'u');

const column = () => z.string().regex(columnName, 'write the name of a column');
const table = z
  .string()
  .regex(tableName, 'write schema.table, such as public.purchase_orders')
  .describe('`schema.table`, with the names as the catalogue has them.');

/** A row's columns by name. Which of them the table has is checked against the catalogue. */
export const rowFields = withCustomFields({}, columnName);

export const upsertOptions = z.strictObject({
  table,
  key: z
    .array(column())
    .min(1)
    .describe('Columns that a unique index covers, and no others; a row with the same values is updated.'),
});
export const insertOptions = z.strictObject({
  table,
  readback_key: column()
    .default('readback_key')
    .describe('A uuid or text column of your table with a unique index, for the key of the action.'),
});

export const deleteFields = onlyField('deleted', 'true', 'Only true.');

/** What the options of each action come to. */
export interface Place {
  table: string;
  /** The columns that identify a row. */
  key: string[];
  /** The key is the action's, not one of the fields. */
  isOurs: boolean;
}

/** @param options of an action, as its schema made them */
export function placeOf(options: Record<string, unknown>): Place {
  const upsert = upsertOptions.safeParse(options);
  if (upsert.success) return { ...upsert.data, isOurs: false };
  const { table, readback_key } = insertOptions.parse(options);
  return { table, key: [readback_key], isOurs: true };
}
