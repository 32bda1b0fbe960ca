-- Every read is one transaction that cannot write and sees one moment; only snapshots are written, in one of their own. The settings make texts exact and the same
-- whatever the role's defaults are; they end with the transaction, so a connection pooler in between is safe. The last
-- query takes the snapshot: after it Postgres refuses to make the transaction writable again. Compiling (jit) costs a
-- second and more on large reads that the interpreter finishes sooner.
begin isolation level repeatable read {{access}};
set local statement_timeout = {{timeout_ms}};
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'iso_8601';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local jit = off;
select pg_backend_pid() as pid
