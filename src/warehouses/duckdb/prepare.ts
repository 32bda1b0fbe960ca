import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { ReadbackError } from '../../errors.ts';
import { withoutSemicolon } from '../statement.ts';
import type { Column } from '../warehouse.ts';
import { typesOf } from './columns.ts';
import { failureOf } from './failure.ts';

/** A parenthesis around it lets through what returns rows and nothing else: no PRAGMA, EXPLAIN, CALL or COPY. */
const guard = { before: 'select * from (\n', after: '\n) as statement' };

/** Prepares one statement that returns rows, without running it, and names its columns. Anything else is refused. */
export async function prepareQuery(connection: DuckDBConnection, sql: string): Promise<Column[]> {
  const columns = await describeSingle(connection, sql);
  const inner = withoutSemicolon(sql);
  const guarded = await connection.prepare(`${guard.before}${inner}${guard.after}`).catch(() => {
    throw refused('this statement is not a query');
  });
  guarded.destroySync();
  return columns;
}

async function describeSingle(connection: DuckDBConnection, sql: string): Promise<Column[]> {
  const { StatementType } = await import('@duckdb/node-api');
  const statements = await connection.extractStatements(sql).catch((error: unknown) => {
    // The driver's whole answer to a statement of nothing but comments.
    if (/native callback/.test(String(error))) throw refused('there is no statement');
    throw failureOf(error, sql);
  });
  if (statements.count !== 1) {
    throw refused(`there are ${statements.count} statements`);
  }
  const prepared = await statements
    .prepare(0)
    .catch((error: unknown) => Promise.reject(failureOf(error, sql)));
  try {
    if (prepared.statementType !== StatementType.SELECT) throw refused('this statement is not a query');
    return columnsOf(prepared);
  } finally {
    prepared.destroySync();
  }
}

function columnsOf(prepared: DuckDBPreparedStatement): Column[] {
  return Array.from({ length: prepared.columnCount }, (_, at) => {
    const type = prepared.columnType(at);
    return { name: prepared.columnName(at), ...typesOf(type) };
  });
}

function refused(reason: string): ReadbackError {
  return new ReadbackError('SIGNAL_SQL', reason, {
    place: { file: '', line: 1, column: 1 },
    hint: 'write one SELECT; the warehouse is only ever read',
  });
}
