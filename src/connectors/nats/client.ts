import {
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type MsgRequest,
  type PubAck,
  type StoredMsg,
  type StreamState,
} from '@nats-io/jetstream';
import { connect, errors, headers, type NatsConnection } from '@nats-io/transport-node';
import { causes, classifyNetworkError, heeded, quote, stopped, throughGate, withDeadline } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import { type Event, eventMediaType } from '../event.ts';
import { rejected } from '../outcomes.ts';
import type { Problem, Refused } from '../rest.ts';
import { connectionOptions, UnusableCredentials } from './login.ts';
import type { PublishOptions, Settings } from './schema.ts';

export type Given<T> = { ok: true; value: T } | Refused;

/**
 * JetStream through the official client: one connection, made at the first request and again after it was lost; each
 * request is one message and its answer, asked once.
 */
export class JetStream {
  readonly #settings: Settings;
  readonly #gate: Gate;
  readonly #secrets: readonly string[];
  #connecting: Promise<NatsConnection> | undefined;

  constructor(settings: Settings, gate: Gate) {
    const { token, password, nkey_seed, credentials, tls_key } = settings;
    this.#settings = settings;
    this.#gate = gate;
    this.#secrets = [token, password, nkey_seed, credentials, tls_key].flatMap((one) => one?.reveal() ?? []);
  }

  /** Stores an event, once for each message id within the stream's duplicate window. */
  publish(
    event: Event,
    messageId: string,
    { subject, stream }: PublishOptions,
    call: CallOptions,
  ): Promise<Given<PubAck>> {
    const head = headers();
    head.set('Content-Type', eventMediaType);
    return this.#ask(call, (manager) =>
      manager.jetstream().publish(subject, JSON.stringify(event), {
        msgID: messageId,
        headers: head,
        timeout: call.timeoutMs,
        ...(stream === undefined ? {} : { expect: { streamName: stream } }),
      }),
    );
  }

  /** One stored message, from the stream's leader; null when there is none. */
  message(stream: string, query: MsgRequest, call: CallOptions): Promise<Given<StoredMsg | null>> {
    return this.#ask(call, (manager) => manager.streams.getMessage(stream, query));
  }

  /** The name of the stream that listens to a subject. */
  streamOf(subject: string, call: CallOptions): Promise<Given<string>> {
    return this.#ask(call, (manager) => manager.streams.find(subject));
  }

  state(stream: string, call: CallOptions): Promise<Given<StreamState>> {
    return this.#ask(call, async (manager) => (await manager.streams.info(stream)).state);
  }

  async close(): Promise<void> {
    const connection = await this.#connecting?.catch(() => undefined);
    await connection?.close();
  }

  async #ask<T>(call: CallOptions, make: (manager: JetStreamManager) => Promise<T>): Promise<Given<T>> {
    const answer = await throughGate(
      this.#gate,
      call,
      () => this.#attempt(call, make),
      ({ ok }) => ok,
    );
    return 'kind' in answer ? { ok: false, gone: false, problem: answer } : answer;
  }

  async #attempt<T>(call: CallOptions, make: (manager: JetStreamManager) => Promise<T>): Promise<Given<T>> {
    let isSent = false;
    try {
      const value = await withDeadline(call, async (signal) => {
        const connection = await this.#connected(call.timeoutMs);
        // Given up while connecting: what would be sent now, nobody waits for.
        signal.throwIfAborted();
        const { domain } = this.#settings;
        const manager = await jetstreamManager(connection, {
          checkAPI: false,
          timeout: call.timeoutMs,
          ...(domain === undefined ? {} : { domain }),
        });
        isSent = true;
        return make(manager);
      });
      return { ok: true, value };
    } catch (error) {
      if (!isSent && call.signal.aborted) return refused(stopped);
      const answer = isSent ? refusal(error, this.#secrets) : refused(unconnected(error));
      heeded(this.#gate, answer.problem);
      return answer;
    }
  }

  #connected(timeoutMs: number): Promise<NatsConnection> {
    if (this.#connecting) return this.#connecting;
    const connecting = connect(connectionOptions(this.#settings, timeoutMs));
    const forget = () => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    };
    connecting.then((connection) => connection.closed().then(forget), forget);
    this.#connecting = connecting;
    return connecting;
  }
}

function refused(problem: Problem): Refused {
  return { ok: false, gone: false, problem };
}

/** Why there is no connection. Nothing was sent. */
function unconnected(error: unknown): Problem {
  for (const cause of causes(error)) {
    if (cause instanceof errors.AuthorizationError || cause instanceof errors.UserAuthenticationExpiredError)
      return { kind: 'unavailable', code: 'unauthorized', reason: 'the server refused the credentials' };
    if (cause instanceof UnusableCredentials)
      return { kind: 'unavailable', code: 'credentials', reason: cause.message };
  }
  const network = classifyNetworkError(error);
  if (network.kind === 'unavailable') return network;
  const why = error instanceof errors.ConnectionError ? error.message : network.reason;
  return { kind: 'unavailable', code: 'connect', reason: `no connection could be made: ${why}` };
}

/** How a server says no to a request. */
function refusal(error: unknown, secrets: readonly string[]): Refused {
  for (const cause of causes(error)) {
    if (cause instanceof errors.NoRespondersError) {
      const reason = 'no stream listens to the subject, or JetStream is not available';
      return refused({ kind: 'rejected', code: 'no_stream', reason, permanent: false });
    }
    if (cause instanceof errors.PermissionViolationError) {
      const reason = `not permitted: ${quote(cause.message, secrets)}`;
      return refused(rejected('permission', reason));
    }
    if (cause instanceof JetStreamApiError) {
      return { ok: false, gone: cause.status === 404, problem: apiProblem(cause, secrets) };
    }
    // The client's own no, before anything is sent: larger than the server's `max_payload`.
    if (cause instanceof errors.InvalidArgumentError) {
      const reason = quote(cause.message, secrets);
      return refused(rejected('message', reason));
    }
    if (cause instanceof errors.TimeoutError)
      return refused({ kind: 'ambiguous', reason: 'no answer in time' });
  }
  const network = classifyNetworkError(error);
  // It was sent: also a connection that could not be made anew says nothing about what became of it.
  return refused({ kind: 'ambiguous', reason: network.reason });
}

/** `status` as in HTTP; `code` is one of some 200 that the server's `errors.json` lists. */
function apiProblem({ status, code, message }: JetStreamApiError, secrets: readonly string[]): Problem {
  const reason = quote(`${status} ${message} (${code})`, secrets);
  if (status === 429) return { kind: 'throttled', retryAfterMs: null, reason };
  // 503 is also "store failed": part of a cluster may hold it.
  if (status >= 500) return { kind: 'ambiguous', reason };
  return rejected(`jetstream_${code}`, reason);
}
