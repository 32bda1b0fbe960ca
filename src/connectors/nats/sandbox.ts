import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox, SandboxOptions } from '../connector.ts';
import { Faults } from '../sandbox.ts';
import { RollingWindow } from '../sandbox-window.ts';
import { delivery, matches, noResponders, type Operation, Operations } from './sandbox-protocol.ts';
import { failure, SandboxStream } from './sandbox-stream.ts';

const prefix = '$JS.API.';

/** A NATS server with JetStream in memory, over TCP, with one stream. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const token = options.token ?? 'sandbox-nats-token';
  const server = new NatsSandbox(token, options);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    server.serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = listener.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  return {
    url: `nats://${address}`,
    settings: { servers: address, token, tls: 'if_offered' },
    inject: (fault) => server.faults.inject(fault),
    records: () => server.stream.records(),
    requests: () => server.log.map((entry) => ({ ...entry })),
    close: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

type Publication = Extract<Operation, { name: 'PUB' }>;

/** One client's connection. */
interface Peer {
  socket: Socket;
  /** Subjects by subscription id. */
  subscriptions: Map<string, string>;
  authorised: boolean;
}

class NatsSandbox {
  readonly faults = new Faults();
  readonly stream = new SandboxStream(this.faults);
  /** Requests, and connections that were refused. */
  readonly log: { method: string; path: string; status: number; at: number }[] = [];
  readonly #token: string;
  readonly #window: RollingWindow | undefined;

  constructor(token: string, { rateLimit }: SandboxOptions) {
    this.#token = token;
    this.#window = rateLimit ? new RollingWindow(rateLimit) : undefined;
  }

  serve(socket: Socket): void {
    const peer: Peer = { socket, subscriptions: new Map(), authorised: false };
    const operations = new Operations();
    const info = {
      server_id: 'SANDBOX',
      server_name: 'sandbox',
      version: '2.10.0',
      proto: 1,
      headers: true,
      auth_required: true,
      jetstream: true,
      max_payload: 1_048_576,
    };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      for (const operation of operations.read(chunk)) this.#take(peer, operation);
    });
  }

  #take(peer: Peer, operation: Operation): void {
    if (operation.name === 'CONNECT') this.#connect(peer, operation.options);
    if (!peer.authorised) return;
    if (operation.name === 'PING') peer.socket.write('PONG\r\n');
    if (operation.name === 'SUB') peer.subscriptions.set(operation.sid, operation.subject);
    if (operation.name === 'UNSUB') peer.subscriptions.delete(operation.sid);
    if (operation.name === 'PUB') void this.#publish(peer, operation);
  }

  #connect(peer: Peer, options: Record<string, unknown>): void {
    peer.authorised = options.auth_token === this.#token && !this.faults.take('unauthorized', 'CONNECT');
    if (peer.authorised) return;
    this.log.push({ method: 'CONNECT', path: '', status: 401, at: Date.now() });
    peer.socket.end("-ERR 'Authorization Violation'\r\n");
  }

  /** The order in which a message meets limits, faults and the stream. */
  async #publish(peer: Peer, publication: Publication): Promise<void> {
    const { subject, headers, payload } = publication;
    const entry = { method: 'PUB', path: subject, status: 0, at: Date.now() };
    this.log.push(entry);
    const text = () => `${subject}\n${headers}${payload}`;
    const fault = (kind: Parameters<Faults['take']>[0]) => this.faults.take(kind, text);
    const answer = (status: number, body: Record<string, unknown> | string) => {
      entry.status = status;
      reply(peer, publication, typeof body === 'string' ? body : JSON.stringify(body));
    };
    const slow = fault('slow');
    if (slow) await sleep(slow.delayMs ?? 1000);
    const full = this.#window && !this.#window.admit(Date.now()).admitted;
    if (full || fault('throttle') || fault('throttle_bare'))
      return answer(429, failure(429, 10167, 'too many requests'));
    if (fault('garbage')) return answer(200, '<!doctype html>');

    if (subject.startsWith(prefix)) {
      if (fault('read_error')) return answer(503, unavailable);
      const request = payload === '' ? {} : JSON.parse(payload);
      return answer(200, this.stream.answer(subject.slice(prefix.length), request, !!fault('stale_read')));
    }
    if (!this.stream.listensTo(subject)) {
      entry.status = 503;
      return reply(peer, publication, undefined);
    }
    if (fault('error_before_write')) return answer(503, unavailable);
    if (fault('cut_before_write')) return void peer.socket.resetAndDestroy();
    const acknowledgement = this.stream.store(subject, headers, payload);
    if (fault('error_after_write')) return answer(503, unavailable);
    if (fault('cut_after_write')) return void peer.socket.resetAndDestroy();
    answer('error' in acknowledgement ? 400 : 200, acknowledgement);
  }
}

const unavailable = failure(503, 10008, 'JetStream system temporarily unavailable');

/** To whoever listens to the reply subject, on the same connection. No text: nobody took the request. */
function reply(peer: Peer, { reply: subject }: Publication, text: string | undefined): void {
  if (subject === undefined || peer.socket.destroyed) return;
  for (const [sid, pattern] of peer.subscriptions) {
    if (!matches(pattern, subject)) continue;
    peer.socket.write(text === undefined ? noResponders(subject, sid) : delivery(subject, sid, text));
  }
}
