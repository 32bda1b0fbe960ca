-- The sandbox is a true Postgres with one table. A journal tells its owner of every write, and what stood there before.

-- name: make_role
create role {{role}} login password {{password}}

-- name: make_database
create database {{database}}

-- name: drop_database
drop database if exists {{database}} with (force)

-- name: drop_role
drop role if exists {{role}}

-- name: make_table
create table public.purchase_orders (
  id bigint generated always as identity primary key,
  readback_key uuid unique,
  po_number text unique,
  sku text,
  quantity integer,
  unit_price numeric(12, 2),
  ordered_at timestamptz,
  approved boolean,
  details jsonb,
  note varchar(200)
);
create schema sandbox;
create table sandbox.journal (
  seq bigint generated always as identity primary key, row_id bigint, before jsonb, after jsonb
);
create function sandbox.note() returns trigger language plpgsql security definer as $$
begin
  insert into sandbox.journal (row_id, before, after)
  values (coalesce(new.id, old.id), to_jsonb(old), to_jsonb(new));
  return coalesce(new, old);
end $$;
create trigger note after insert or update or delete on public.purchase_orders for each row execute function sandbox.note();
create view sandbox.purchase_orders as
  select (jsonb_populate_record(null::public.purchase_orders, last.before)).*
  from (select distinct on (row_id) before from sandbox.journal order by row_id, seq desc) as last
  where last.before is not null;
grant usage on schema sandbox to {{role}};
grant select on sandbox.purchase_orders to {{role}};
grant select, insert, update, delete on public.purchase_orders to {{role}}

-- name: news
select seq::text, row_id::text, after from sandbox.journal where seq > $1 order by seq
