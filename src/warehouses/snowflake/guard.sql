-- Compiled only, never run. In parentheses only a query is allowed: no DML, no CALL, no SHOW, no pipe of statements.
select 1 from (
{{sql}}
) as statement
