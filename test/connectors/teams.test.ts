import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type { CallOptions, Client, Outcome, Sandbox } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/teams/index.ts';
import { messageFields } from '../../src/connectors/teams/schema.ts';
import { examine } from '../contract.ts';

examine(connector, {
  post_message: {
    type: 'messages',
    fields: (n) => ({
      title: `A-${n} is running out`,
      text: `**${n} days** left.`,
      link: 'https://erp.acme.example/skus',
    }),
  },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

function open(url: string): Promise<Client> {
  const settings = connector.schema.parse({ webhook_url: new Secret(url) });
  return connector.open(settings, { pass: async () => () => {}, heed: () => {} });
}

async function post(fields: Record<string, string>, by = client): Promise<Outcome> {
  const item = { key: 'key-1', requestKey: 'key-1', mayRepeat: false, fields, parentId: undefined };
  const outcomes = await by.write('post_message', {}, [item], call());
  return outcomes.get('key-1') ?? assert.fail('no outcome');
}

describe('teams', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    client = await open(sandbox.settings.webhook_url ?? '');
  });
  afterEach(() => sandbox.close());

  test('a message is a card with its title, text and button, and is known by its run', async () => {
    const link = 'https://erp.acme.example/skus/A-1';
    const outcome = await post({ title: 'A-1', text: '**3 days** left.', link, link_title: 'Reorder' });
    assert.deepEqual(outcome, { kind: 'applied', id: 'sandbox-run-1' });
    const { card } = sandbox.records()[0]?.fields as { card: { body: unknown[]; actions: unknown[] } };
    assert.deepEqual(card.actions, [{ type: 'Action.OpenUrl', title: 'Reorder', url: link }]);
    assert.deepEqual(
      card.body.map((one) => (one as { text: string }).text),
      ['A-1', '**3 days** left.'],
    );
  });

  test('a card of one’s own is posted as it is', async () => {
    const card = { type: 'AdaptiveCard', version: '1.5', body: [{ type: 'TextBlock', text: 'x' }] };
    assert.equal((await post({ text: 'x', card: JSON.stringify(card) })).kind, 'applied');
    assert.deepEqual(sandbox.records()[0]?.fields.card, { fallbackText: 'x', ...card });
  });

  test('what the workflow would fail at unseen is refused before it is sent', async () => {
    const outcome = await post({ text: 'ä'.repeat(15_000) });
    assert.ok(outcome.kind === 'rejected' && outcome.permanent, outcome.kind);
    assert.match(outcome.reason, /the message has 30\d{3} bytes/);
    assert.deepEqual(sandbox.requests(), []);
  });

  test('a card that is none is refused by the schema, with the place', () => {
    const said = (card: string) => String(messageFields.safeParse({ text: 'x', card }).error);
    assert.equal(said('{"type":"AdaptiveCard"}'), 'undefined');
    for (const card of ['{"type":"MessageCard"}', 'null', '[]'])
      assert.match(said(card), /AdaptiveCard/, card);
    assert.match(said('{"type":'), /not JSON from line 1, column 9 on; .* \| json/);
  });

  test('an address that is none is the connection’s fault, and is not told', async () => {
    for (const url of ['not an address', 'http://teams.example/workflows?sig=s3cret', 'ftp://127.0.0.1/x']) {
      const wrong = await open(url);
      const outcome = await post({ text: 'x' }, wrong);
      assert.deepEqual(outcome, {
        kind: 'unavailable',
        code: 'webhook_url',
        reason: 'webhook_url is not an https:// address',
      });
      assert.equal((await wrong.check([], call())).length, 1);
    }
  });

  test('doctor posts nothing', async () => {
    assert.deepEqual(await client.check([], call()), []);
    assert.deepEqual(sandbox.records(), []);
    assert.deepEqual(
      sandbox.requests().map(({ method }) => method),
      ['GET'],
    );
  });
});
