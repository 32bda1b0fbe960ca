import type { Column as DriverColumn } from 'snowflake-sdk';
import type { Deadline } from '../deadline.ts';
import { withoutSemicolon } from '../statement.ts';
import { render, type Templates } from '../template.ts';
import { isSelect } from './driver.ts';
import { isSqlFault, notAQuery } from './failure.ts';
import type { Request, Session } from './session.ts';

/** Comments, then the word a query begins with. The driver takes `PUT` and `GET` for file transfers and does them. */
const beginning =
  /^(?:\s|--[^\n]*(?:\n|$)|\/\/[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:(?:select|with)\b|\()/i;

/**
 * Compiles a statement without running it, and gives the columns of its result. Snowflake has no read-only session, so
 * a statement is refused unless it begins like a query, the server takes it for a SELECT, and it compiles where only a
 * query may stand; and two statements are never taken at once.
 */
export async function describeQuery(
  session: Session,
  templates: Templates,
  request: Request,
  deadline: Deadline,
): Promise<DriverColumn[]> {
  const { sql } = request;
  if (!beginning.test(sql)) throw notAQuery();
  const guarded = render(templates, 'guard', { sql: withoutSemicolon(sql) });
  const asked = { ...request, describeOnly: true };
  const [own, guard] = await Promise.allSettled([
    session.run(asked, deadline),
    session.run({ ...asked, sql: guarded }, deadline),
  ]);
  if (own.status === 'rejected') throw own.reason;
  if (guard.status === 'rejected') throw isSqlFault(guard.reason) ? notAQuery() : guard.reason;
  const columns = own.value.getColumns();
  if (!columns || !isSelect(own.value)) throw notAQuery();
  return columns;
}
