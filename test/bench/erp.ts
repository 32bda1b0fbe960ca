import { loadConnector } from '../../src/connectors/index.ts';
import { serve } from './serve.ts';

/** A JSON API's sandbox in a process of its own, without a limit. */
serve<object>(async () => {
  const connector = await loadConnector('http');
  if (!connector) throw new Error('there is no such connector');
  const sandbox = await connector.sandbox({ rateLimit: null });
  return {
    steps: {
      environment: async () => ({
        BASE_URL: sandbox.settings.base_url,
        BEARER_TOKEN: sandbox.settings.bearer_token,
      }),
      /** When the first write of each record arrived, by the last part of its path: ms since 1970. */
      arrivals: async (): Promise<Record<string, number>> => {
        const arrivals: Record<string, number> = {};
        for (const { method, path, at } of sandbox.requests())
          if (method === 'PUT') arrivals[path.slice(path.lastIndexOf('/') + 1)] ??= at;
        return arrivals;
      },
    },
    close: () => sandbox.close(),
  };
});
