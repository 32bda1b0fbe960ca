import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import Connection from 'kafkajs/src/network/connection.js';
import { requests } from 'kafkajs/src/protocol/requests/index.js';
import type { Settings } from './schema.ts';

export interface Address {
  host: string;
  port: number;
}

export type Protocol = Parameters<Connection['send']>[0];

/** The one version of each request that is spoken, known to Kafka from 2.3 (2019) to 4.x. */
export const versions = { Produce: 7, Fetch: 11, ListOffsets: 3, Metadata: 6 } as const;
const numbers = { Produce: 0, Fetch: 1, ListOffsets: 2, Metadata: 3 } as const;

/** An answer holds at most what one Fetch asks for, or one batch; a peer that announces more speaks something else. */
const maxAnswerBytes = 128 * 1024 * 1024;

/** The broker is too old or too new, or none at all. Nothing was sent. */
export class NotSpoken extends Error {}

/** The library would log; what it says comes as errors. */
const silent = { namespace: () => silent, debug() {}, info() {}, warn() {}, error() {} };

/** One connection to one broker. The library keeps the order of requests and answers, and signs in; nothing is asked twice. */
export class Line {
  readonly #connection: Connection;
  #socket: Socket | undefined;
  #isClosed = false;

  constructor({ host, port }: Address, settings: Settings, timeoutMs: number) {
    const { sasl, user = '', password, tls } = settings;
    const certificates = certificatesOf(settings);
    this.#connection = new Connection({
      host,
      port,
      clientId: 'readback',
      logger: silent,
      ssl: tls === 'none' ? null : certificates,
      sasl: sasl && password ? { mechanism: sasl, username: user, password: password.reveal() } : null,
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      // Deadlines are the caller's.
      enforceRequestTimeout: false,
      socketFactory: ({ onConnect }) => {
        const name = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
        const socket =
          tls === 'none'
            ? connect({ host, port }, onConnect)
            : connectSecurely({ host, port, ...name, ...certificates }, onConnect);
        this.#socket = socket.setNoDelay(true).setKeepAlive(true, 30_000);
        return socket;
      },
    });
    // Asks itself every millisecond whether something waits, for as long as the process lives; with us, nothing ever does.
    this.#connection.requestQueue.scheduleCheckPendingRequests = () => {};
    this.#guardReading();
  }

  get isOpen(): boolean {
    return !this.#isClosed && this.#connection.isConnected();
  }

  /** Connects, asks what the broker speaks, and signs in. */
  async open(): Promise<void> {
    await this.#connection.connect();
    const asked = requests.ApiVersions.protocol({ version: 0 });
    const { apiVersions } = (await this.#connection.send(asked())) as {
      apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[];
    };
    const spoken = Object.fromEntries(apiVersions.map(({ apiKey, ...range }) => [apiKey, range]));
    for (const [name, version] of Object.entries(versions)) {
      const range = spoken[numbers[name as keyof typeof versions]];
      if (!range || range.minVersion > version || range.maxVersion < version)
        throw new NotSpoken(
          `the broker does not speak version ${version} of ${name}: Kafka 2.3 or later does`,
        );
    }
    this.#connection.setVersions(spoken);
    this.#connection.setSupportAuthenticationProtocol(true);
    await this.#connection.authenticate();
  }

  send(protocol: Protocol): Promise<unknown> {
    return this.#connection.send(protocol);
  }

  /** At once: what waits for an answer gets an error, what was not sent is never sent. */
  close(reason = new Error('the connection was closed')): void {
    this.#isClosed = true;
    this.#connection.rejectRequests(reason);
    this.#socket?.destroy();
  }

  /** The library reads in the socket's own event, where an answer that is none would end the process. */
  #guardReading(): void {
    const connection = this.#connection;
    const read = connection.processData.bind(connection);
    connection.processData = (chunk) => {
      if (this.#isClosed) return;
      try {
        read(chunk);
        if (connection.bytesNeeded > maxAnswerBytes) throw new NotSpoken('the answer is not one of Kafka');
      } catch (error) {
        this.close(error instanceof NotSpoken ? error : new NotSpoken('the answer is not one of Kafka'));
      }
    };
  }
}

function certificatesOf({ tls_ca: ca, tls_certificate: cert, tls_key: key }: Settings) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: key.reveal() }),
  };
}
