import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../../src/config/secret.ts';
import {
  type CallOptions,
  type Client,
  NotSent,
  type Outcome,
  type Reading,
  type Sandbox,
  type WriteItem,
} from '../../src/connectors/connector.ts';
import { actionsOf } from '../../src/connectors/index.ts';
import { actions } from '../../src/connectors/slack/actions.ts';
import { connector } from '../../src/connectors/slack/index.ts';
import { canonicalText } from '../../src/connectors/slack/text.ts';
import { examine } from '../contract.ts';

const newMessage = async (client: Client, call: CallOptions, n: number) => {
  const fields = { channel: 'C0RETENTION', text: `Acme ${n} may leave.` };
  const item = {
    key: `parent-${n}`,
    requestKey: `parent-${n}`,
    mayRepeat: false,
    fields,
    parentId: undefined,
  };
  return idOf((await client.write('post_message', {}, [item], call)).get(item.key));
};

const untidy =
  'R&amp;D of acme.io &lt;3 https://acme.io/a?b=1&amp;c=2 🚀 <https://acme.io|our site>, ask it@acme.io ';

examine(connector, {
  post_message: {
    type: 'messages',
    fields: (n) => ({
      channel: n === 0 ? '#retention' : 'C0RETENTION',
      text: `${n}: ${untidy}`,
      blocks: JSON.stringify([{ type: 'section', text: { type: 'mrkdwn', text: `*${n}*` } }]),
    }),
  },
  send_direct_message: {
    type: 'messages',
    writes: 'chat.postMessage',
    reads: 'conversations.history',
    fields: (n) => ({ email: `Ada.${n}@Acme.Example`, text: `${n}: ${untidy}` }),
  },
  reply_in_thread: {
    type: 'messages',
    options: { reply_broadcast: true },
    fields: (n) => ({ text: `Reply ${n}\r\nsecond line` }),
    parent: newMessage,
  },
  update_message: { type: 'messages', fields: (n) => ({ text: `Handled: ${n}` }), parent: newMessage },
});

let sandbox: Sandbox;
let client: Client;
const call = (): CallOptions => ({ signal: new AbortController().signal, timeoutMs: 2_000 });

async function open(changes: Record<string, string> = {}, pass = async () => () => {}): Promise<Client> {
  const { bot_token = '', ...rest } = { ...sandbox.settings, ...changes };
  const settings = connector.schema.parse({ ...rest, bot_token: new Secret(bot_token) });
  return connector.open(settings, { pass, heed: () => {} });
}

let keys = 0;
function item(fields: Record<string, string>, parentId?: string): WriteItem {
  const key = `key-${++keys}-x`;
  return { key, requestKey: key, mayRepeat: true, parentId, fields };
}

async function write(action: string, one: WriteItem): Promise<Outcome> {
  return (await client.write(action, {}, [one], call())).get(one.key) ?? assert.fail('no outcome');
}

function readItem(action: string, one: WriteItem, id?: string) {
  const locator = actionsOf(connector)?.[action]?.locate(one.fields, {}) ?? {};
  return { key: one.key, id, locator, parentId: one.parentId, fields: ['text'] };
}

async function read(action: string, one: WriteItem, id?: string): Promise<Reading> {
  const readings = await client.read(action, {}, [readItem(action, one, id)], call());
  return readings.get(one.key) ?? assert.fail('no reading');
}

function idOf(outcome: Outcome | undefined): string {
  assert.ok(outcome?.kind === 'applied' || outcome?.kind === 'already', JSON.stringify(outcome));
  return outcome.id;
}

const post = (text: string, channel = 'C0RETENTION') => item({ channel, text });

describe('slack', () => {
  beforeEach(async () => {
    sandbox = await connector.sandbox({ rateLimit: null });
    client = await open();
  });
  afterEach(() => sandbox.close());

  test('a message whose connection was cut after the post is found by its marker, among others', async () => {
    const one = post('the one');
    sandbox.inject({ kind: 'cut_after_write' });
    assert.equal((await write('post_message', one)).kind, 'ambiguous');
    for (let n = 0; n < 250; n++) await write('post_message', post(`other ${n}`));
    const reading = await read('post_message', one);
    assert.ok(reading.kind === 'found' && reading.fields.text === 'the one');
    assert.equal(sandbox.records().find((record) => record.fields.text === 'the one')?.id, reading.id);
  });

  test('a message that was never posted is absent, not merely unseen', async () => {
    const one = post('lost');
    sandbox.inject({ kind: 'cut_before_write' });
    assert.equal((await write('post_message', one)).kind, 'ambiguous');
    assert.deepEqual(await read('post_message', one), { kind: 'absent' });
  });

  /** Other people's messages. */
  async function noise(count: number): Promise<void> {
    for (let n = 0; n < count; n += 50) {
      const some = Array.from({ length: Math.min(50, count - n) }, (_, m) => post(`noise ${n + m}`));
      await Promise.all(some.map((item) => write('post_message', item)));
    }
  }

  test('a channel too busy to search is unreadable, never absent', async () => {
    const one = post('somewhere below');
    await noise(3 * 999 + 1);
    const reading = await read('post_message', one);
    assert.ok(reading.kind === 'unreadable', reading.kind);
  });

  test('a hundred messages of a channel are read with one request', async () => {
    const posted = Array.from({ length: 100 }, (_, n) => post(`message ${n}`));
    const asked = [];
    for (const one of posted) {
      asked.push(readItem('post_message', one, idOf(await write('post_message', one))));
    }
    const before = sandbox.requests().length;
    const readings = await client.read('post_message', {}, asked, call());
    assert.equal(sandbox.requests().length - before, 1);
    for (const one of posted) {
      const reading = readings.get(one.key);
      assert.ok(reading?.kind === 'found' && reading.fields.text === one.fields.text);
    }
  });

  test('messages far apart in a busy channel are all read', async () => {
    const [first, last] = [post('first'), post('last')];
    const firstId = idOf(await write('post_message', first));
    for (let n = 0; n < 500; n++) await write('post_message', post(`noise ${n}`));
    const lastId = idOf(await write('post_message', last));
    const asked = [readItem('post_message', first, firstId), readItem('post_message', last, lastId)];
    const readings = await client.read('post_message', {}, asked, call());
    for (const one of [first, last]) assert.equal(readings.get(one.key)?.kind, 'found');
  });

  test('a reply is read from its thread, and a reply to a reply joins the same thread', async () => {
    const parentId = idOf(await write('post_message', post('parent')));
    const reply = item({ text: 'first answer' }, parentId);
    const replyId = idOf(await write('reply_in_thread', reply));
    const second = item({ text: 'second answer' }, replyId);
    const secondId = idOf(await write('reply_in_thread', second));
    for (const [one, id] of [
      [reply, replyId],
      [second, secondId],
      [second, undefined],
    ] as const) {
      const reading = await read('reply_in_thread', one, id);
      assert.ok(reading.kind === 'found' && reading.fields.text === one.fields.text);
    }
    const threads = sandbox.records().map((record) => record.fields.thread_ts);
    assert.deepEqual(threads, [undefined, parentId.split(':')[1], parentId.split(':')[1]]);
  });

  test('a named channel is looked up once to search in it; one that nobody knows is unreadable', async () => {
    for (const text of ['a', 'b']) {
      const one = post(text, '#retention');
      sandbox.inject({ kind: 'cut_after_write' });
      await write('post_message', one);
      assert.equal((await read('post_message', one)).kind, 'found');
    }
    const lists = sandbox.requests().filter(({ path }) => path === '/api/conversations.list');
    assert.equal(lists.length, 1);
    assert.equal((await read('post_message', post('x', '#nowhere'))).kind, 'unreadable');
  });

  test('a channel that does not exist is a lasting no', async () => {
    const outcome = await write('post_message', post('x', 'C0UNKNOWN'));
    assert.ok(outcome.kind === 'rejected' && outcome.permanent && outcome.code === 'channel_not_found');
  });

  const direct = (text: string, email = 'Ada@acme.example') => item({ email, text });

  test('direct messages by email go to one conversation, which is looked up once', async () => {
    const ids = [];
    for (const one of [direct('first'), direct('second', 'ada@ACME.example ')])
      ids.push(idOf(await write('send_direct_message', one)));
    const [channel] = ids.map((id) => id.split(':')[0]);
    assert.match(channel ?? '', /^D/);
    assert.ok(ids.every((id) => id.startsWith(`${channel}:`)));
    const paths = sandbox.requests().map(({ path }) => path);
    assert.deepEqual(paths.slice(0, 4), [
      '/api/users.lookupByEmail',
      '/api/conversations.open',
      '/api/chat.postMessage',
      '/api/chat.postMessage',
    ]);
  });

  test('a direct message whose answer was lost is found by its marker, also by another process', async () => {
    const one = direct('the one');
    sandbox.inject({ kind: 'cut_after_write', match: 'chat.postMessage' });
    assert.equal((await write('send_direct_message', one)).kind, 'ambiguous');
    client = await open();
    const reading = await read('send_direct_message', one);
    assert.ok(reading.kind === 'found' && reading.fields.text === 'the one');
  });

  test('an email that nobody has is a lasting no; a lookup that fails is no doubt about the message', async () => {
    const stranger = await write('send_direct_message', direct('x', 'ada@nowhere.example'));
    assert.ok(stranger.kind === 'rejected' && stranger.permanent && stranger.code === 'users_not_found');
    sandbox.inject({ kind: 'garbage', match: 'users.lookupByEmail' });
    const unlucky = await write('send_direct_message', direct('x'));
    assert.ok(unlucky.kind === 'rejected' && !unlucky.permanent, unlucky.kind);
    assert.equal(sandbox.records().length, 0);
  });

  test('a reply joins the thread of a direct message', async () => {
    const parentId = idOf(await write('send_direct_message', direct('parent')));
    const reply = item({ text: 'answer' }, parentId);
    const id = idOf(await write('reply_in_thread', reply));
    assert.equal((await read('reply_in_thread', reply, id)).kind, 'found');
  });

  test('blocks that are no Block Kit JSON are refused with the place, without their values', () => {
    const { fields } = actions.post_message;
    const said = (blocks: string) => {
      const result = fields.safeParse({ channel: 'C0RETENTION', text: 'x', blocks });
      return result.success ? '' : (result.error.issues[0]?.message ?? '');
    };
    assert.equal(said('[{"type": "divider"}]'), '');
    const quoted = '[\n  {"type": "header", "text": "She said "secret""}\n]';
    assert.match(said(quoted), /line 2, column 41 .*\| json/);
    assert.doesNotMatch(said(quoted), /secret/);
    assert.match(said('{"blocks": []}'), /a list of blocks/);
    assert.match(said('[{"type": "divider"}, {"text": "x"}]'), /block 2 has no "type"/);
    assert.match(said(JSON.stringify(Array(51).fill({ type: 'divider' }))), /51 blocks; Slack takes 50/);
  });

  test('what Slack makes of a text counts as the text', () => {
    const pairs = [
      ['R&D', 'R&amp;D'],
      ['a &lt; b &amp;&amp; c &gt; d', 'a &lt; b &amp;&amp; c &gt; d'],
      ['https://acme.io/?a=1&b=2', '<https://acme.io/?a=1&amp;b=2>'],
      ['see acme.io', 'see <http://acme.io|acme.io>'],
      ['it@acme.io', '<mailto:it@acme.io|it@acme.io>'],
      ['<@U1> in <#C1>', '<@U1|ada> in <#C1|general>'],
      ['done ✅ 👍🏽', 'done :white_check_mark: :+1::skin-tone-4:'],
      ['line\r\nline ', 'line\nline'],
    ] as const;
    for (const [sent, kept] of pairs) assert.equal(canonicalText(sent), canonicalText(kept));
  });

  test('what another text says does not count as the text', () => {
    const pairs = [
      ['10:30:45', '10:31:45'],
      ['<https://acme.io|pay here>', '<https://evil.io|pay here>'],
      ['&amp;lt;', '&lt;'],
      ['<@U1>', '<@U2>'],
    ] as const;
    for (const [sent, kept] of pairs) assert.notEqual(canonicalText(sent), canonicalText(kept));
  });

  test('a client held back by a 429 without Retry-After goes on at the next call', async () => {
    sandbox.inject({ kind: 'throttle_bare' });
    assert.deepEqual(await write('post_message', post('x')), {
      kind: 'throttled',
      retryAfterMs: null,
      reason: '429 from Slack',
    });
    assert.equal((await write('post_message', post('x'))).kind, 'applied');
  });

  test('a gate that closes between two pages gives no reading away', async () => {
    const one = post('deep');
    await write('post_message', one);
    await noise(1_000);
    let passes = 1;
    const halting = await open({}, async () => {
      if (passes-- <= 0) throw new NotSent({ kind: 'throttled', retryAfterMs: 5, reason: 'paused' });
      return () => {};
    });
    const readings = await halting.read('post_message', {}, [readItem('post_message', one)], call());
    assert.equal(readings.get(one.key)?.kind, 'throttled');
  });

  test('doctor names the scopes that a token lacks for what is used', async () => {
    const scopes = 'chat:write,channels:history,users:read';
    const narrow = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-oauth-scopes': scopes });
      response.end('{"ok":true}');
    });
    await new Promise<void>((resolve) => narrow.listen(0, '127.0.0.1', resolve));
    const { port } = narrow.address() as AddressInfo;
    const limited = await open({ base_url: `http://127.0.0.1:${port}` });
    const use = (action: string) => limited.check([{ action, options: {} }], call());
    try {
      assert.deepEqual(await use('post_message'), []);
      const [finding, ...others] = await use('send_direct_message');
      assert.equal(others.length, 0);
      assert.match(finding?.hint ?? '', /^Add users:read\.email, im:write, im:history and/);
    } finally {
      narrow.close();
      narrow.closeAllConnections();
    }
  });

  test('base_url may end in /api, /api/ or neither', async () => {
    for (const base_url of [sandbox.url, `${sandbox.url}/`, `${sandbox.url}/api`, `${sandbox.url}/api/`]) {
      assert.deepEqual(await (await open({ base_url })).check([], call()), []);
    }
  });

  test('posting faster than a channel takes it is throttled with Retry-After', async () => {
    await sandbox.close();
    sandbox = await connector.sandbox();
    client = await open();
    const outcomes = [];
    for (let n = 0; n < 6; n++) outcomes.push(await write('post_message', post(`burst ${n}`)));
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['applied', 'applied', 'applied', 'applied', 'applied', 'throttled'],
    );
    const last = outcomes[5];
    assert.ok(last?.kind === 'throttled' && (last.retryAfterMs ?? 0) > 0);
  });
});
