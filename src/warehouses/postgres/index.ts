import { LRUCache } from 'lru-cache';
import { comparer, compiler, loadDialect, quoteName } from '../compile.ts';
import { Deadline } from '../deadline.ts';
import { withoutSemicolon } from '../statement.ts';
import { render } from '../template.ts';
import type { Column, Warehouse, WarehouseType } from '../warehouse.ts';
import { dbtSettings } from './dbt.ts';
import { columnsOf, fieldsOf } from './describe.ts';
import { type FailureContext, failureOf, notAQuery } from './failure.ts';
import { flavours } from './flavours.ts';
import { follow } from './follow.ts';
import { lookupOneByOne } from './lookup.ts';
import { readRows } from './read.ts';
import { inSession, type Session, Sessions } from './session.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { openSnapshots } from './snapshots.ts';
import { targetOf } from './target.ts';

export const warehouse: WarehouseType = {
  name: 'postgres',
  summary: 'A PostgreSQL database, or another that speaks its protocol, read in read-only transactions.',
  schema: settingsSchema,
  example: 'url: env:WAREHOUSE_URL',
  tells: (settings) => flavours[(settings as Settings).flavour].tells,
  dbt: { types: ['postgres', 'redshift'], settings: dbtSettings },
  scratchSetting: 'scratch_schema',
  open: async (settings) => openWarehouse(settings as Settings),
};

/** Characters of statements that are known to be queries: those of looks and enrichments are the same many times a second. */
const soundSize = 1_000_000;

function openWarehouse(settings: Settings): Warehouse {
  const { tells, compares, arrays, joint, literal } = flavours[settings.flavour];
  const templates = loadDialect(import.meta.url, ['fragments', settings.flavour, 'follow']);
  const authority = settings.sslrootcert?.reveal();
  const target = targetOf(settings, settings.flavour);
  const sessions = new Sessions(target, templates, settings.max_connections, authority);
  const guarded = (sql: string) => render(templates, 'guard', { sql: withoutSemicolon(sql) });
  const prefix = render(templates, 'guard', { sql: '\0' }).split('\0')[0] as string;
  const dialect = { templates, quote: quoteName, joint, literal };
  const { scratch_schema: schema } = settings;
  const sound = new LRUCache<string, true>({ maxSize: soundSize, sizeCalculation: (_, sql) => sql.length });
  const writing = new Sessions(target, templates, 1, authority, 'read write');

  return {
    ...compiler(dialect),
    ...(compares && comparer(dialect)),
    ...(!arrays && { lookup: (sql, key, keys) => lookupOneByOne(dialect, sql, key, keys) }),
    snapshots: schema === undefined ? undefined : openSnapshots(dialect, schema, writing),
    check: (options) => inSession(sessions, options, { sql: '' }, async () => {}),
    describe: (sql, options) =>
      inSession(
        sessions,
        options,
        { sql, preparing: true },
        async ({ client }, deadline): Promise<Column[]> => {
          const fields = await fieldsOf(client, sql, deadline);
          if (!fields) throw notAQuery();
          await fieldsOf(client, guarded(sql), deadline).catch((error) => {
            throw deadline.failure ?? notAQuery(error);
          });
          return columnsOf(client, fields, templates, deadline);
        },
      ),
    async *read({ sql, params }, options) {
      const deadline = new Deadline(options);
      const context: FailureContext = { sql, shown: sessions.shown, timeoutMs: options.timeoutMs };
      let session: Session | undefined;
      let failed = true;
      try {
        session = await sessions.begin(deadline);
        // By itself first: in parentheses a fault is reported in other words, at other places.
        if (!sound.has(sql) && !(await fieldsOf(session.client, sql, deadline))) throw notAQuery();
        sound.set(sql, true);
        context.prefix = prefix;
        yield* readRows(session.client, { sql: guarded(sql), params }, deadline);
        failed = false;
      } catch (error) {
        sound.delete(sql);
        throw deadline.failure ?? failureOf(error, context);
      } finally {
        deadline.dispose();
        session?.end(failed);
      }
    },
    ...(tells.length > 0 && {
      follow: (changes, follower, stop) => follow(sessions, templates, changes, follower, stop),
    }),
    close: async () => {
      await Promise.all([sessions.close(), writing.close()]);
    },
  };
}
