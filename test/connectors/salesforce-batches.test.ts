import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Client, Fields, Outcome, Reading, Sandbox } from '../../src/connectors/connector.ts';
import { actionsOf } from '../../src/connectors/index.ts';
import { canonical } from '../../src/connectors/salesforce/canonical.ts';
import { literal } from '../../src/connectors/salesforce/find.ts';
import { longId } from '../../src/connectors/salesforce/ids.ts';
import { connector } from '../../src/connectors/salesforce/index.ts';
import { fileSettings } from '../helpers/desk.ts';

let sandbox: Sandbox;
let client: Client;
let passed = 0;
const call = () => ({ signal: new AbortController().signal, timeoutMs: 5000 });
const byCustomer = { object: 'Contact', external_id: 'Customer_Id__c', auto_assign: false };
const keyed = { key_field: 'Readback_Key__c' };
const item = (key: string, fields: Fields, parentId?: string) => {
  return { key, requestKey: key, mayRepeat: false, fields, parentId };
};
const requests = () =>
  sandbox.requests().map(({ method, path }) => `${method} ${path.replace(/.*v62\.0/, '')}`);

beforeEach(async () => {
  sandbox = await connector.sandbox({ rateLimit: null });
  passed = 0;
  const pass = async () => {
    passed += 1;
    return () => {};
  };
  client = await connector.open(fileSettings(connector, sandbox.settings), { pass, heed: () => {} });
});
afterEach(() => sandbox.close());

async function write(
  action: string,
  options: Record<string, unknown>,
  items: ReturnType<typeof item>[],
): Promise<Outcome[]> {
  const outcomes = await client.write(action, options, items, call());
  return items.map(({ key }) => outcomes.get(key) ?? assert.fail(`nothing about ${key}`));
}
async function idOf(action: string, options: Record<string, unknown>, fields: Fields): Promise<string> {
  const [outcome] = await write(action, options, [item(JSON.stringify(fields), fields)]);
  assert.ok(outcome?.kind === 'applied', JSON.stringify(outcome));
  return outcome.id;
}
async function read(
  action: string,
  options: Record<string, unknown>,
  { key, fields, parentId }: ReturnType<typeof item>,
  id?: string,
): Promise<Reading> {
  const locator = actionsOf(connector)?.[action]?.locate(fields, options) ?? {};
  const asked = { key, id, locator, parentId, fields: Object.keys(fields) };
  return (await client.read(action, options, [asked], call())).get(key) ?? assert.fail('no reading');
}
/** Ends the session, as an administrator does. */
async function revoke(): Promise<void> {
  const { client_id, client_secret } = sandbox.settings;
  const login = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
  const post = async (path: string, form: Record<string, string>) =>
    fetch(sandbox.url + path, {
      method: 'POST',
      headers: { authorization: `Basic ${login}` },
      body: new URLSearchParams(form),
    });
  const live = await post('/services/oauth2/token', { grant_type: 'client_credentials' });
  const { access_token } = (await live.json()) as { access_token: string };
  assert.equal((await post('/services/oauth2/revoke', { token: access_token })).status, 200);
}

describe('a Salesforce session', () => {
  const one = () =>
    write('upsert_record', byCustomer, [item('k', { Customer_Id__c: 'C-1', LastName: 'Ada' })]);

  it('is had once, and renewed once when it has ended, through the gate', async () => {
    await one();
    await one();
    const upsert = 'PATCH /composite/sobjects/Contact/Customer_Id__c';
    const login = 'POST /services/oauth2/token';
    assert.deepEqual(requests(), [login, upsert, upsert]);
    await revoke();
    const before = requests().length;
    assert.equal((await one())[0]?.kind, 'applied');
    assert.deepEqual(requests().slice(before), [upsert, login, upsert]);
    assert.equal(passed, 6);
    assert.equal(sandbox.records()[0]?.writes, 3);
  });
  it('that cannot be renewed now leaves the write undone, and worth another attempt', async () => {
    await one();
    await revoke();
    sandbox.inject({ kind: 'garbage', match: 'oauth2/token' });
    const [outcome] = await one();
    assert.ok(outcome?.kind === 'rejected' && !outcome.permanent, JSON.stringify(outcome));
    assert.equal((await one())[0]?.kind, 'applied');
  });
  it('is asked for with client_id and client_secret, or given as access_token, not both', () => {
    const { instance_url, ...pair } = sandbox.settings;
    const wrong = [
      { instance_url },
      { ...sandbox.settings, access_token: 'x' },
      { instance_url, client_id: pair.client_id },
    ];
    for (const settings of wrong)
      assert.throws(() => fileSettings(connector, settings as Record<string, unknown>), /access_token alone/);
  });
});

describe('a batch of Salesforce records', () => {
  it('is one request for 200, and as few to read as long names allow', async () => {
    const items = Array.from({ length: 200 }, (_, n) =>
      item(`k${n}`, { Customer_Id__c: `C-${n}${'-'.repeat(100)}`, LastName: 'Ada' }),
    );
    const outcomes = await write('upsert_record', byCustomer, items);
    assert.ok(outcomes.every(({ kind }) => kind === 'applied'));
    assert.equal(requests().length, 2);
    for (const known of [true, false]) {
      const before = requests().length;
      const asked = items.map(({ key, fields }, n) => {
        const outcome = outcomes[n];
        const id = known && outcome?.kind === 'applied' ? outcome.id : undefined;
        return {
          key,
          id,
          locator: { external_id: fields.Customer_Id__c ?? '' },
          parentId: undefined,
          fields: ['LastName'],
        };
      });
      const readings = await client.read('upsert_record', byCustomer, asked, call());
      assert.equal([...readings.values()].filter(({ kind }) => kind === 'found').length, 200);
      assert.equal(requests().length - before, known ? 1 : 3);
    }
  });
  it('loses only the row with a value that is no number, although Salesforce refuses the whole', async () => {
    const items = Array.from({ length: 64 }, (_, n) =>
      item(`k${n}`, { Customer_Id__c: `C-${n}`, LastName: 'Ada', MRR__c: n === 37 ? 'much' : '12.50' }),
    );
    const outcomes = await write('upsert_record', byCustomer, items);
    assert.deepEqual(
      outcomes.flatMap(({ kind }, n) => (kind === 'applied' ? [] : [n])),
      [37],
    );
    assert.match(JSON.stringify(outcomes[37]), /JSON_PARSER_ERROR/);
    assert.ok(requests().length <= 15, String(requests().length));
  });
  it('writes rows of the same record one after the other, in their order', async () => {
    const items = ['first', 'second', 'third'].map((LastName, n) =>
      item(`k${n}`, { Customer_Id__c: n === 1 ? 'c-1 ' : 'c-1', LastName }),
    );
    for (const outcome of await write('upsert_record', byCustomer, items))
      assert.equal(outcome.kind, 'applied');
    assert.deepEqual(
      sandbox.records().map(({ fields, writes }) => [fields.LastName, writes]),
      [['third', 3]],
    );
  });
  it('refuses a row without its external id before anything is sent', async () => {
    const [outcome] = await write('upsert_record', byCustomer, [
      item('k', { Customer_Id__c: ' ', LastName: 'A' }),
    ]);
    assert.match(JSON.stringify(outcome), /Customer_Id__c is empty/);
    assert.equal(requests().length, 0);
  });
  it('points to a record by its external id, and names one that does not exist', async () => {
    const fields = { Customer_Id__c: 'C-1', LastName: 'Ada', 'Account.Customer_Id__c': 'A-1' };
    const [refused] = await write('upsert_record', byCustomer, [item('k', fields)]);
    assert.ok(refused?.kind === 'rejected' && /A-1 not found/.test(refused.reason));
    await idOf(
      'upsert_record',
      { ...byCustomer, object: 'Account' },
      { Customer_Id__c: 'A-1', Name: 'Acme' },
    );
    assert.equal((await write('upsert_record', byCustomer, [item('k', fields)]))[0]?.kind, 'applied');
    const reading = await read('upsert_record', byCustomer, item('k', fields));
    assert.ok(reading.kind === 'found' && reading.fields['Account.Customer_Id__c'] === 'A-1');
  });
  it('clears a field with empty text', async () => {
    const write = async (MRR__c: string) =>
      idOf('upsert_record', byCustomer, { Customer_Id__c: 'C-1', LastName: 'Ada', MRR__c });
    await write('12');
    await write('');
    assert.equal(sandbox.records()[0]?.fields.MRR__c, null);
  });
});

describe('a Salesforce task', () => {
  const options = { ...keyed, parent_field: 'WhoId' };

  it('is about the record that the followed destination made, and reads back only if it is', async () => {
    const parentId = await idOf('upsert_record', byCustomer, { Customer_Id__c: 'C-1', LastName: 'Ada' });
    const task = item('t', { Subject: 'Call Ada' }, parentId);
    assert.equal((await write('create_task', options, [task]))[0]?.kind, 'applied');
    assert.equal((await read('create_task', options, task)).kind, 'found');
    const [orphan] = await write('create_task', options, [item('o', { Subject: 'Call nobody' })]);
    assert.ok(orphan?.kind === 'rejected' && orphan.permanent && orphan.code === 'NO_PARENT');
    await write('create_task', keyed, [item('t', { Subject: 'Call Ada', WhoId: '' })]);
    const reading = await read('create_task', options, task);
    assert.ok(reading.kind === 'failed' && /WhoId is not the record/.test(reading.reason));
  });
});

describe('a campaign member', () => {
  let CampaignId = '';
  let ContactId = '';
  beforeEach(async () => {
    CampaignId = await idOf(
      'upsert_record',
      { ...byCustomer, object: 'Campaign' },
      { Customer_Id__c: 'x', Name: 'Spring' },
    );
    ContactId = await idOf('upsert_record', byCustomer, { Customer_Id__c: 'C-1', LastName: 'Ada' });
  });
  const members = () => sandbox.records().filter(({ type }) => type === 'CampaignMember');

  it('is one, whoever adds it how often, and changes its status', async () => {
    const fields = { CampaignId, ContactId, Status: 'Sent' };
    const id = await idOf('add_campaign_member', {}, fields);
    // An id of 15 characters is the same record.
    const again = { CampaignId: CampaignId.slice(0, 15), ContactId, Status: 'Responded' };
    assert.equal(await idOf('add_campaign_member', {}, again), id);
    assert.deepEqual(
      members().map((member) => [member.id, member.fields.Status]),
      [[id, 'Responded']],
    );
  });
  it('that comes twice in a batch is tried again, when it can be found', async () => {
    const twice = ['Sent', 'Responded'].map((Status, n) => item(`k${n}`, { CampaignId, ContactId, Status }));
    const [first, second] = await write('add_campaign_member', {}, twice);
    assert.equal(first?.kind, 'applied');
    assert.ok(
      second?.kind === 'rejected' && !second.permanent && /Already a campaign member/.test(second.reason),
    );
    assert.equal((await write('add_campaign_member', {}, twice.slice(1)))[0]?.kind, 'applied');
    assert.equal(members().length, 1);
  });
  it('can be the contact that the followed destination made', async () => {
    const options = { parent_field: 'ContactId' };
    const one = item('k', { CampaignId, Status: 'Sent' }, ContactId);
    assert.equal((await write('add_campaign_member', options, [one]))[0]?.kind, 'applied');
    assert.equal(members()[0]?.fields.ContactId, ContactId);
    assert.equal((await read('add_campaign_member', options, one)).kind, 'found');
  });
  it('is refused without a campaign, without a person and with two', async () => {
    const wrong: Fields[] = [
      { CampaignId },
      { CampaignId: '', ContactId },
      { CampaignId, ContactId, LeadId: '00Q1' },
    ];
    for (const fields of wrong) {
      const [outcome] = await write('add_campaign_member', {}, [item('k', fields)]);
      assert.ok(outcome?.kind === 'rejected' && outcome.permanent && outcome.code === 'NO_MEMBER');
    }
    assert.equal(members().length, 0);
  });
  it('that is named by something that is no id does not hold up the others', async () => {
    const rows = [ContactId, 'ada@acme.example'].map((person, n) =>
      item(`k${n}`, { CampaignId, ContactId: person, Status: 'Sent' }),
    );
    const [good, bad] = await write('add_campaign_member', {}, rows);
    assert.equal(good?.kind, 'applied');
    assert.ok(bad?.kind === 'rejected' && bad.permanent && /ada@acme/.test(bad.reason), JSON.stringify(bad));
  });
  it('is not added when it cannot be looked up first', async () => {
    sandbox.inject({ kind: 'read_error' });
    const [outcome] = await write('add_campaign_member', {}, [item('k', { CampaignId, ContactId })]);
    assert.ok(outcome?.kind === 'rejected' && !outcome.permanent);
    assert.equal(members().length, 0);
  });
});

describe('doctor on Salesforce', () => {
  it('finds objects and external ids that are missing or are none, and is content with those that are', async () => {
    const wanted = (object: string, external_id: string) => ({
      action: 'upsert_record',
      options: { object, external_id },
    });
    const good = [
      wanted('Contact', 'Customer_Id__c'),
      { action: 'create_task', options: keyed },
      { action: 'add_campaign_member', options: {} },
    ];
    assert.deepEqual(await client.check(good, call()), []);
    const problems = async (one: ReturnType<typeof wanted>) =>
      (await client.check([one], call())).map(({ problem }) => problem).join();
    assert.match(await problems(wanted('Invoice__c', 'Number__c')), /no object Invoice__c/);
    assert.match(await problems(wanted('Contact', 'Nope__c')), /Contact\.Nope__c does not exist/);
    assert.match(await problems(wanted('Contact', 'Email')), /Contact\.Email is not an external id/);
  });
});

describe('the comparable form of a Salesforce value', () => {
  const same: [string, unknown, unknown][] = [
    ['MRR__c', '12.50', 12.5],
    ['At_Risk__c', 'True', true],
    ['Email', ' Ada@B.example', 'ada@b.example'],
    ['Work_Email__c', 'A@b.example', 'a@b.example'],
    ['Scored_At__c', '2026-03-01T10:00:00.987+02:00', '2026-03-01T08:00:00.000+0000'],
    ['Renewal_Date__c', '2026-12-31', '2026-12-31'],
    ['Products__c', 'Web; Mail', 'Mail;Web'],
    ['WhoId', '003500000000001', longId('003500000000001')],
    ['WhoId', '701500000000001', longId('701500000000001')],
    ['Description', 'a\nb ', 'a\r\nb'],
    ['Title', '', null],
  ];
  for (const [field, one, other] of same)
    it(`takes ${JSON.stringify(one)} and ${JSON.stringify(other)} in ${field} for the same`, () => {
      assert.equal(canonical(field, one), canonical(field, other));
    });
  const different: [string, unknown, unknown][] = [
    ['Phone', '+49 15', '49 15'],
    ['MailingPostalCode', '01234', '1234'],
    ['LastName', 'Ada', 'ada'],
    ['Scored_At__c', '2026-03-01T10:00:00+02:00', '2026-03-01T10:00:00.000+0000'],
    ['Products__c', 'Web;Mail', 'Web'],
    ['WhoId', '003500000000AbC', '003500000000aBc'],
  ];
  for (const [field, one, other] of different)
    it(`does not take ${JSON.stringify(one)} and ${JSON.stringify(other)} in ${field} for the same`, () => {
      assert.notEqual(canonical(field, one), canonical(field, other));
    });
  it('lengthens an id as Salesforce does', () => {
    // From recorded answers.
    assert.equal(longId('0014S000007NeNc'), '0014S000007NeNcQAK');
    assert.equal(longId('0034S000005YIq4'), '0034S000005YIq4QAG');
  });
  it('cannot break out of a SOQL string', () => {
    assert.equal(literal("x' OR Id != '\\\n"), "'x\\' OR Id != \\'\\\\\\n'");
  });
});
