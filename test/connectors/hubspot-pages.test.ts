import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connector } from '../../src/connectors/hubspot/index.ts';
import { actionsOf } from '../../src/connectors/index.ts';

test('a record has an address where the account has a number, and none without', () => {
  const known = actionsOf(connector, { portal_id: '123' });
  assert.equal(
    known?.create_task?.link?.('9/9', {}),
    'https://app.hubspot.com/contacts/123/record/0-27/9%2F9',
  );
  assert.equal(known?.add_to_list?.link, undefined);
  assert.equal(actionsOf(connector, {})?.create_task?.link, undefined);
});
