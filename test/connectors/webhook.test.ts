import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type { Connector, Outcome } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/webhook/index.ts';
import { examine } from '../contract.ts';

const candidate = {
  type: 'events',
  writes: 'POST ',
  reads: 'GET ',
  fields: (n: number) => ({ type: 'stock.low', sku: ` A-${n} `, days_left: `${n}` }),
};
examine(connector, { send_event: candidate });

/** A receiver that cannot be asked. */
const silent: Connector = {
  ...connector,
  example: connector.example.replace(/\n {2}read_\w+: .*/g, ''),
  sandbox: async (options) => {
    const sandbox = await connector.sandbox(options);
    const { read_url, read_token, ...settings } = sandbox.settings;
    return { ...sandbox, settings };
  },
};
examine(silent, { send_event: candidate });

const key = Buffer.from('0123456789abcdef01234567');
const whsec = `whsec_${key.toString('base64')}`;

/** What one event meets at a receiver that gives this answer, and what the receiver saw. */
async function deliver(status: number, settings: Record<string, unknown> = {}, fields = {}) {
  const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    seen.push({ headers: request.headers, body });
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/?token=1`;
  const parsed = connector.schema.parse({ url, secret: new Secret(whsec), ...settings });
  const client = await connector.open(parsed, { pass: async () => () => {}, heed: () => {} });
  const item = { key: 'k', requestKey: 'msg-1', mayRepeat: false, parentId: undefined };
  const call = { signal: new AbortController().signal, timeoutMs: 5_000 };
  const items = [{ ...item, fields: { type: 'stock.low', sku: 'Ä-1', ...fields } }];
  const outcome: Outcome | undefined = (await client.write('send_event', {}, items, call)).get('k');
  await client.close();
  server.close();
  return { outcome: outcome ?? assert.fail('no outcome'), seen };
}

describe('a signed event', () => {
  test('is signed over its very bytes, with both secrets while they are rotated', async () => {
    const previous = 'an older secret of 24 bytes';
    const { seen } = await deliver(204, { previous_secret: new Secret(previous) });
    const [{ headers, body }] = seen as [(typeof seen)[number]];
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const sign = (secret: Buffer | string) =>
      `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
    assert.equal(headers['webhook-id'], 'msg-1');
    assert.equal(headers['webhook-signature'], `${sign(key)} ${sign(previous)}`);
    assert.deepEqual(Object.keys(JSON.parse(body)), ['type', 'timestamp', 'data']);
    assert.deepEqual(JSON.parse(body).data, { sku: 'Ä-1' });
  });
  test('what each status means', async () => {
    const kinds: Record<number, string> = {
      200: 'applied',
      204: 'applied',
      302: 'ambiguous',
      308: 'unavailable',
      400: 'rejected',
      404: 'unavailable',
      409: 'ambiguous',
      410: 'unavailable',
      500: 'ambiguous',
      503: 'ambiguous',
    };
    for (const [status, kind] of Object.entries(kinds)) {
      const { outcome, seen } = await deliver(Number(status));
      assert.equal(outcome.kind, kind, status);
      assert.equal(seen.length, 1, 'sent once, and no redirect followed');
    }
  });
  test('is refused before it is sent when it has more than 20,000 bytes', async () => {
    const { outcome, seen } = await deliver(200, {}, { note: 'x'.repeat(20_000) });
    assert.ok(outcome.kind === 'rejected' && outcome.code === 'too_large');
    assert.equal(seen.length, 0);
  });
  test('is not sent with a secret that cannot be understood, which is not told', async () => {
    const { outcome, seen } = await deliver(200, { secret: new Secret('whsec_!!!') });
    assert.equal(outcome.kind, 'unavailable');
    assert.doesNotMatch(JSON.stringify(outcome), /!!!/);
    assert.equal(seen.length, 0);
  });
  test('does not go to a metadata service', () => {
    const wrong = connector.schema.safeParse({ url: 'http://169.254.169.254/x', secret: new Secret(whsec) });
    assert.match(String(wrong.error), /link_local/);
  });
});
