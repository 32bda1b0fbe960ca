import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Desk } from './desk.ts';
import type { Request } from './protocol.ts';

/** A listening server and its open connections. */
export interface Served {
  port: number;
  /** Destroys every open connection. */
  cut(): void;
  close(): void;
}

/** Serves one desk over HTTP on loopback. */
export function serveDesk(desk: Desk, port = 0): Promise<Served> {
  return listen(
    port,
    async (incoming, response) => {
      const request = await readRequest(incoming);
      await send(response, desk.answer(request));
    },
    () => desk.dead,
  );
}

/** Listens on loopback; connections made while `isDead` are destroyed at once. */
export async function listen(
  port: number,
  handle: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>,
  isDead: () => boolean = () => false,
): Promise<Served> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((incoming, response) => {
    // Whoever was killed in the middle does not wait for an answer.
    response.on('error', () => {});
    handle(incoming, response).catch((error: unknown) => {
      if (incoming.errored) return;
      console.error(error);
      response.destroy();
    });
  });
  // A connection closed for idling just when the next request leaves would be a fault that nobody asked for.
  server.keepAliveTimeout = 600_000;
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    if (isDead()) return void socket.destroy();
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}

export async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function readRequest(incoming: IncomingMessage): Promise<Request> {
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
  const text = await readText(incoming);
  const { method = 'GET', headers } = incoming;
  return { method, path, query: new URLSearchParams(query), headers, text };
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  if (answer.delayMs > 0) await sleep(answer.delayMs);
  const whole = Buffer.from(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  // Cut inside the JSON, though the HTTP around it is sound.
  const body = answer.sent === 'cut' ? whole.subarray(0, Math.floor(whole.length / 2)) : whole;
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=utf-8',
    ...answer.headers,
    'content-length': body.length,
  });
  if (answer.sent !== 'dripped') return void response.end(body);
  for (let drop = 0; drop < drops; drop++) {
    const [start, end] = [drop, drop + 1].map((part) => Math.floor((part * body.length) / drops));
    response.write(body.subarray(start, end));
    await sleep(answer.slowMs / drops);
  }
  response.end();
}

/** Pieces of a dripped answer. */
const drops = 10;
