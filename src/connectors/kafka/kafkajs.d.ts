// What of kafkajs is used: one connection, and the forms of requests. Its package has types for its upper layers only.

declare module 'kafkajs/src/network/connection.js' {
  import type { Socket } from 'node:net';
  import type { ConnectionOptions } from 'node:tls';

  interface Logger {
    namespace(name: string): Logger;
    debug(): void;
    info(): void;
    warn(): void;
    error(): void;
  }
  interface Protocol<Value> {
    request: unknown;
    response: { decode(raw: Buffer): Promise<unknown>; parse(decoded: never): unknown };
    readonly value?: Value;
  }
  interface Options {
    host: string;
    port: number;
    clientId: string;
    logger: Logger;
    ssl: ConnectionOptions | null;
    sasl: { mechanism: string; username: string; password: string } | null;
    connectionTimeout: number;
    requestTimeout: number;
    enforceRequestTimeout: boolean;
    socketFactory(options: { onConnect(): void }): Socket;
  }
  export default class Connection {
    constructor(options: Options);
    bytesNeeded: number;
    requestQueue: { scheduleCheckPendingRequests(): void };
    connect(): Promise<unknown>;
    authenticate(): Promise<void>;
    isConnected(): boolean;
    processData(chunk: Buffer): void;
    rejectRequests(error: Error): void;
    send(protocol: Protocol<unknown>): Promise<unknown>;
    setSupportAuthenticationProtocol(isSupported: boolean): void;
    setVersions(versions: Record<number, { minVersion: number; maxVersion: number }>): void;
  }
}

declare module 'kafkajs/src/protocol/requests/index.js' {
  import type Connection from 'kafkajs/src/network/connection.js';

  type Protocol = Parameters<Connection['send']>[0];
  type Definition = { protocol(of: { version: number }): (fields?: object) => Protocol };
  export const requests: Record<'ApiVersions' | 'Produce' | 'Fetch' | 'ListOffsets' | 'Metadata', Definition>;
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(buffer: Buffer);
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string | null;
    readBytes(): Buffer | null;
    readArray<Item>(read: (decoder: Decoder) => Item): Item[];
  }
}

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  import type Decoder from 'kafkajs/src/protocol/decoder.js';

  interface DecodedRecord {
    offset: string;
    timestamp: string;
    key: Buffer | null;
    value: Buffer | null;
    headers: Record<string, Buffer | Buffer[] | null>;
  }
  export default function decodeBatch(decoder: Decoder): Promise<{ records: DecodedRecord[] }>;
}
