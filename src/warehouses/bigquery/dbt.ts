import { z } from 'zod';
import { present, profileText, refused, secretOf } from '../dbt.ts';

/**
 * An output of dbt-bigquery. https://docs.getdbt.com/docs/core/connect-data-platform/bigquery-setup
 */
export const dbtSettings = z
  .looseObject({
    method: z.enum(['oauth', 'service-account', 'service-account-json']).exactOptional(),
    project: profileText(),
    database: profileText(),
    execution_project: profileText(),
    dataset: profileText(),
    schema: profileText(),
    location: profileText(),
    keyfile: profileText(),
    keyfile_json: z.union([z.string(), z.record(z.string(), z.unknown())]).exactOptional(),
    impersonate_service_account: profileText(),
    maximum_bytes_billed: profileText(),
    refresh_token: refused('a refresh token of OAuth'),
  })
  .transform((output): Record<string, unknown> => {
    const project = output.project ?? output.database;
    const dataset = output.dataset ?? output.schema;
    const { execution_project: payer, keyfile, keyfile_json: key, maximum_bytes_billed: most } = output;
    return present({
      project: payer ?? project,
      dataset: dataset && project ? `${project}.${dataset}` : dataset,
      location: output.location,
      credentials:
        keyfile !== undefined
          ? `file:${keyfile}`
          : secretOf(typeof key === 'object' ? JSON.stringify(key) : key),
      impersonate: output.impersonate_service_account,
      maximum_bytes_billed: most === undefined ? undefined : `${most}B`,
    });
  });
