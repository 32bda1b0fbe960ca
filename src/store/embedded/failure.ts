import { ReadbackError } from '../../errors.ts';

/** Every failure of the embedded server ends with the same way out: bring your own Postgres. */
export function embeddedFailure(message: string, hint?: string, cause?: unknown): ReadbackError {
  const wayOut = 'set READBACK_DATABASE_URL to a PostgreSQL 15 or newer of your own.';
  return new ReadbackError('LEDGER_UNREACHABLE', `The embedded ledger database ${message}`, {
    hint: hint ? `${hint} Or ${wayOut}` : `${wayOut[0]?.toUpperCase()}${wayOut.slice(1)}`,
    cause,
  });
}
