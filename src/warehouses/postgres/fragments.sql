-- What the dialects of all flavours share. The files of the flavours say the rest.

-- name: key_list
${{number}}::{{type}}[]

-- name: one_key
{{columns}} = any({{lists}})

-- name: several_keys
({{columns}}) in (select * from unnest({{lists}}))

-- name: same_value
{{column}} = ${{number}}::{{type}}

-- name: version
select version() as version

-- name: types
-- The names of a result's column types, in the order of its columns.
select {{names}}

-- name: type_name
format_type({{type}}, {{modifier}})

-- name: guard
-- In parentheses only a query that returns rows is allowed: no COPY, CALL, SET or data-changing WITH.
select * from (
{{sql}}
) as statement
