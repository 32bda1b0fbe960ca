import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import type { Client, Outcome, Sandbox } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/smtp/index.ts';
import { examine } from '../contract.ts';

examine(connector, {
  send_mail: {
    type: 'mails',
    saysWhen: false,
    fields: (n) => ({ to: `ada${n}@acme.example`, subject: `Wëlcome ${n}`, text: `Hello ${n}.\n.\nBye.` }),
  },
});

let sandbox: Sandbox;
let client: Client;

function open(settings: Record<string, unknown> = {}): Promise<Client> {
  const password = new Secret(sandbox.settings.password ?? '');
  const parsed = connector.schema.parse({ ...sandbox.settings, password, ...settings });
  return connector.open(parsed, { pass: async () => () => {}, heed: () => {} });
}

const mail = { to: 'ada@acme.example', subject: 'Welcome', text: 'Hello.' };
async function send(fields: Record<string, string> = {}, by = client): Promise<Outcome> {
  const item = { key: 'key-1', requestKey: 'key-2', mayRepeat: true, parentId: undefined };
  const call = { signal: new AbortController().signal, timeoutMs: 5_000 };
  const outcomes = await by.write('send_mail', {}, [{ ...item, fields: { ...mail, ...fields } }], call);
  return outcomes.get('key-1') ?? assert.fail('no outcome');
}
const sources = () => sandbox.records().map(({ fields }) => String(fields.source));

describe('a mail', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    client = await open();
  });
  afterEach(() => sandbox.close());

  test('has the same Message-ID each time it is sent, made of the action', async () => {
    assert.deepEqual(await send(), { kind: 'applied', id: 'key-1@sandbox.example' });
    await send();
    for (const source of sources()) assert.match(source, /^Message-ID: <key-1@sandbox\.example>$/im);
    assert.equal(sources().length, 2);
  });
  test('of a recipient that is refused is rejected for good; nothing is sent', async () => {
    sandbox.inject({ kind: 'reject_item', match: 'ada@acme.example' });
    const outcome = await send();
    assert.ok(outcome.kind === 'rejected' && outcome.permanent && outcome.code === 'smtp_550');
    assert.equal(sources().length, 0);
  });
  test('a value of a row adds no header and no recipient', async () => {
    for (const fields of [
      { subject: 'Hello\r\nBcc: eve@evil.example' },
      { to: 'ada@acme.example, eve@evil.example' },
      { to: 'ada@acme.example\r\nBcc: eve@evil.example' },
      { to: 'Ada <ada@acme.example>' },
      { reply_to: 'eve@evil.example\nX: y' },
      { to: '' },
    ]) {
      const outcome = await send(fields);
      assert.equal(outcome.kind, 'rejected', JSON.stringify(fields));
    }
    assert.equal(sandbox.requests().length, 0);
  });
  test('carries text, HTML and the address for answers', async () => {
    await send({ html: '<p>Hello.</p>', reply_to: 'csm@acme.example', subject: ' Welcome ' });
    const [source = ''] = sources();
    for (const part of [/^Reply-To: csm@acme\.example$/m, /text\/plain/, /text\/html/, /^Subject: Welcome$/m])
      assert.match(source, part);
  });
  test('is not sent to a server that offers no TLS, unless told to', async () => {
    const strict = await open({ tls: 'starttls' });
    assert.equal((await send({}, strict)).kind, 'unavailable');
    assert.equal(sandbox.requests().length, 0, 'not even the password');
    assert.equal(connector.schema.parse({ host: 'x', from: 'a@b.c' }).tls, 'starttls');
  });
});
