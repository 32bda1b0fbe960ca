import { loadConnector } from '../../src/connectors/index.ts';
import { serve } from './serve.ts';

export interface Held {
  records: number;
  /** Most often that any one record was written. */
  mostWrites: number;
  requests: number;
}

/** @param latencyMs how long every answer takes, besides the work it makes; 0: none */
export interface CrmOptions {
  latencyMs: number;
}

/** The vendor's sandbox without a request limit, in a process of its own: its work and memory are not Readback's. */
serve<CrmOptions>(async ({ latencyMs }) => {
  const connector = await loadConnector('hubspot');
  if (!connector) throw new Error('there is no such connector');
  const sandbox = await connector.sandbox({ rateLimit: null });
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
        };
      },
    },
    close: () => sandbox.close(),
  };
});
