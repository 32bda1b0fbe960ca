import { ReadbackError } from '../../errors.ts';
import { backslashLiteral } from '../backslash.ts';
import { compiler, loadDialect } from '../compile.ts';
import { Deadline } from '../deadline.ts';
import { withoutSemicolon } from '../statement.ts';
import { render } from '../template.ts';
import { Turns } from '../turns.ts';
import type { Column, ReadOptions, Value, Warehouse, WarehouseType } from '../warehouse.ts';
import { dbtSettings } from './dbt.ts';
import { failureOf } from './failure.ts';
import { loginOf } from './login.ts';
import { describeQuery } from './query.ts';
import { readRows } from './read.ts';
import { Session } from './session.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { columnOf, quoteColumn } from './values.ts';

export const warehouse: WarehouseType = {
  name: 'snowflake',
  summary: 'A Snowflake account, read by a role that may only select.',
  schema: settingsSchema,
  dbt: { types: ['snowflake'], settings: dbtSettings },
  example: 'account: myorg-account\nuser: READBACK\nprivate_key: file:readback.p8\nwarehouse: REPORTING',
  open: async (settings) => openWarehouse(settings as Settings),
};

const templateFiles = ['members', 'digest', 'fragments', 'guard', 'begin', 'check'];

function openWarehouse(settings: Settings): Warehouse {
  const templates = loadDialect(import.meta.url, templateFiles);
  const session = new Session(loginOf(settings), render(templates, 'begin', {}));
  const turns = new Turns(settings.max_queries);
  const compiled = compiler({ templates, quote: quoteColumn, literal: backslashLiteral });

  /** Works in a turn, with a deadline, and tells what goes wrong in our words. */
  async function* within<T>(
    sql: string,
    options: ReadOptions,
    work: (deadline: Deadline) => AsyncGenerator<T>,
  ): AsyncGenerator<T> {
    const deadline = new Deadline(options);
    let leave = (): void => {};
    try {
      leave = await turns.take(deadline);
      yield* work(deadline);
      deadline.check();
    } catch (error) {
      throw deadline.failure ?? failureOf(error, { sql, shown: session.shown, timeoutMs: options.timeoutMs });
    } finally {
      deadline.dispose();
      leave();
    }
  }

  return {
    ...compiled,
    lookup: (sql, key, keys) => ({
      sql: compiled.lookup(sql, key, keys).sql,
      params: [JSON.stringify(keys)],
    }),
    async check(options) {
      const sql = render(templates, 'check', {});
      for await (const rows of within(sql, options, (deadline) => readOwn(session, sql, deadline))) {
        for (const [role, computes] of rows) refuseUnfit(session.shown, role ?? null, computes ?? null);
      }
    },
    async describe(sql, options) {
      let columns: Column[] = [];
      const work = async function* (deadline: Deadline) {
        const request = { sql: withoutSemicolon(sql), label: options.label };
        yield (await describeQuery(session, templates, request, deadline)).map(columnOf);
      };
      for await (const found of within(sql, options, work)) columns = found;
      return columns;
    },
    read({ sql, params }, options) {
      return within(sql, options, async function* (deadline) {
        const request = { sql: withoutSemicolon(sql), params: params.map(String), label: options.label };
        await describeQuery(session, templates, request, deadline);
        yield* readRows(await session.run(request, deadline), deadline);
      });
    },
    close: () => session.close(),
  };
}

async function* readOwn(session: Session, sql: string, deadline: Deadline): AsyncGenerator<Value[][]> {
  yield* readRows(await session.run({ sql }, deadline), deadline);
}

/** Roles that come with every account and may do everything, or nearly. */
const administrators = new Set([
  'ACCOUNTADMIN',
  'SECURITYADMIN',
  'USERADMIN',
  'SYSADMIN',
  'ORGADMIN',
  'GLOBALORGADMIN',
]);

function refuseUnfit(shown: string, role: Value, computes: Value): void {
  if (role !== null && administrators.has(role)) {
    throw new ReadbackError('WAREHOUSE_UNREACHABLE', `${shown}: the role ${role} administers the account`, {
      hint: 'set `role` to one that may only select: Snowflake has no read-only session that would hold it back',
    });
  }
  if (computes === null) {
    throw new ReadbackError('WAREHOUSE_UNREACHABLE', `${shown}: no virtual warehouse is in use`, {
      hint: 'set `warehouse` to one that the role may use',
    });
  }
}
