import { createServer, type Socket } from 'node:net';
import type { Sandbox, SandboxOptions } from '../connector.ts';
import { Records } from '../records.ts';
import { Faults } from '../sandbox.ts';
import { RollingWindow } from '../sandbox-window.ts';
import { Conversation, type Post } from './sandbox-conversation.ts';

/** A mail server on loopback, without TLS, that keeps what it takes. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const post: Post = {
    faults: new Faults(),
    records: new Records(),
    log: [],
    user: 'sandbox',
    password: options.token ?? 'sandbox-smtp-password',
    window: options.rateLimit ? new RollingWindow(options.rateLimit) : undefined,
  };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
    new Conversation(socket, post).begin();
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    settings: {
      host: '127.0.0.1',
      port: String(port),
      tls: 'none',
      user: post.user,
      password: post.password,
      from: 'Sandbox <hello@sandbox.example>',
    },
    inject: (fault) => post.faults.inject(fault),
    records: () => post.records.list(),
    requests: () => post.log.map((entry) => ({ ...entry })),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
