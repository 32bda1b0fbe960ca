import { loadConnector } from '../../src/connectors/index.ts';
import { serve } from './serve.ts';

export interface Held {
  records: number;
  /** Most often that any one record was written. */
  mostWrites: number;
  requests: number;
  /** Requests that met the vendor's limit. */
  breaches: number;
}

export interface CrmOptions {
  /** Keep the vendor's request limit. */
  limited: boolean;
  /** How long every answer takes, besides the work it makes; 0: none. */
  latencyMs: number;
}

/** The vendor's sandbox in a process of its own: its work and memory are not Readback's. */
serve<CrmOptions>(async ({ limited, latencyMs }) => {
  const connector = await loadConnector('hubspot');
  if (!connector) throw new Error('there is no such connector');
  const sandbox = await connector.sandbox(limited ? {} : { rateLimit: null });
  if (latencyMs > 0) sandbox.inject({ kind: 'slow', times: Number.POSITIVE_INFINITY, delayMs: latencyMs });
  return {
    steps: {
      /** What the project's connection refers to. */
      environment: async () =>
        Object.fromEntries(
          Object.entries(sandbox.settings).map(([name, value]) => [name.toUpperCase(), value]),
        ),
      held: async (): Promise<Held> => {
        const records = sandbox.records();
        return {
          records: records.length,
          mostWrites: records.reduce((most, record) => Math.max(most, record.writes), 0),
          requests: sandbox.requests().length,
          breaches: sandbox.requests().filter((request) => request.status === 429).length,
        };
      },
    },
    close: () => sandbox.close(),
  };
});
