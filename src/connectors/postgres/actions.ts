import type { ActionType } from '../connector.ts';
import { canonical } from './canonical.ts';
import { deleteFields, insertOptions, placeOf, rowFields, upsertOptions } from './schema.ts';

const common = {
  fields: rowFields,
  unreadable: [],
  needsParent: false,
  maxBatch: 500,
  maxReadBatch: 500,
  concurrency: 2,
  // The server ends a statement at our deadline; what is left is the time of a commit.
  lagMs: 5_000,
  canonical,
} as const;

export const actions = {
  upsert_row: {
    ...common,
    summary: 'Inserts a row, or updates the one with the same key.',
    idempotency: 'upsert',
    options: upsertOptions,
    locate(fields, options) {
      const { key } = placeOf(options);
      return Object.fromEntries(key.map((column) => [column, fields[column] ?? '']));
    },
    example: {
      options: { table: 'public.purchase_orders', key: ['po_number'] },
      fields: {
        po_number: 'PO-{{ sku }}',
        sku: '{{ sku }}',
        quantity: '{{ reorder_quantity }}',
        unit_price: '{{ unit_price }}',
      },
    },
  },
  insert_row: {
    ...common,
    summary: 'Inserts a row, once per action: a second insert with the key of the action does nothing.',
    idempotency: 'keyed',
    options: insertOptions,
    locate: () => ({}),
    inverse: ({ options }) => ({ action: 'delete_row', fields: { deleted: 'true' }, options }),
    example: {
      options: { table: 'public.purchase_orders', readback_key: 'readback_key' },
      fields: { sku: '{{ sku }}', quantity: '{{ reorder_quantity }}' },
    },
  },
  delete_row: {
    ...common,
    summary: 'Deletes the row that an earlier destination inserted (`follows:`).',
    idempotency: 'upsert',
    fields: deleteFields,
    options: insertOptions,
    needsParent: true,
    maxBatch: 1,
    maxReadBatch: 1,
    locate: () => ({}),
    canonical: (_field, value) => String(value),
    example: {
      options: { table: 'public.purchase_orders', readback_key: 'readback_key' },
      fields: { deleted: 'true' },
    },
  },
} satisfies Record<string, ActionType>;
