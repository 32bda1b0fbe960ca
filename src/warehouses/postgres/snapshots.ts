import { ReadbackError } from '../../errors.ts';
import type { Dialect } from '../compile.ts';
import { snapshotCompiler } from '../snapshots.ts';
import type { Snapshots } from '../warehouse.ts';
import { inSession, type Sessions } from './session.ts';

/** Permission denied, and a schema that does not exist. */
const refusals = /permission denied|schema "[^"]*" does not exist|no schema has been selected/;

/** @param writing sessions that may write, used for nothing else */
export function openSnapshots(dialect: Dialect, schema: string, writing: Sessions): Snapshots {
  return {
    ...snapshotCompiler(dialect, dialect.quote(schema)),
    write: ({ sql, params }, options) =>
      inSession(writing, options, { sql }, async ({ client }, deadline) => {
        await deadline.race(client.query({ text: sql, values: params }));
        // Here, because the end of a session does not say whether its commit came through.
        await deadline.race(client.query('commit'));
      }).catch((error: ReadbackError) => {
        throw refusals.test(error.message) ? cannotWrite(schema, error) : error;
      }),
  };
}

function cannotWrite(schema: string, cause: ReadbackError): ReadbackError {
  return new ReadbackError('WAREHOUSE_QUERY', `nothing can be kept in schema ${schema}: ${cause.message}`, {
    hint: `let the administrator run: create schema ${schema}; grant usage, create on schema ${schema} to <the role>`,
    cause,
  });
}
