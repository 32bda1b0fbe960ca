-- The store itself: migrations, and who is using the embedded server.

-- name: server_version
select current_setting('server_version_num')::integer as number, current_setting('server_version') as text;

-- name: others_present
-- Each process that uses the embedded server holds one connection with this name; the last one out stops the server.
select count(*)::integer as others
from pg_stat_activity
where application_name like 'readback presence%' and pid <> pg_backend_pid();

-- name: leave
-- A backend outlives its client's goodbye by a few milliseconds. Renamed first, it is not counted by who leaves next.
set application_name = 'readback leaving';

-- name: lock_migrations
-- Several processes may start at once; one of them migrates. Lives as long as the session.
select pg_advisory_lock(hashtext('readback'), hashtext('migrations'));

-- name: unlock_migrations
select pg_advisory_unlock(hashtext('readback'), hashtext('migrations'));

-- name: find_migrations
select to_regclass('readback.migrations') is not null as found;

-- name: create_schema
create schema if not exists readback;

-- name: create_migrations
create table if not exists readback.migrations (
  version integer primary key,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp()
);

-- name: applied_migrations
select version, checksum from readback.migrations order by version;

-- name: record_migration
insert into readback.migrations (version, checksum) values (:version, :checksum);

-- name: has_grown
select exists (
  select
  from pg_stat_user_tables as seen
  join pg_class on pg_class.oid = seen.relid
  where seen.schemaname = 'readback' and seen.relname in ('actions', 'entities', 'messages')
    and seen.n_live_tup > 10 * greatest(pg_class.reltuples, 50)
) as grown;

-- name: analyze_ledger
analyze (skip_locked) actions, entities, messages;
