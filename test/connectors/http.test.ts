import assert from 'node:assert/strict';
import type { CallOptions, Client } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/http/index.ts';
import { examine } from '../contract.ts';

const order = async (client: Client, call: CallOptions, n: number) => {
  const key = `parent-${n}`;
  const fields = { reference: `PO-${n}`, supplier: 'acme', sku: `A-${n}`, quantity: '1' };
  const item = { key, requestKey: key, mayRepeat: false, fields, parentId: undefined };
  const outcome = (await client.write('create_purchase_order', {}, [item], call)).get(key);
  assert.ok(outcome?.kind === 'applied', JSON.stringify(outcome));
  return outcome.id;
};

// The connection of the example describes an action of each class.
examine(connector, {
  create_purchase_order: {
    type: 'purchase_orders',
    writes: 'POST ',
    absence: 2,
    fields: (n) => ({
      reference: ` PO-${n}/../?#&=%2e "x" `,
      supplier: 'Acme GmbH',
      sku: `A-${n}`,
      quantity: '+040.50',
      due: `2026-02-0${n + 1}T09:30:00Z`,
      note: `Two\r\nlines ${n}`,
    }),
  },
  put_product: {
    type: 'products',
    fields: (n) => ({ sku: `A/${n} ?#%`, title: ` Product ${n} `, reorder_point: `${n}.0`, active: 'true' }),
  },
  put_stock_levels: {
    type: 'stock_levels',
    fields: (n) => ({ sku: `A-${n}`, place: 'Köln & Bonn', level: `${n + 40}` }),
  },
  add_note: {
    type: 'notes',
    writes: 'POST ',
    parent: order,
    fields: (n) => ({ text: `Runs out in ${n} days.` }),
  },
  create_order: {
    type: 'orders',
    absence: 2,
    fields: (n) => ({ reference: `e-0000${n}`, note: `e-0000${n} v1` }),
  },
});
