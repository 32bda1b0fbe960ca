import { backslashLiteral } from '../backslash.ts';
import { compiler, loadDialect } from '../compile.ts';
import { Deadline } from '../deadline.ts';
import { render } from '../template.ts';
import type { ReadOptions, Statement, Warehouse, WarehouseType } from '../warehouse.ts';
import type { JobAnswer } from './answers.ts';
import { Api } from './api.ts';
import { dbtSettings } from './dbt.ts';
import { failureOf } from './failure.ts';
import { dryRun, Job } from './job.ts';
import { typedKeys } from './parameters.ts';
import { readRows } from './read.ts';
import { type Settings, settingsSchema } from './settings.ts';
import { columnOf } from './values.ts';

export const warehouse: WarehouseType = {
  name: 'bigquery',
  summary: 'Google BigQuery, asked with SELECT statements only.',
  schema: settingsSchema,
  dbt: { types: ['bigquery'], settings: dbtSettings },
  example: 'project: acme-analytics\ndataset: marts\nmaximum_bytes_billed: 50GB',
  open: async (settings) => openWarehouse(new Api(settings as Settings)),
};

const templateFiles = ['members', 'digest', 'fragments', 'check'];

export function openWarehouse(api: Api): Warehouse {
  const templates = loadDialect(import.meta.url, templateFiles);
  const compiled = compiler({ templates, quote, literal: backslashLiteral });
  const cancels = new Set<Promise<void>>();
  const cancel = (job: Job): void => {
    const cancelling = job.cancel().finally(() => cancels.delete(cancelling));
    cancels.add(cancelling);
  };
  const contextOf = ({ sql }: Statement, { timeoutMs }: ReadOptions) => ({
    sql,
    shown: api.settings.project,
    timeoutMs,
  });

  async function prepare(statement: Statement, options: ReadOptions, deadline: Deadline): Promise<JobAnswer> {
    return dryRun(api, statement, deadline).catch((error) => {
      throw deadline.failure ?? failureOf(error, { ...contextOf(statement, options), preparing: true });
    });
  }

  async function prepareAlone(statement: Statement, options: ReadOptions): Promise<JobAnswer> {
    const deadline = new Deadline(options);
    return prepare(statement, options, deadline).finally(() => deadline.dispose());
  }

  return {
    ...compiled,
    lookup: (sql, key, keys) => typedKeys(compiled.lookup(sql, key, keys), key),
    async check(options) {
      await prepareAlone({ sql: render(templates, 'check', {}), params: [] }, options);
    },
    async describe(sql, options) {
      const { statistics } = await prepareAlone({ sql, params: [] }, options);
      return (statistics.query?.schema?.fields ?? []).map(columnOf);
    },
    async cost(statement, options) {
      const { statistics } = await prepareAlone(statement, options);
      return { bytes: BigInt(statistics.totalBytesProcessed ?? 0) };
    },
    async *read(statement, options) {
      const deadline = new Deadline(options);
      let job: Job | undefined;
      let isDone = false;
      try {
        const { jobReference } = await prepare(statement, options, deadline);
        job = new Job(api, jobReference.location ?? api.settings.location);
        await job.submit(statement, options, deadline);
        yield* readRows(job, deadline);
        isDone = true;
      } catch (error) {
        throw deadline.failure ?? failureOf(error, { ...contextOf(statement, options), preparing: false });
      } finally {
        deadline.dispose();
        // Also when its reader left early: what nobody reads need not be computed.
        if (job && !isDone) cancel(job);
      }
    },
    async close() {
      await Promise.allSettled(cancels);
    },
  };
}

/** `` `name` ``, as GoogleSQL quotes it. */
function quote(name: string): string {
  return `\`${name.replaceAll(/[\\`]/g, '\\$&')}\``;
}
