import { parseRetryAfter } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { type Answer, asked, type Problem, type Refusal, type Refused, Rest } from '../rest.ts';
import type { Settings } from './schema.ts';

export interface Event extends Record<string, unknown> {
  event_action: 'trigger' | 'acknowledge' | 'resolve';
  dedup_key: string;
}
/** An alert as the REST API shows it, with the state of the incident it belongs to. */
export interface Alert {
  alert_key: string;
  summary?: string;
  severity?: string;
  status?: string;
  created_at?: string;
  body?: { details?: unknown; contexts?: unknown };
  incident_status: string;
}
type Incident = { id: string; status: string };

const accept = { accept: 'application/vnd.pagerduty+json;version=2' };

/** PagerDuty's two APIs: events go in by one, and are seen by the other. */
export class PagerDuty {
  readonly #events: Rest;
  readonly #rest: Rest | undefined;
  readonly #routingKey: string;

  constructor(settings: Settings, gate: Gate) {
    const domain = settings.region === 'eu' ? 'eu.pagerduty.com' : 'pagerduty.com';
    const token = settings.api_token?.reveal();
    this.#routingKey = settings.routing_key.reveal();
    const shared = {
      vendor: 'PagerDuty',
      secrets: [this.#routingKey, ...(token === undefined ? [] : [token])],
      gate,
      problemOf,
    };
    this.#events = new Rest({ ...shared, base: settings.base_url ?? `https://events.${domain}` });
    if (token !== undefined)
      this.#rest = new Rest({
        ...shared,
        base: settings.base_url ?? `https://api.${domain}`,
        authorization: `Token token=${token}`,
      });
  }

  get readable(): boolean {
    return this.#rest !== undefined;
  }

  /** The answer means that the event is queued, not that there is an alert. It names the key it was taken under. */
  async send(event: Event, call: CallOptions): Promise<Answer | Refused> {
    const body = { routing_key: this.#routingKey, ...event };
    const answer = await this.#events.ask('POST', '/v2/enqueue', call, body);
    if (answer.ok && answer.body.dedup_key !== event.dedup_key)
      return this.#events.unreadable('an answer about another event');
    return answer;
  }

  /** Proves the token: what read-back asks for, of nothing in particular. */
  async checkToken(call: CallOptions): Promise<Answer | Refused> {
    if (!this.#rest) throw new Error('no api_token');
    return this.#rest.ask('GET', '/incidents?limit=1', call, undefined, accept);
  }

  /**
   * The alerts with this key, oldest first. Incidents are found by the key of their alerts; without `date_range=all`
   * those of the last month only.
   */
  async alerts(key: string, call: CallOptions): Promise<{ ok: true; alerts: Alert[] } | Refused> {
    const query = `incident_key=${encodeURIComponent(key)}&date_range=all&limit=100`;
    const found = await this.#list<Incident>(`/incidents?${query}`, 'incidents', isIncident, call);
    if (!found.ok) return found;
    const alerts: Alert[] = [];
    for (const { id, status } of found.list) {
      const path = `/incidents/${encodeURIComponent(id)}/alerts?alert_key=${encodeURIComponent(key)}&limit=100`;
      const answer = await asked(() => this.#list<Alert>(path, 'alerts', isAlert, call));
      if (!answer.ok) return answer;
      const ours = answer.list.filter((alert) => alert.alert_key === key);
      alerts.push(...ours.map((alert) => ({ ...alert, incident_status: status })));
    }
    alerts.sort((one, other) => String(one.created_at).localeCompare(String(other.created_at)));
    return { ok: true, alerts };
  }

  /** A list that goes on is not known whole, so nothing can be concluded from what is not on it. */
  async #list<Item>(
    path: string,
    name: string,
    isItem: (value: unknown) => value is Item,
    call: CallOptions,
  ): Promise<{ ok: true; list: Item[] } | Refused> {
    if (!this.#rest) throw new Error('no api_token');
    const answer = await this.#rest.ask('GET', path, call, undefined, accept);
    if (!answer.ok) return answer;
    const list: unknown = answer.body[name];
    if (!Array.isArray(list) || !list.every(isItem))
      return this.#rest.unreadable(`an answer without ${name}`);
    return answer.body.more === true
      ? this.#rest.unreadable(`more than 100 ${name} for one key`)
      : { ok: true, list };
  }
}

/** The Events API says `{status, message, errors}`, the REST API `{error: {message, errors}}`; 429 may be plain text. */
function problemOf({ status, headers, json, text, quote }: Refusal): Problem {
  const { message, errors } = ((json?.error as object | undefined) ?? json ?? {}) as {
    message?: unknown;
    errors?: unknown;
  };
  const complaints = Array.isArray(errors) ? errors.join('; ') : '';
  const said = [message, complaints].filter((words) => typeof words === 'string' && words !== '').join(': ');
  const reason = quote(`${status} ${said === '' && !text.trimStart().startsWith('<') ? text : said}`);
  if (status === 429) {
    // The REST API tells the seconds in `ratelimit-reset`; the Events API documents no header at all.
    const retryAfter = headers.get('retry-after') ?? headers.get('ratelimit-reset');
    return { kind: 'throttled', retryAfterMs: parseRetryAfter(retryAfter), reason };
  }
  // A wrong integration key is a 400 like any bad event, and told only by its words.
  if (status === 401 || status === 403 || (status === 400 && /routing.?key/i.test(complaints)))
    return { kind: 'unavailable', code: `http_${status}`, reason };
  if (status === 408 || status >= 500) return { kind: 'ambiguous', reason };
  return rejected(`http_${status}`, reason);
}

function isIncident(value: unknown): value is Incident {
  const { id, status } = (value ?? {}) as Partial<Incident>;
  return typeof id === 'string' && typeof status === 'string';
}

function isAlert(value: unknown): value is Alert {
  return typeof (value as Partial<Alert> | null)?.alert_key === 'string';
}
