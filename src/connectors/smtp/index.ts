import { z } from 'zod';
import { canonicalText } from '../canonical.ts';
import type {
  ActionType,
  CallOptions,
  Client,
  Connector,
  Finding,
  Outcome,
  WriteItem,
} from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { rejected } from '../outcomes.ts';
import { MailServer } from './client.ts';
import { mailOf } from './message.ts';
import { mailFields, type Settings, settingsSchema } from './schema.ts';

const unverifiable = 'SMTP has no way to ask what became of a mail';

const actions = {
  send_mail: {
    summary: 'Sends a mail to one person.',
    // The Message-ID is the same for every attempt, but no server has to look at it.
    idempotency: 'none',
    fields: mailFields,
    options: z.strictObject({}),
    unverifiable,
    unreadable: [],
    escape: { filter: 'html_escape', fields: ['html'] },
    needsParent: false,
    maxBatch: 1,
    maxReadBatch: 100,
    concurrency: 2,
    lagMs: 0,
    locate: () => ({}),
    canonical: (_field, value) => canonicalText(value),
    example: {
      fields: {
        to: '{{ email }}',
        subject: 'Welcome, {{ company }}',
        text: 'Hello {{ first_name }},\n\nyour onboarding starts on {{ kickoff_on | date: "%d %B" }}.',
        reply_to: '{{ csm_email }}',
      },
    },
  },
} satisfies Record<string, ActionType>;

export const connector: Connector = {
  name: 'smtp',
  summary: 'E-mail through any mail server that speaks SMTP.',
  schema: settingsSchema,
  example: [
    'mail:',
    '  connector: smtp',
    '  host: smtp.acme.example',
    '  user: readback',
    '  password: env:SMTP_PASSWORD',
    '  from: Acme <hello@acme.example>',
  ].join('\n'),
  // Mail services begin at some mails a second; yours may allow more.
  rateLimit: { requests: 5, perMs: 1_000 },
  actions,
  open: async (given, gate): Promise<Client> => {
    const settings = given as Settings;
    const server = new MailServer(settings, gate);
    return {
      check: (_actions, call) => check(server, call),
      write: (_action, _options, items, call) =>
        oneByOne(items, (item) => send(server, settings.from, item, call)),
      read: async (_action, _options, items) =>
        new Map(items.map(({ key }) => [key, { kind: 'unreadable', reason: unverifiable }])),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

async function send(server: MailServer, from: string, item: WriteItem, call: CallOptions): Promise<Outcome> {
  const mail = mailOf(item.key, from, item.fields);
  if ('code' in mail) return rejected(mail.code, mail.reason);
  const answer = await server.deliver(mail, call);
  return answer.kind === 'taken' ? { kind: 'applied', id: mail.messageId } : answer;
}

async function check(server: MailServer, call: CallOptions): Promise<Finding[]> {
  const answer = await server.deliver(undefined, call);
  if (answer.kind === 'taken') return [];
  const hint = 'Check host, port, tls, user and password of the connection.';
  return [{ problem: `The mail server: ${answer.reason}`, hint }];
}
