import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, soundFiles } from './written-project.ts';

const ticket = `connection: support
action: create_ticket
signals: [churn_risk]
fields: { subject: Call, body: Soon }
`;
const alert = `connection: team
action: post_message
signals: [churn_risk]
after: ticket
fields:
  channel: C0ALERTS
  text: "{{ results.ticket.url }}"
`;

/** A signal that says both transitions. */
const both = {
  'signals/churn_risk.sql':
    '/*\nkey: customer_id\nevery: 5m\non: [entered, left]\n*/\nselect customer_id from scores',
};
const contact = `connection: crm
action: upsert_contact
signals: [churn_risk]
fields: { email: "{{ customer_id }}" }
`;
const afterContact = `connection: team
action: post_message
signals: [churn_risk]
after: contact
on_failure: compensate
fields: { channel: C0ALERTS, text: Hi }
`;

/** The sound project with a ticket and an alert after it, both as changed, and its problems. */
async function problemsOf(files: { ticket?: string; alert?: string; more?: Record<string, string> }) {
  const { problems } = await load({
    files: {
      'destinations/ticket.yaml': files.ticket ?? ticket,
      'destinations/alert.yaml': files.alert ?? alert,
      ...files.more,
    },
  });
  return problems.map((one) => `${one.format().split('\n')[0]} | ${one.hint ?? ''}`);
}

/** Rule, what is written wrong, the first problem. */
const cases: [rule: string, files: Parameters<typeof problemsOf>[0], problem: string][] = [
  [
    'a step comes after a destination that there is',
    { alert: alert.replace('after: ticket', 'after: tickt') },
    'destinations/alert.yaml:4:8 CONFIG_REFERENCE: there is no destination `tickt` | did you mean `ticket`?',
  ],
  [
    'in a list too',
    { alert: alert.replace('after: ticket', 'after: [ticket, tickt]') },
    'destinations/alert.yaml:4:17 CONFIG_REFERENCE: there is no destination `tickt` | did you mean `ticket`?',
  ],
  [
    'no step comes after itself',
    { ticket: `${ticket}after: alert\n` },
    'destinations/alert.yaml:4:8 CONFIG_REFERENCE: destinations come after each other in a circle: alert, ticket | remove one of the after',
  ],
  [
    'all steps act on the same transitions',
    { ticket: `${ticket}on: [left]\n`, more: both },
    'destinations/alert.yaml:4:8 CONFIG_REFERENCE: `ticket` has other `on` (left) than this step of its play (entered) | write the same `on` in both',
  ],
  [
    'results are those of a step',
    { alert: alert.replace('results.ticket.url', 'results.tickt.url') },
    'destinations/alert.yaml:7:13 TEMPLATE: `tickt` is no step that this one comes after | did you mean `ticket`?',
  ],
  [
    'results are those of a step that comes before',
    { alert: alert.replace('after: ticket\n', '') },
    'destinations/alert.yaml:6:13 TEMPLATE: `ticket` is no step that this one comes after | add after: ticket',
  ],
  [
    'in conditions too',
    { alert: `${alert}when: results.ticket.status == 'verified'\n` },
    "destinations/alert.yaml:8:7 TEMPLATE: a step's results are id, url, state, not `status` | write results.ticket.id, .url or .state",
  ],
  [
    'in left_fields too',
    {
      ticket: `${ticket}on: [left]\n`,
      alert: `${alert}on: [left]\nleft_fields: { channel: C0ALERTS, text: "{{ results.ticket.link }}" }\n`,
      more: both,
    },
    "destinations/alert.yaml:9:45 TEMPLATE: a step's results are id, url, state, not `link` | write results.ticket.id, .url or .state",
  ],
  [
    'what a step brings is known',
    { alert: alert.replace('results.ticket.url', 'results.ticket.link') },
    "destinations/alert.yaml:7:13 TEMPLATE: a step's results are id, url, state, not `link` | write results.ticket.id, .url or .state",
  ],
  [
    'a step is named, not computed',
    { alert: alert.replace('results.ticket.url', 'results[customer_id].url') },
    'destinations/alert.yaml:7:13 TEMPLATE: `results` needs the name of a step | write results.<step>.id',
  ],
  [
    'not every record has a page',
    { ticket: alert.replace('after: ticket\n', '').replace('{{ results.ticket.url }}', 'Hi') },
    'destinations/alert.yaml:7:13 TEMPLATE: `ticket` has no url: `post_message` makes nothing whose page its id tells | use results.ticket.id',
  ],
  [
    'what may be skipped needs a default',
    { ticket: `${ticket}on_failure: skip\n` },
    "destinations/alert.yaml:7:13 TEMPLATE: `ticket` may be skipped (its on_failure), and then has no url | say what to print then: {{ results.ticket.url | default: '…' }}",
  ],
  [
    'also within a tag',
    {
      ticket: `${ticket}on_failure: skip\n`,
      alert: alert.replace(
        '{{ results.ticket.url }}',
        '{% if customer_id %}{{ results.ticket.url }}{% endif %}',
      ),
    },
    "destinations/alert.yaml:7:33 TEMPLATE: `ticket` may be skipped (its on_failure), and then has no url | say what to print then: {{ results.ticket.url | default: '…' }}",
  ],
  [
    'compensating needs something to undo',
    { ticket: `${ticket}on_failure: compensate\n` },
    'destinations/ticket.yaml:5:13 CONFIG_REFERENCE: there is no earlier step to undo | name the earlier step as after:, or remove it',
  ],
  [
    'compensating needs earlier steps that can be undone',
    { more: { 'destinations/contact.yaml': contact, 'destinations/reply.yaml': afterContact } },
    'destinations/reply.yaml:5:13 CONFIG_REFERENCE: `contact` cannot be undone: nothing undoes `upsert_contact` | use stop or skip, or let that step come after this one',
  ],
];

test('a play without a mistake has no problems', async () => {
  assert.deepEqual(await problemsOf({}), []);
  const guarded = alert.replace('results.ticket.url', "results.ticket.url | default: 'no ticket'");
  assert.deepEqual(await problemsOf({ ticket: `${ticket}on_failure: skip\n`, alert: guarded }), []);
});

for (const [rule, files, problem] of cases)
  test(`says where and why: ${rule}`, async () => {
    const problems = await problemsOf(files);
    assert.ok(problems.includes(problem), `${problems.join('\n')}\n≠ ${problem}`);
  });

test('a signal may have a column named results', async () => {
  const text = alert.replace('after: ticket\n', '').replace('results.ticket.url', 'results.total');
  assert.deepEqual(await problemsOf({ alert: text }), []);
});

test('what undoes a step may depend on what its file says', async () => {
  const list = `connection: crm
action: add_to_list
options: { list_name: Churn risk }
signals: [churn_risk]
fields: { member: "{{ customer_id }}" }
`;
  const { destinations } = await load({
    files: {
      'destinations/ticket.yaml': list,
      'destinations/alert.yaml': `${alert.replace('.url', '.id')}on_failure: compensate\n`,
    },
  });
  const undoing = destinations.get('ticket.undo');
  assert.deepEqual(
    [undoing?.action, undoing?.options.list_name, undoing?.fields],
    ['remove_from_list', 'Churn risk', {}],
  );
});

test('what undoes a step sees no row, so that a tag of a template is not taken off', async () => {
  const tag = (text: string) => `connection: inbox
action: tag_contact
signals: [churn_risk]
follows: person
fields: { tag: "${text}" }
`;
  const root = soundFiles['readback.yml'] ?? '';
  const more = {
    'readback.yml': `${root}  inbox: { connector: intercom, access_token: env:SLACK_TOKEN }\n`,
    'destinations/person.yaml': contact.replace('connection: crm', 'connection: inbox'),
  };
  const afterTag = `${alert.replace('.url', '.id')}on_failure: compensate\n`;
  const written = await problemsOf({ ticket: tag('churn risk'), alert: afterTag, more });
  assert.deepEqual(written, []);
  const [problem] = await problemsOf({ ticket: tag('{{ customer_id }}'), alert: afterTag, more });
  assert.match(
    problem ?? '',
    /`ticket` cannot be undone: nothing undoes `tag_contact` as it is written there/,
  );
});

test('what a play may have to undo has a destination that does it', async () => {
  const { destinations } = await load({
    files: {
      'destinations/ticket.yaml': ticket,
      'destinations/alert.yaml': `${alert}on_failure: compensate\n`,
    },
  });
  const undoing = destinations.get('ticket.undo');
  assert.deepEqual(
    [undoing?.undoes, undoing?.action, undoing?.connection, undoing?.fields.status],
    ['ticket', 'update_ticket', 'support', 'solved'],
  );
});
