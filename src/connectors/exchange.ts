import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { agentFor } from './agents.ts';
import { callDeadline, GivenUp } from './calls.ts';

export interface Sent {
  method: string;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string | undefined;
  signal: AbortSignal;
  /** Instead of connections that all who name none share. */
  agent?: Agent;
  lookup?: LookupFunction;
}

export interface Received {
  status: number;
  headers: Headers;
  text: string;
}

/** Lists of records fit many times over; an endless answer does not fill the memory. */
const mostBytes = 4 * 1024 * 1024;

export class TooLarge extends Error {}

const shared = { 'http:': agentFor('http:'), 'https:': agentFor('https:') };

/**
 * One HTTP request and its whole answer, by node:http: without redirects, retries and decompression. fetch cannot be kept
 * from sending what it began before the process was suspended (see `agentFor`).
 *
 * @param path as it is sent, escaped already; where it begins is `base`'s
 * @throws TooLarge, and whatever the network throws
 */
export function exchange(base: URL, path: string, sent: Sent): Promise<Received> {
  const { method, headers, body, signal, lookup } = sent;
  const { protocol, hostname, port } = base;
  const agent = sent.agent ?? shared[protocol === 'https:' ? 'https:' : 'http:'];
  return new Promise((resolve, reject) => {
    const request = (protocol === 'https:' ? httpsRequest : httpRequest)(
      {
        protocol,
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        method,
        path,
        agent,
        signal,
        ...(lookup && { lookup }),
        headers: {
          'user-agent': 'readback',
          ...headers,
          'accept-encoding': 'identity',
          ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        },
      },
      (response) => readAnswer(response).then(resolve, reject),
    );
    request.on('error', reject);
    // The last look at the clock: what is written to an open connection is sent.
    if (performance.now() > (callDeadline() ?? Number.POSITIVE_INFINITY))
      request.destroy(new GivenUp('too late to be sent'));
    else request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Received> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    // Leaving the loop destroys the response, and with it the connection.
    if (bytes > mostBytes) throw new TooLarge();
    chunks.push(chunk as Buffer);
  }
  const headers = new Headers();
  for (const [name, values] of Object.entries(response.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  return { status: response.statusCode ?? 0, headers, text: Buffer.concat(chunks).toString('utf8') };
}
