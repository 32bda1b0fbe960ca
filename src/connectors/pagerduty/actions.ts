import { z } from 'zod';
import type { Actions, ActionType, CallOptions, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asked, beforeWriting } from '../rest.ts';
import type { Event, PagerDuty } from './client.ts';
import { canonical } from './normal.ts';
import { unreadable } from './readback.ts';
import { detailField, triggerFields, updateFields } from './schema.ts';

/** Events are taken into a queue. PagerDuty does not say how long it may be; a minute is many times the usual. */
const lagMs = 60_000;

const common = {
  options: z.strictObject({}),
  maxBatch: 1,
  maxReadBatch: 20,
  concurrency: 4,
  lagMs,
  locate: () => ({}),
  canonical,
} as const;

export const actions = {
  trigger_incident: {
    ...common,
    summary: 'Opens an alert, and with it an incident, once per action.',
    idempotency: 'keyed',
    fields: triggerFields,
    // The REST API documents no place for them.
    unreadable: ['source', 'component', 'group', 'class'],
    needsParent: false,
    inverse: { action: 'update_incident', fields: { status: 'resolved' } },
    example: {
      fields: {
        summary: '{{ sku }} will run out in {{ days_left }} days',
        source: '{{ warehouse }}',
        severity: 'warning',
        detail_sku: '{{ sku }}',
      },
    },
  },
  update_incident: {
    ...common,
    summary: 'Acknowledges or resolves the incident an earlier destination triggered (`follows:`).',
    // A status is set, not added; PagerDuty drops the event of an alert that is resolved already.
    idempotency: 'upsert',
    fields: updateFields,
    unreadable: [],
    needsParent: true,
    example: { fields: { status: 'resolved' } },
  },
} satisfies Record<string, ActionType>;

const blind: Actions = Object.fromEntries(
  Object.entries(actions).map(([name, action]) => [name, { ...action, unverifiable: unreadable }]),
);

/** Without a token for the REST API nothing can be read back. */
export function actionsFor(settings: Record<string, unknown>): Actions {
  return settings.api_token === undefined ? blind : actions;
}

/** Writes one action. */
export function write(
  pagerDuty: PagerDuty,
  action: string,
  item: WriteItem,
  call: CallOptions,
): Promise<Outcome> {
  return action === 'trigger_incident' ? trigger(pagerDuty, item, call) : update(pagerDuty, item, call);
}

/**
 * The key holds only while the alert is open: once somebody has resolved it, the same event opens another. So one that
 * may be a repeat is looked for first, where that is possible.
 */
async function trigger(pagerDuty: PagerDuty, item: WriteItem, call: CallOptions): Promise<Outcome> {
  if (item.mayRepeat && pagerDuty.readable) {
    const found = await asked(() => pagerDuty.alerts(item.key, call));
    if (!found.ok) return beforeWriting(found.problem);
    if (found.alerts.length > 0) return { kind: 'already', id: item.key };
  }
  const { link, ...fields } = item.fields;
  const details = Object.entries(fields).flatMap(([name, value]) => {
    const detail = detailField.exec(name)?.[1];
    return detail === undefined ? [] : [[detail, value]];
  });
  const { summary, source, severity, component, group, class: kind } = fields;
  const event: Event = {
    event_action: 'trigger',
    dedup_key: item.key,
    client: 'Readback',
    ...(link === undefined ? {} : { links: [{ href: link, text: link }] }),
    payload: {
      ...{ summary, source, severity, component, group, class: kind },
      ...(details.length === 0 ? {} : { custom_details: Object.fromEntries(details) }),
    },
  };
  return send(pagerDuty, event, call);
}

async function update(pagerDuty: PagerDuty, item: WriteItem, call: CallOptions): Promise<Outcome> {
  const { parentId } = item;
  if (!parentId) return rejected('parent', 'no incident to work on');
  const status = canonical('status', item.fields.status);
  if (status !== 'acknowledged' && status !== 'resolved')
    return rejected('status', `status is ${status || 'empty'}; write acknowledged or resolved`);
  const event_action = status === 'resolved' ? 'resolve' : 'acknowledge';
  return send(pagerDuty, { event_action, dedup_key: parentId }, call);
}

async function send(pagerDuty: PagerDuty, event: Event, call: CallOptions): Promise<Outcome> {
  const answer = await asked(() => pagerDuty.send(event, call));
  return answer.ok ? { kind: 'applied', id: event.dedup_key } : answer.problem;
}
