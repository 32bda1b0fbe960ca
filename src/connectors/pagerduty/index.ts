import type { CallOptions, Client, Connector, Finding } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { asked } from '../rest.ts';
import { actionsFor, write } from './actions.ts';
import { PagerDuty } from './client.ts';
import { read } from './readback.ts';
import { type Settings, settingsSchema } from './schema.ts';

export const connector: Connector = {
  name: 'pagerduty',
  summary: 'PagerDuty: triggers, acknowledges and resolves incidents, and reads them back.',
  schema: settingsSchema,
  example: [
    'oncall:',
    '  connector: pagerduty',
    '  routing_key: env:PAGERDUTY_ROUTING_KEY',
    '  api_token: env:PAGERDUTY_API_TOKEN',
  ].join('\n'),
  // "Approximately 120 calls/minute per integration key" (developer.pagerduty.com, Events API rate limits).
  rateLimit: { requests: 120, perMs: 60_000 },
  actions: actionsFor,
  open: async (settings, gate): Promise<Client> => {
    const pagerDuty = new PagerDuty(settings as Settings, gate);
    return {
      check: (_actions, call) => check(pagerDuty, call),
      write: (action, _options, items, call) =>
        oneByOne(items, (item) => write(pagerDuty, action, item, call)),
      read: (action, _options, items, call) => read(pagerDuty, action, items, call),
      close: async () => {},
    };
  },
  sandbox: async (options) => (await import('./sandbox.ts')).startSandbox(options),
};

/** The integration key can only be tried by an event; PagerDuty drops the one that resolves what does not exist. */
async function check(pagerDuty: PagerDuty, call: CallOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const probe = { event_action: 'resolve', dedup_key: 'readback-doctor' } as const;
  const sent = await asked(() => pagerDuty.send(probe, call));
  if (!sent.ok)
    findings.push({
      problem: `PagerDuty: ${sent.problem.reason}`,
      hint: 'Check routing_key and region of the connection.',
    });
  const seen = pagerDuty.readable ? await asked(() => pagerDuty.checkToken(call)) : undefined;
  if (seen && !seen.ok)
    findings.push({
      problem: `PagerDuty: ${seen.problem.reason}`,
      hint: 'Check api_token and region of the connection.',
    });
  return findings;
}
