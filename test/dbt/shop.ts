/** Manifest, sources and profile of a small dbt project, in the forms that dbt writes. */

export const analytics = (relation: string) => `"warehouse"."main"."${relation}"`;

function model(name: string, facts: Record<string, unknown> = {}, packageName = 'shop') {
  return {
    database: 'warehouse',
    schema: 'main',
    name,
    resource_type: 'model',
    package_name: packageName,
    path: `${name}.sql`,
    original_file_path: `models/${name}.sql`,
    unique_id: `model.${packageName}.${name}`,
    alias: name,
    config: { enabled: true, materialized: 'table' },
    relation_name: analytics(name),
    depends_on: { macros: [], nodes: [] },
    version: null,
    latest_version: null,
    ...facts,
  };
}

function source(name: string, facts: Record<string, unknown> = {}) {
  return {
    database: 'warehouse',
    schema: 'raw',
    name,
    resource_type: 'source',
    package_name: 'shop',
    unique_id: `source.shop.crm.${name}`,
    source_name: 'crm',
    identifier: name,
    loaded_at_field: '_loaded_at',
    freshness: {
      warn_after: { count: 12, period: 'hour' },
      error_after: { count: 24, period: 'hour' },
      filter: null,
    },
    relation_name: `"warehouse"."raw"."${name}"`,
    ...facts,
  };
}

/** @param version of the manifest's format */
export function manifest(version = 12): Record<string, unknown> {
  const nodes = [
    model('stg_customers', {
      relation_name: null,
      config: { enabled: true, materialized: 'ephemeral' },
      depends_on: { macros: [], nodes: ['source.shop.crm.customers'] },
    }),
    model('churn_scores', {
      depends_on: { macros: [], nodes: ['model.shop.stg_customers', 'source.shop.crm.events'] },
    }),
    model('plans', {
      unique_id: 'model.shop.plans.v1',
      version: 1,
      latest_version: 2,
      relation_name: analytics('plans_v1'),
    }),
    model('plans', {
      unique_id: 'model.shop.plans.v2',
      version: 2,
      latest_version: 2,
      relation_name: analytics('plans_v2'),
    }),
    model('calendar', {}, 'dates'),
    model('calendar', { relation_name: analytics('own_calendar') }),
    model('holidays', {}, 'dates'),
    model('countries', { resource_type: 'seed', unique_id: 'seed.shop.countries' }),
    { ...model('not_null_churn'), resource_type: 'test', unique_id: 'test.shop.not_null_churn' },
  ];
  const sources = [
    source('customers'),
    source('events'),
    source('flags', { freshness: null, loaded_at_field: null }),
  ];
  return {
    metadata: {
      dbt_schema_version: `https://schemas.getdbt.com/dbt/manifest/v${version}.json`,
      dbt_version: '1.9.4',
      ...(version >= 10 && { project_name: 'shop' }),
      adapter_type: 'duckdb',
    },
    nodes: Object.fromEntries(nodes.map((one) => [one.unique_id, one])),
    sources: Object.fromEntries(sources.map((one) => [one.unique_id, one])),
    macros: {},
    exposures: {},
    disabled: {},
  };
}

/** What `dbt source freshness` writes, of sources loaded so many hours before `now`. */
export function sourcesJson(hoursAgo: Record<string, number>, now = Date.now()): Record<string, unknown> {
  const results = Object.entries(hoursAgo).map(([name, hours]) => ({
    unique_id: `source.shop.crm.${name}`,
    max_loaded_at: new Date(now - hours * 3_600_000).toISOString(),
    snapshotted_at: new Date(now).toISOString(),
    max_loaded_at_time_ago_in_s: hours * 3600,
    status: hours > 24 ? 'error' : hours > 12 ? 'warn' : 'pass',
    criteria: {
      warn_after: { count: 12, period: 'hour' },
      error_after: { count: 24, period: 'hour' },
      filter: null,
    },
    adapter_response: {},
    timing: [],
    thread_id: 'Thread-1',
    execution_time: 0.01,
  }));
  return {
    metadata: { dbt_schema_version: 'https://schemas.getdbt.com/dbt/sources/v3.json', dbt_version: '1.9.4' },
    results,
    elapsed_time: 0.1,
  };
}
