import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Client, Fields, Outcome, Reading, Sandbox, WriteItem } from '../../src/connectors/connector.ts';
import { canonicalProperty } from '../../src/connectors/hubspot/canonical.ts';
import { connector } from '../../src/connectors/hubspot/index.ts';
import { actionsOf } from '../../src/connectors/index.ts';
import { fileSettings } from '../helpers/desk.ts';

let sandbox: Sandbox;
let client: Client;
const byEmail = { id_property: 'email' };
const taskOptions = { key_property: 'readback_key' };
const call = () => ({ signal: new AbortController().signal, timeoutMs: 5000 });
const item = (key: string, fields: Fields): WriteItem => ({
  key,
  requestKey: key,
  mayRepeat: false,
  fields,
  parentId: undefined,
});
const kind = (outcome: Outcome | undefined) => outcome?.kind;

beforeEach(async () => {
  sandbox = await connector.sandbox({ rateLimit: null });
  client = await connector.open(fileSettings(connector, sandbox.settings), {
    pass: async () => () => {},
    heed: () => {},
  });
});
afterEach(() => sandbox.close());

async function readTask(key: string, fields: Fields): Promise<Reading | undefined> {
  const locator = actionsOf(connector)?.create_task?.locate(fields, taskOptions) ?? {};
  const asked = { key, id: undefined, locator, parentId: undefined, fields: Object.keys(fields) };
  return (await client.read('create_task', taskOptions, [asked], call())).get(key);
}

describe('a batch of HubSpot contacts', () => {
  it('loses only its bad row when HubSpot refuses the whole and names none', async () => {
    const items = Array.from({ length: 100 }, (_, n) =>
      item(`k${n}`, { email: n === 37 ? 'nobody' : `a${n}@b.example` }),
    );
    const outcomes = await client.write('upsert_contact', byEmail, items, call());
    for (const { key } of items)
      assert.equal(kind(outcomes.get(key)), key === 'k37' ? 'rejected' : 'applied', key);
    assert.match(JSON.stringify(outcomes.get('k37')), /INVALID_EMAIL/);
    assert.equal(sandbox.records().length, 99);
    // 2·log2(100) + 1, rounded up.
    assert.ok(sandbox.requests().length <= 15, String(sandbox.requests().length));
  });
  it('is refused in one call when all rows carry a property that does not exist', async () => {
    const items = Array.from({ length: 50 }, (_, n) =>
      item(`k${n}`, { email: `a${n}@b.example`, churn_prob: '1' }),
    );
    const outcomes = await client.write('upsert_contact', byEmail, items, call());
    assert.ok(
      [...outcomes.values()].every(
        (outcome) => outcome.kind === 'rejected' && /churn_prob/.test(outcome.reason),
      ),
    );
    assert.equal(outcomes.size, 50);
    assert.equal(sandbox.requests().length, 1);
  });
  it('writes rows of the same contact one after the other, in their order', async () => {
    const items = ['first', 'second', 'third'].map((name, n) =>
      item(`k${n}`, { email: n === 1 ? 'A@b.example ' : 'a@B.example', firstname: name }),
    );
    const outcomes = await client.write('upsert_contact', byEmail, items, call());
    assert.deepEqual([...outcomes.values()].map(kind), ['applied', 'applied', 'applied']);
    assert.deepEqual(
      sandbox.records().map(({ fields, writes }) => [fields.firstname, writes]),
      [['third', 3]],
    );
    // One call each: together HubSpot would refuse them.
    assert.deepEqual(
      sandbox.requests().map(({ status }) => status),
      [200, 200, 200],
    );
  });
  it('refuses a row without its unique value before anything is sent', async () => {
    const outcomes = await client.write(
      'upsert_contact',
      byEmail,
      [item('k', { email: ' ', firstname: 'A' })],
      call(),
    );
    assert.match(JSON.stringify(outcomes.get('k')), /email is empty/);
    assert.equal(sandbox.requests().length, 0);
  });
  it('is not sent any more once the worker was told to stop, and is not in doubt', async () => {
    const stopped = { signal: AbortSignal.abort(), timeoutMs: 5000 };
    const one = item('k', { email: 'a@b.example' });
    const outcome = (await client.write('upsert_contact', byEmail, [one], stopped)).get('k');
    assert.deepEqual(outcome, { kind: 'throttled', retryAfterMs: 0, reason: 'stopped before sending' });
    assert.equal(sandbox.requests().length, 0);
  });
  it('is throttled when it runs into the limit of the vendor itself', async () => {
    const small = await connector.sandbox({ rateLimit: { requests: 2, perMs: 60_000 } });
    const limited = await connector.open(fileSettings(connector, small.settings), {
      pass: async () => () => {},
      heed: () => {},
    });
    const one = () => limited.write('upsert_contact', byEmail, [item('k', { email: 'a@b.example' })], call());
    assert.deepEqual([kind((await one()).get('k')), kind((await one()).get('k'))], ['applied', 'applied']);
    const outcome = (await one()).get('k');
    assert.ok(outcome?.kind === 'throttled' && (outcome.retryAfterMs ?? 0) > 50_000, JSON.stringify(outcome));
    await small.close();
  });
});

describe('a HubSpot task', () => {
  const fields = { subject: 'Call Ada', contact_email: 'ada@b.example' };
  const writeTask = async (more: Fields = {}) =>
    (await client.write('create_task', taskOptions, [item('t1', { ...fields, ...more })], call())).get('t1');
  const addContact = (email = 'ada@b.example') =>
    client.write('upsert_contact', byEmail, [item('c1', { email })], call());

  it('is not made for a contact HubSpot does not know', async () => {
    const ask = async (mayRepeat: boolean) =>
      (await client.write('create_task', taskOptions, [{ ...item('t1', fields), mayRepeat }], call())).get(
        't1',
      );
    const first = await ask(false);
    assert.ok(first?.kind === 'rejected' && first.code === 'UNKNOWN_TARGET');
    assert.ok(!first.permanent, 'a contact may be newer than what one read shows');
    const again = await ask(true);
    assert.ok(again?.kind === 'rejected' && again.permanent && again.code === 'UNKNOWN_TARGET');
    assert.deepEqual(sandbox.records(), []);
  });
  it('is not made, but worth another attempt, when its contact cannot be looked up', async () => {
    await addContact();
    sandbox.inject({ kind: 'read_error' });
    const outcome = await writeTask();
    assert.ok(outcome?.kind === 'rejected' && !outcome.permanent, JSON.stringify(outcome));
    assert.equal(kind(await writeTask()), 'applied');
  });
  it('is not made for an empty contact, an empty subject or a due date that is none', async () => {
    await addContact();
    for (const more of [
      { contact_email: '' },
      { subject: ' ' },
      { due: 'tomorrow' },
      { due: '2026-02-30' },
    ]) {
      const outcome = await writeTask(more as Fields);
      assert.ok(outcome?.kind === 'rejected' && outcome.permanent, JSON.stringify(more));
    }
    assert.deepEqual(
      sandbox.records().filter(({ type }) => type === 'tasks'),
      [],
    );
  });
  it('is put on its contact when the association was cut off and the write comes again', async () => {
    await addContact();
    sandbox.inject({ kind: 'cut_before_write', match: 'batch/associate' });
    assert.equal(kind(await writeTask()), 'ambiguous');
    const before = await readTask('t1', fields);
    assert.ok(before?.kind === 'found' && before.fields.contact_email === '', JSON.stringify(before));
    assert.equal(kind(await writeTask()), 'applied');
    const now = await readTask('t1', fields);
    assert.ok(now?.kind === 'found' && now.fields.contact_email === 'ada@b.example');
    assert.equal(sandbox.records().filter(({ type }) => type === 'tasks').length, 1);
  });
  it('still counts as being on its contact when somebody adds another', async () => {
    await addContact();
    await writeTask();
    const outcomes = await client.write(
      'upsert_contact',
      byEmail,
      [item('c2', { email: 'bob@b.example' })],
      call(),
    );
    const other = outcomes.get('c2');
    const task = sandbox.records().find(({ type }) => type === 'tasks');
    assert.ok(other?.kind === 'applied' && task);
    await fetch(`${sandbox.url}/crm/v4/associations/tasks/contacts/batch/associate/default`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${sandbox.settings.access_token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ inputs: [{ from: { id: task.id }, to: { id: other.id } }] }),
    });
    const reading = await readTask('t1', fields);
    assert.ok(reading?.kind === 'found' && reading.fields.contact_email === 'ada@b.example');
    // Asked without an expected contact, it tells of both.
    const asked = { key: 't1', id: undefined, locator: {}, parentId: undefined, fields: ['contact_email'] };
    const all = (await client.read('create_task', taskOptions, [asked], call())).get('t1');
    assert.ok(all?.kind === 'found' && String(all.fields.contact_email).split(';').length === 2);
  });
  it('can be put on a contact and a company by their ids', async () => {
    await addContact();
    const companies = await client.write(
      'upsert_company',
      { id_property: 'customer_id' },
      [item('o', { customer_id: 'C-1' })],
      call(),
    );
    const contact = sandbox.records().find(({ type }) => type === 'contacts');
    const company = companies.get('o');
    assert.ok(contact && company?.kind === 'applied');
    const ids = { subject: 'Call', contact_id: contact.id, company_id: company.id };
    const outcomes = await client.write('create_task', taskOptions, [item('t2', ids)], call());
    assert.equal(kind(outcomes.get('t2')), 'applied');
    const reading = await readTask('t2', ids);
    assert.ok(reading?.kind === 'found');
    assert.deepEqual(reading.fields, ids);
  });
  it('is due at the end of the day when nothing else is said', async () => {
    await addContact();
    await writeTask();
    const task = sandbox.records().find(({ type }) => type === 'tasks');
    assert.match(String(task?.fields.hs_timestamp), /^\d{4}-\d\d-\d\dT23:59:59\.000Z$/);
  });
  it('does not take both ways of naming its contact', () => {
    const both = { subject: 's', contact_email: 'a@b.example', contact_id: '1' };
    assert.equal(actionsOf(connector)?.create_task?.fields.safeParse(both).success, false);
  });
});

describe('doctor on HubSpot', () => {
  it('finds properties that are missing or not unique, and is content with those that are', async () => {
    const wanted = (action: string, id_property: string) => ({ action, options: { id_property } });
    const good = [
      wanted('upsert_contact', 'email'),
      wanted('upsert_company', 'customer_id'),
      { action: 'create_task', options: taskOptions },
    ];
    assert.deepEqual(await client.check(good, call()), []);
    const findings = await client.check(
      [wanted('upsert_company', 'name'), wanted('upsert_contact', 'nope')],
      call(),
    );
    assert.match(findings[0]?.problem ?? '', /name does not require unique values/);
    assert.match(findings[1]?.problem ?? '', /no contact property nope/);
    assert.match(findings[1]?.hint ?? '', /Settings → Properties/);
  });
});

describe('the comparable form of a HubSpot value', () => {
  const same: [string, unknown, unknown][] = [
    ['mrr', '12.0', 12],
    ['mrr', '-0.50', '-0.5'],
    ['big', '9007199254740993.0', '9007199254740993'],
    ['email', ' Ada@B.example', 'ada@b.example'],
    ['work_email', 'A@b.example', 'a@b.example'],
    ['at_risk', 'True', true],
    ['seen', '2026-03-01T10:00:00+02:00', '2026-03-01T08:00:00.000Z'],
    ['seen', '2026-03-01 08:00:00.123456', '2026-03-01T08:00:00.123Z'],
    ['seen', '2026-03-01', '2026-03-01T00:00:00Z'],
    ['notes', 'a\r\nb ', 'a\nb'],
    ['notes', '', null],
    ['notes', '', undefined],
  ];
  for (const [field, one, other] of same) {
    it(`takes ${JSON.stringify(one)} and ${JSON.stringify(other)} in ${field} for the same`, () => {
      assert.equal(canonicalProperty(field, one), canonicalProperty(field, other));
    });
  }
  const different: [string, unknown, unknown][] = [
    ['zip', '01234', '1234'],
    ['phone', '+4915', '4915'],
    ['firstname', 'Ada', 'ada'],
    ['big', '9007199254740993', '9007199254740992'],
    ['seen', '2026-02-30', '2026-03-02'],
    ['seen', '2026-03-01T10:00:00+02:00', '2026-03-01T10:00:00Z'],
  ];
  for (const [field, one, other] of different) {
    it(`does not take ${JSON.stringify(one)} and ${JSON.stringify(other)} in ${field} for the same`, () => {
      assert.notEqual(canonicalProperty(field, one), canonicalProperty(field, other));
    });
  }
  it('reads a due date in milliseconds, and a priority in any case', () => {
    const canonical = actionsOf(connector)?.create_task?.canonical ?? assert.fail();
    assert.equal(canonical('due', '1772352000000'), canonical('due', '2026-03-01T08:00:00Z'));
    assert.equal(canonical('priority', ' high'), canonical('priority', 'HIGH'));
  });
});
