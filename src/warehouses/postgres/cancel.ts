import { once } from 'node:events';
import type pg from 'pg';

/** What the driver has and its types do not. */
interface Canceller extends pg.Connection {
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

/**
 * Ends what a connection runs, on the server as well. By the protocol's own request: it needs no login and none of the server's
 * connections, poolers pass it on, and every flavour has it.
 */
export async function cancelQuery(client: pg.ClientBase, config: pg.ClientConfig): Promise<void> {
  const { default: driver } = await import('pg');
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const { host = '', port = 0, ssl } = config;
  const connection = new driver.Connection({ ssl: ssl || false } as object) as Canceller;
  const send = () => connection.cancel(processID, secretKey);
  connection.on('error', () => {});
  connection.on('connect', () => (ssl ? connection.requestSsl() : send()));
  connection.on('sslconnect', send);
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
  try {
    // The server closes it without an answer.
    await once(connection, 'end', { signal: AbortSignal.timeout(config.connectionTimeoutMillis ?? 10_000) });
  } finally {
    connection.stream.destroy();
  }
}
