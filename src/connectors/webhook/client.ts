import type { CallOptions, Fields, Gate, Outcome, ReadItem, Reading } from '../connector.ts';
import { aboutConnection, describe, isFine, readingOf } from '../http/answer.ts';
import { type Answered, Api } from '../http/client.ts';
import { rejected } from '../outcomes.ts';
import { unreadable } from './actions.ts';
import type { Settings } from './schema.ts';
import type { Signer } from './signature.ts';

/** The specification's bound (https://www.standardwebhooks.com, payload structure). */
const mostBytes = 20_000;

/** One receiver of events, and where it may be asked. */
export class Receiver {
  readonly #posts: Api;
  readonly #reads: Api | undefined;
  readonly #path: string;
  readonly #readPath: string;
  readonly #signer: Signer | undefined;

  constructor(settings: Settings, signer: Signer | undefined, gate: Gate) {
    const { url, read_url, read_token, link_local, secret, previous_secret } = settings;
    const access = (address: string) => ({ base_url: new URL(address).origin, link_local, headers: {} });
    const pathOf = (address: string) => address.slice(new URL(address).origin.length);
    this.#posts = new Api({ ...access(url), secrets: [secret, previous_secret] }, gate);
    this.#path = pathOf(url);
    this.#readPath = read_url === undefined ? '' : pathOf(read_url);
    if (read_url !== undefined)
      this.#reads = new Api({ ...access(read_url), ...(read_token && { bearer_token: read_token }) }, gate);
    this.#signer = signer;
  }

  /** @param id the same for every attempt, by which the receiver knows a repeat */
  async post(id: string, { type, timestamp, ...data }: Fields, call: CallOptions): Promise<Outcome> {
    if (!this.#signer)
      return { kind: 'unavailable', code: 'secret', reason: 'a secret is not whsec_ and base64' };
    const now = new Date();
    const event = { type, timestamp: timestamp ?? now.toISOString(), data };
    // The very bytes that the client makes of it.
    const body = JSON.stringify(event);
    const bytes = Buffer.byteLength(body);
    if (bytes > mostBytes)
      return rejected('too_large', `the event has ${bytes} bytes; ${mostBytes} is the most`);
    const headers = this.#signer.headers(id, now, body);
    const reply = await this.#posts.send(
      { method: 'POST', path: this.#path, headers, body: event, fresh: true },
      call,
    );
    if (reply.kind === 'lost') return { kind: 'ambiguous', reason: reply.reason };
    return reply.kind === 'answered' ? this.#outcomeOf(reply, id) : reply;
  }

  async read({ id, key, fields }: ReadItem, call: CallOptions): Promise<Reading> {
    if (!this.#reads) return { kind: 'unreadable', reason: unreadable };
    const path = this.#readPath.replaceAll('{id}', encodeURIComponent(id ?? key));
    const reply = await this.#reads.send({ method: 'GET', path, headers: {}, body: undefined }, call);
    const reading = readingOf(this.#reads, reply, { success: {} }, [404]);
    if ('kind' in reading) return reading;
    const { type, data } = (reading.json ?? {}) as { type?: unknown; data?: unknown };
    if (typeof type !== 'string' || typeof data !== 'object' || data === null)
      return { kind: 'failed', reason: 'the answer is not an event with type and data' };
    const held: Record<string, unknown> = { ...data, type };
    return {
      kind: 'found',
      id: id ?? key,
      fields: Object.fromEntries(fields.map((name) => [name, held[name]])),
    };
  }

  close(): void {
    this.#posts.close();
    this.#reads?.close();
  }

  /** Any 2xx is a yes, except for a page: that is a login or a proxy, not the receiver. */
  #outcomeOf(reply: Answered, id: string): Outcome {
    const { status } = reply;
    const reason = describe(this.#posts, reply);
    if (isFine(status)) return reply.isPage ? { kind: 'ambiguous', reason } : { kind: 'applied', id };
    const about = aboutConnection(this.#posts, reply, reason);
    if (about) return about;
    // 410: "the endpoint is disabled", says the specification; 404 and 405 are no address of a receiver. After other
    // redirects than 307 and 308 the event may have been taken.
    if ([404, 405, 410, 307, 308].includes(status))
      return this.#posts.heed({ kind: 'unavailable', code: `http_${status}`, reason });
    if ([408, 409].includes(status) || status < 400 || status > 499) return { kind: 'ambiguous', reason };
    return { ...rejected(`http_${status}`, reason), permanent: status !== 423 && status !== 425 };
  }
}
