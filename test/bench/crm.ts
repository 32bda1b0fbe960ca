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

/** The vendor's sandbox in a process of its own: its work and memory are not Readback's. */
serve<{ limited: boolean }>(async ({ limited }) => {
  const connector = await loadConnector('hubspot');
  if (!connector) throw new Error('there is no such connector');
  const sandbox = await connector.sandbox(limited ? {} : { rateLimit: null });
  return {
    steps: {
      settings: async () => sandbox.settings,
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
