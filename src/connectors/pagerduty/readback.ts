import type { CallOptions, ReadItem, Reading } from '../connector.ts';
import { oneByOne } from '../one-by-one.ts';
import { asked, asReading } from '../rest.ts';
import type { Alert, PagerDuty } from './client.ts';
import { detailField } from './schema.ts';

/** Why an action ends as `unverifiable`. */
export const unreadable =
  "PagerDuty's Events API tells nothing about its alerts; set the connection's api_token to read them back";

/** What PagerDuty holds now, by action key. */
export async function read(
  pagerDuty: PagerDuty,
  action: string,
  items: ReadItem[],
  call: CallOptions,
): Promise<Map<string, Reading>> {
  return oneByOne(items, (item) => readOne(pagerDuty, action, item, call));
}

async function readOne(
  pagerDuty: PagerDuty,
  action: string,
  item: ReadItem,
  call: CallOptions,
): Promise<Reading> {
  if (!pagerDuty.readable) return { kind: 'unreadable', reason: unreadable };
  const key = action === 'trigger_incident' ? item.key : (item.id ?? item.parentId);
  if (!key) return { kind: 'unreadable', reason: 'no incident to read' };
  const answer = await asked(() => pagerDuty.alerts(key, call));
  if (!answer.ok) return asReading(answer.problem);
  // Of several with one key, the oldest was opened by our first event; the newest is the one that can still be open.
  const alert = action === 'trigger_incident' ? answer.alerts[0] : answer.alerts.at(-1);
  if (!alert) return { kind: 'absent' };
  const fields = Object.fromEntries(item.fields.map((field) => [field, fieldOf(alert, field)]));
  return { kind: 'found', id: key, fields };
}

function fieldOf(alert: Alert, field: string): unknown {
  const detail = detailField.exec(field)?.[1];
  if (detail) return (alert.body?.details as Record<string, unknown> | null | undefined)?.[detail];
  if (field === 'status') return statusOf(alert);
  if (field === 'link') return linkOf(alert);
  return field === 'summary' || field === 'severity' ? alert[field] : undefined;
}

/** Acknowledged is what an incident is; resolved is what each alert is, also in an incident with others still open. */
function statusOf({ status, incident_status }: Alert): string | undefined {
  return status !== 'resolved' && incident_status === 'acknowledged' ? incident_status : status;
}

function linkOf({ body }: Alert): unknown {
  const contexts = Array.isArray(body?.contexts) ? body.contexts : [];
  return contexts.find((one) => one?.type === 'link')?.href;
}
