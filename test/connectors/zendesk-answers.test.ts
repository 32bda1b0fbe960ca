import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { Secret } from '../../src/config/secret.ts';
import type { Client, Outcome, WriteItem } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/zendesk/index.ts';

/** Answers the sandbox never gives: Zendesk is not there for a moment, and does not say whether it wrote. */
let server: FastifyInstance;
let client: Client;

before(async () => {
  server = fastify();
  server.all('/*', (_, reply) => reply.code(503).header('retry-after', '7').type('text/html').send('<html>'));
  const base_url = await server.listen({ host: '127.0.0.1', port: 0 });
  const settings = connector.schema.parse({
    subdomain: 'acme',
    email: 'agent@acme.example',
    api_token: new Secret('token'),
    base_url,
  });
  client = await connector.open(settings, { pass: async () => () => {}, heed: () => {} });
});
after(() => server.close());

const call = () => ({ signal: new AbortController().signal, timeoutMs: 2000 });

async function write(action: string, fields: WriteItem['fields']): Promise<Outcome | undefined> {
  const item = { key: 'key', requestKey: 'key', mayRepeat: false, fields, parentId: '1' };
  return (await client.write(action, {}, [item], call())).get('key');
}

for (const [action, fields] of [
  ['create_ticket', { subject: 'Restock', body: 'Soon.' }],
  ['update_ticket', { comment: 'Back in stock.' }],
  ['upsert_organization', { external_id: 'C-1', name: 'Acme' }],
] as const)
  test(`a 503 that says when to come again leaves ${action} in doubt: it may have been written`, async () => {
    assert.equal((await write(action, fields))?.kind, 'ambiguous');
  });

test('the same 503 puts a read off', async () => {
  const item = { key: 'key', id: '1', locator: {}, parentId: undefined, fields: ['subject'] };
  assert.equal((await client.read('create_ticket', {}, [item], call())).get('key')?.kind, 'throttled');
});
