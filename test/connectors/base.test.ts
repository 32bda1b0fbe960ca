import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  classifyNetworkError,
  GivenUp,
  parseRetryAfter,
  quote,
  withDeadline,
} from '../../src/connectors/calls.ts';
import type { Sandbox, SandboxRecord } from '../../src/connectors/connector.ts';
import { connector } from '../../src/connectors/hubspot/index.ts';
import { jsonFault } from '../../src/connectors/json.ts';
import { Records } from '../../src/connectors/records.ts';
import { Faults } from '../../src/connectors/sandbox.ts';
import { RollingWindow } from '../../src/connectors/sandbox-window.ts';

describe('an HTTP call of a connector', () => {
  const failure = (fields: object) =>
    Object.assign(new Error('request to https://secret@host failed'), fields);

  it('is unavailable only when no connection was made, else lost', () => {
    const kinds = (fields: object) => classifyNetworkError(failure(fields)).kind;
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'CERT_HAS_EXPIRED']) {
      assert.equal(kinds({ code }), 'unavailable', code);
    }
    assert.equal(kinds({ code: 'ETIMEDOUT', syscall: 'connect' }), 'unavailable');
    for (const code of ['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE']) {
      assert.equal(kinds({ code }), 'lost', code);
    }
    assert.equal(kinds({}), 'lost');
  });
  it('finds the code in causes and in the members of an aggregate, and tells nothing else', () => {
    const inner = failure({ code: 'ECONNREFUSED' });
    for (const error of [failure({ cause: inner }), failure({ cause: new AggregateError([inner]) })]) {
      const said = classifyNetworkError(error);
      assert.equal(said.kind, 'unavailable');
      assert.doesNotMatch(JSON.stringify(said), /secret/);
    }
  });
  it('reads Retry-After in seconds and as a date, and nothing else', () => {
    assert.equal(parseRetryAfter('5'), 5000);
    assert.equal(parseRetryAfter(' 0.5 '), 500);
    assert.equal(
      parseRetryAfter('Wed, 21 Oct 2026 07:28:00 GMT', Date.parse('2026-10-21T07:27:00Z')),
      60_000,
    );
    assert.equal(parseRetryAfter('Wed, 21 Oct 2015 07:28:00 GMT'), 0);
    for (const text of [null, undefined, '', 'soon', '-5'])
      assert.equal(parseRetryAfter(text), null, String(text));
  });
  it('gives up when the deadline passes or the worker must let go, and drops a late error', async () => {
    const call = { signal: new AbortController().signal, timeoutMs: 10 };
    let late: (error: Error) => void = () => {};
    const never = new Promise<never>((_resolve, reject) => {
      late = reject;
    });
    await assert.rejects(
      withDeadline(call, () => never),
      GivenUp,
    );
    late(new Error('late'));
    const aborted = { signal: AbortSignal.abort(), timeoutMs: 10_000 };
    await assert.rejects(
      withDeadline(aborted, () => new Promise(() => {})),
      GivenUp,
    );
    let told: AbortSignal | undefined;
    const listening = (signal: AbortSignal) => {
      told = signal;
      return new Promise<never>(() => {});
    };
    await assert.rejects(withDeadline(call, listening), GivenUp);
    assert.equal(told?.aborted, true);
    assert.equal(await withDeadline(call, async () => 7), 7);
  });
  it('quotes a vendor on one line, without secrets and not at length', () => {
    assert.equal(quote('a\n  s3cret b', ['s3cret', '']), 'a *** b');
    assert.equal(quote('x'.repeat(50), [], 10), `${'x'.repeat(9)}…`);
  });
});

describe('what all sandboxes share', () => {
  it('takes a fault as often as it was told, and only where it matches', () => {
    const faults = new Faults();
    faults.inject({ kind: 'slow', match: 'b' });
    faults.inject({ kind: 'slow', times: 2 });
    assert.equal(faults.take('garbage', 'abc'), undefined);
    const taken = ['a', 'b', 'a'].map((text) => faults.take('slow', text)?.match ?? 'any');
    assert.deepEqual(taken, ['any', 'b', 'any']);
    assert.equal(faults.take('slow', 'b'), undefined);
  });
  it('lets as many requests pass in a window as allowed, and says when the next one will', () => {
    const window = new RollingWindow({ requests: 2, perMs: 1000 });
    const seen = [0, 400, 500, 1000, 1001].map((now) => window.admit(now).admitted);
    assert.deepEqual(seen, [true, true, false, true, false]);
    assert.equal(window.admit(1100).retryAfterMs, 300);
  });
  it('keeps the version before the last write, and finds records by a field that changes', () => {
    const records = new Records();
    records.put('contacts', '1', { email: 'a', plan: 'free' });
    assert.equal(records.before('contacts', '1'), undefined);
    assert.deepEqual(
      records.find('contacts', 'email', 'a').map(({ id }) => id),
      ['1'],
    );
    records.put('contacts', '1', { email: 'b' });
    assert.deepEqual(records.find('contacts', 'email', 'a'), []);
    assert.deepEqual(records.find('contacts', 'email', 'b')[0]?.fields, { email: 'b', plan: 'free' });
    assert.equal(records.before('contacts', '1')?.fields.email, 'a');
    assert.equal(records.get('contacts', '1')?.writes, 2);
    assert.deepEqual(records.find('companies', 'email', 'b'), []);
  });
  it('can be told to misbehave, and be looked into, over HTTP', async () => {
    const sandbox: Sandbox = await connector.sandbox();
    const post = (path: string, body: object) =>
      fetch(`${sandbox.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sandbox-token' },
        body: JSON.stringify(body),
      });
    assert.equal((await post('/_sandbox/faults', { kind: 'nonsense' })).status, 400);
    assert.equal((await post('/_sandbox/faults', { kind: 'throttle', retryAfterSeconds: 3 })).status, 204);
    const contact = { properties: { email: 'a@b.example' } };
    const refused = await post('/crm/v3/objects/contacts', contact);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '3']);
    const made = await post('/crm/v3/objects/contacts', contact);
    assert.deepEqual([made.status, made.headers.get('x-hubspot-ratelimit-remaining')], [201, '98']);
    assert.equal((await post('/crm/v3/objects/contacts', contact)).status, 409);
    const records = (await (await fetch(`${sandbox.url}/_sandbox/records`)).json()) as SandboxRecord[];
    assert.deepEqual(records, sandbox.records());
    assert.equal(records[0]?.fields.email, 'a@b.example');
    const requests = (await (await fetch(`${sandbox.url}/_sandbox/requests`)).json()) as { status: number }[];
    assert.deepEqual(
      requests.map(({ status }) => status),
      [429, 201, 409],
    );
    await sandbox.close();
  });
  it('knows a property only after it was created', async () => {
    const sandbox = await connector.sandbox();
    const post = (path: string, body: object) =>
      fetch(`${sandbox.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer sandbox-token' },
        body: JSON.stringify(body),
      });
    const contact = { properties: { email: 'a@b.example', shoe_size: '44' } };
    assert.equal((await post('/crm/v3/objects/contacts', contact)).status, 400);
    assert.equal(
      (await post('/crm/v3/properties/contacts', { name: 'shoe_size', type: 'number' })).status,
      201,
    );
    assert.equal((await post('/crm/v3/objects/contacts', contact)).status, 201);
    await sandbox.close();
  });
});

it('the place where a text stops being JSON is found where JSON.parse refuses it, and only there', () => {
  const good = ['[]', ' {"a": [1, -0.5e+3, true, null, "\\u00e9 \\" {"]} ', '""', '0', '{"a":{},"b":[{}]}'];
  for (const text of good)
    assert.deepEqual([jsonFault(text), JSON.parse(text) !== undefined], [undefined, true]);
  const bad: [string, number, number][] = [
    ['', 1, 1],
    ['[1,]', 1, 4],
    ['[1 2]', 1, 4],
    ['{"a":}', 1, 6],
    ['{"a" 1}', 1, 6],
    ['{a: 1}', 1, 2],
    ['[\n"a\nb"]', 2, 1],
    ['[01]', 1, 3],
    ['[1', 1, 3],
    ['[1] x', 1, 5],
    ['["\\x"]', 1, 2],
  ];
  for (const [text, line, column] of bad) {
    assert.throws(() => JSON.parse(text));
    assert.deepEqual(jsonFault(text), { line, column }, text);
  }
});
