import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Sandbox, SandboxOptions } from '../connector.ts';
import type { Node } from './sandbox-answers.ts';
import { SandboxCluster } from './sandbox-cluster.ts';
import { Peer } from './sandbox-peer.ts';

const user = 'readback';

/** A cluster of two brokers in memory, over TCP. */
export interface KafkaSandbox extends Sandbox {
  /** Makes a broker (0 or 1) the leader of a partition, as an election does: nobody is told. */
  lead(topic: string, partition: number, broker: number): void;
}

export async function startSandbox(options: SandboxOptions = {}): Promise<KafkaSandbox> {
  const token = options.token ?? 'sandbox-kafka-password';
  const nodes: Node[] = [];
  const cluster = new SandboxCluster(nodes, { ...options, user, token });
  const sockets = new Set<Socket>();
  const listeners: Server[] = [];
  for (const id of [0, 1]) {
    const listener = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      new Peer(cluster, id).serve(socket);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(id === 0 ? (options.port ?? 0) : 0, '127.0.0.1', resolve);
    });
    listeners.push(listener);
    nodes.push({ id, host: '127.0.0.1', port: (listener.address() as AddressInfo).port });
  }
  const [first] = nodes;
  const address = `127.0.0.1:${first?.port}`;
  return {
    url: `kafka://${address}`,
    settings: { brokers: address, tls: 'none', sasl: 'scram-sha-256', user, password: token },
    inject: (fault) => cluster.faults.inject(fault),
    records: () => cluster.records(),
    requests: () => cluster.log.map((entry) => ({ ...entry })),
    lead: (topic, partition, broker) => cluster.lead(topic, partition, broker),
    close: async () => {
      const closed = listeners.map((listener) => new Promise((resolve) => listener.close(resolve)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}
