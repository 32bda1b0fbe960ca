-- In parentheses only a query that returns rows is allowed: no COPY, CALL, SET or data-changing WITH.
select * from (
{{sql}}
) as statement
