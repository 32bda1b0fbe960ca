-- How a column's values become text, by its type. `isfinite`: infinity has no digits.

-- name: text
{{column}}::varchar

-- name: instant_text
case when isfinite({{column}}) then strftime({{column}}, '%Y-%m-%dT%H:%M:%S.%fZ') else {{column}}::varchar end

-- name: timestamp_text
case when isfinite({{column}}::timestamp) then strftime({{column}}::timestamp, '%Y-%m-%dT%H:%M:%S.%f') else {{column}}::varchar end

-- name: nanosecond_text
strftime({{column}}, '%Y-%m-%dT%H:%M:%S.%n')

-- name: keep
create temp table readback_result ({{columns}}) as
{{sql}}

-- name: kept
select {{texts}} from readback_result where rowid >= $1 and rowid < $2
