import { z } from 'zod';
import type { Actions, CallOptions, Client, Connector, Finding, Outcome, WriteItem } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { rejected } from '../outcomes.ts';
import { messageOf } from './card.ts';
import { Workflow } from './client.ts';
import { messageFields, type Settings, settingsSchema } from './schema.ts';

const unverifiable = 'a Teams workflow only says that it was started, and cannot be asked what it has posted';

const actions: Actions = {
  post_message: {
    summary: 'Posts a message to a channel or chat, by a workflow.',
    idempotency: 'none',
    unverifiable,
    fields: messageFields,
    options: z.strictObject({}),
    unreadable: [],
    needsParent: false,
    maxBatch: 1,
    maxReadBatch: 1,
    concurrency: 1,
    lagMs: 0,
    locate: () => ({}),
    canonical: (_field, value) => String(value ?? '').trim(),
    example: {
      fields: {
        title: '{{ sku }} is running out',
        text: '**{{ days_left }} days** left in {{ warehouse }}.',
        link: 'https://erp.acme.example/skus/{{ sku }}',
      },
    },
  },
};

export const connector: Connector = {
  name: 'teams',
  summary: 'Microsoft Teams: posts messages by a workflow. What it has posted cannot be read back.',
  schema: settingsSchema,
  example: ['channel:', '  connector: teams', '  webhook_url: env:TEAMS_WEBHOOK_URL'].join('\n'),
  // Four a second are what Teams documents for webhooks; one leaves room for others that post there.
  rateLimit: { requests: 1, perMs: 1_000 },
  actions,
  open: async (settings, gate): Promise<Client> => {
    const workflow = new Workflow(settings as Settings, gate);
    return {
      check: (_actions, call) => check(workflow, call),
      write: (_action, _options, items, call) => oneByOne(items, (item) => post(workflow, item, call)),
      read: async (_action, _options, items) =>
        new Map(items.map(({ key }) => [key, { kind: 'unreadable', reason: unverifiable }])),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

/** The id is that of the workflow's run, by which its history in Power Automate is searched. */
async function post(workflow: Workflow, { key, fields }: WriteItem, call: CallOptions): Promise<Outcome> {
  const made = messageOf(key, fields);
  if ('problem' in made) return rejected('message', made.problem);
  const answer = await workflow.post(made.message, call);
  if (!answer.ok) return answer.problem;
  return { kind: 'applied', id: answer.headers.get('x-ms-workflow-run-id') ?? key };
}

/** Only posting would prove that posting works; what is certainly wrong with the address shows without. */
async function check(workflow: Workflow, call: CallOptions): Promise<Finding[]> {
  const answer = await workflow.peek(call);
  const { kind } = answer.ok ? { kind: 'ok' } : answer.problem;
  if (answer.ok || kind === 'rejected' || kind === 'throttled') return [];
  return [
    {
      problem: `Teams: ${answer.problem.reason}`,
      hint: 'Copy webhook_url again from the workflow, which must be switched on and open to anyone.',
    },
  ];
}
