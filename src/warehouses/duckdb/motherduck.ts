import { ReadbackError } from '../../errors.ts';
import { messageOf } from './failure.ts';

/** A database of MotherDuck, DuckDB's service: https://motherduck.com/docs */
export function isMotherDuck(path: string): boolean {
  return path.startsWith('md:');
}

/**
 * What is opened: the database alone, not all of the account's, and with nothing of this machine for SQL to reach unless it
 * may (https://motherduck.com/docs/sql-reference/connection-string-parameters).
 */
export function motherDuckPath(path: string, external: boolean): string {
  return `${path}?attach_mode=single&saas_mode=${!external}`;
}

/**
 * Makes sure that DuckDB has its extension for MotherDuck, which comes from DuckDB's own repository, signed, once for each
 * version of DuckDB. By itself, so that nothing else can be installed where signals are read.
 */
export async function installMotherDuck(): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { errors_as_json: 'true' });
  try {
    const connection = await instance.connect();
    await connection.run('install motherduck');
  } catch (error) {
    throw new ReadbackError(
      'WAREHOUSE_UNREACHABLE',
      `DuckDB’s extension for MotherDuck cannot be installed: ${messageOf(error).split('\n')[0]}`,
      {
        hint: 'let this machine reach extensions.duckdb.org once, or copy the extension to ~/.duckdb/extensions',
        cause: error,
      },
    );
  } finally {
    instance.closeSync();
  }
}

/** Without the cause: what DuckDB says of a token may quote it. */
export function refusedByMotherDuck(path: string, token: string, cause: unknown): ReadbackError {
  const message = messageOf(cause).replaceAll(token, '(token)');
  return new ReadbackError('WAREHOUSE_UNREACHABLE', `${path}: ${message}`, {
    hint: 'check that the token is a read scaling token of an account with this database',
  });
}
