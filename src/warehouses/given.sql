-- A query over rows that are given with it. Its own text is not touched: it stands inside, where it sees the names that
-- the fixtures have. The same in every dialect here; a literal is a dialect's own.

-- name: everything
select * from {{relation}}

-- name: given
with {{fixtures}}
select * from (
{{sql}}
) as readback_given

-- name: fixture
{{name}} as (
{{rows}}
)

-- name: row
select {{values}}

-- name: no_row
select * from (select {{values}}) as readback_nothing where 1 = 0

-- name: value
cast({{literal}} as {{type}}) as {{column}}

-- name: union
union all
