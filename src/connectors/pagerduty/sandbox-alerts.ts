import type { SandboxRecord } from '../connector.ts';
import { type SandboxAnswer, SandboxPart } from '../sandbox.ts';

type Body = Record<string, unknown>;
interface Payload extends Body {
  summary?: string;
  severity?: string;
  source?: string;
}

const severities = ['critical', 'error', 'warning', 'info'];

/** What the sandbox does with events: alerts by key, each in an incident of its own. */
export class Service extends SandboxPart {
  #lastId = 0;

  /** Takes an event in. One that nothing can be done with is accepted all the same, and dropped. */
  take(event: Body): SandboxAnswer {
    const text = JSON.stringify(event);
    const key = String(event.dedup_key ?? `generated-${++this.#lastId}`);
    const errors = complaints(event);
    if (errors.length === 0 && this.faults.take('reject_item', text))
      errors.push("'payload.source' is not allowed here");
    if (errors.length > 0) return invalid(errors);
    if (!this.faults.take('accept_without_write', text)) {
      if (event.event_action === 'trigger') this.#trigger(key, event, text);
      else this.#move(key, event.event_action === 'resolve', text);
    }
    return { status: 202, body: { status: 'success', message: 'Event processed', dedup_key: key } };
  }

  /** An open alert takes the event into its log and stays as it is; otherwise a new one is opened. */
  #trigger(key: string, event: Body, text: string): void {
    if (this.#open(key)) return;
    const payload = (event.payload ?? {}) as Payload;
    const id = `Q${++this.#lastId}`;
    const altered = this.faults.take('alter', text) !== undefined;
    const tidied = this.faults.take('normalise', text) !== undefined;
    const summary = tidied ? payload.summary?.trim() : payload.summary;
    const links = (event.links as { href: string; text?: string }[] | undefined) ?? [];
    this.records.put('incidents', id, { status: 'triggered', key });
    this.records.put('alerts', id, {
      alert_key: key,
      summary: altered ? `${summary} (altered)` : summary,
      severity: payload.severity,
      status: 'triggered',
      created_at: new Date(1_800_000_000_000 + this.#lastId * 1000).toISOString(),
      body: {
        type: 'alert_body',
        details: payload.custom_details ?? {},
        contexts: links.map((link) => ({ type: 'link', ...link })),
      },
    });
  }

  #move(key: string, resolves: boolean, text: string): void {
    const alert = this.#open(key);
    if (!alert) return;
    const resolved = resolves !== (this.faults.take('alter', text) !== undefined);
    this.faults.take('normalise', text);
    this.records.put('incidents', alert.id, { status: resolved ? 'resolved' : 'acknowledged' });
    this.records.put('alerts', alert.id, { status: resolved ? 'resolved' : 'triggered' });
  }

  #open(key: string): SandboxRecord | undefined {
    return this.records.find('alerts', 'alert_key', key).find(({ fields }) => fields.status !== 'resolved');
  }

  incidents(key: string | undefined, stale: boolean): SandboxAnswer {
    const found = key === undefined ? [] : this.records.find('incidents', 'key', key);
    const incidents = found.flatMap((one) => {
      const seen = stale ? this.records.before('incidents', one.id) : one;
      return seen ? [{ id: one.id, type: 'incident', status: seen.fields.status }] : [];
    });
    return { status: 200, body: { incidents, limit: 100, offset: 0, more: false } };
  }

  alerts(id: string, stale: boolean): SandboxAnswer {
    const alert = stale ? this.records.before('alerts', id) : this.records.get('alerts', id);
    const alerts = alert ? [{ id, type: 'alert', ...alert.fields }] : [];
    return { status: 200, body: { alerts, limit: 100, offset: 0, more: false } };
  }
}

export function invalid(errors: string[]): SandboxAnswer {
  return { status: 400, body: { status: 'invalid event', message: 'Event object is invalid', errors } };
}

/** What the Events API refuses. */
function complaints({ event_action, dedup_key, payload }: Body): string[] {
  if (event_action !== 'trigger') return dedup_key ? [] : ["'dedup_key' is missing or blank"];
  const { summary, source, severity } = (payload ?? {}) as Payload;
  const errors: string[] = [];
  if (!summary?.trim()) errors.push("'payload.summary' is missing or blank");
  if ((summary?.length ?? 0) > 1024)
    errors.push("'payload.summary' is too long (maximum is 1024 characters)");
  if (!source?.trim()) errors.push("'payload.source' is missing or blank");
  if (!severities.includes(severity ?? ''))
    errors.push(
      "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')",
    );
  return errors;
}
