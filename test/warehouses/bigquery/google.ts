import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What tokens are asked of: the metadata server of a machine, and the IAM API for tokens of other accounts. */
export interface Google {
  url: string;
  /** `METHOD path`, with what was authorised. */
  asked: string[];
  close(): Promise<void>;
}

export async function serveGoogle(): Promise<Google> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`.trim());
    response.setHeader('metadata-flavor', 'Google');
    response.setHeader('content-type', 'application/json');
    const expireTime = new Date(Date.now() + 3_600_000).toISOString();
    if (/generateAccessToken$/.test(request.url ?? ''))
      response.end(JSON.stringify({ accessToken: 'impersonated-token', expireTime }));
    else if (/\/token/.test(request.url ?? ''))
      response.end(JSON.stringify({ access_token: 'machine-token', expires_in: 3600, token_type: 'Bearer' }));
    else response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
