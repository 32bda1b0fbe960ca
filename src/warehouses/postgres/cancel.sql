-- The deadline of the client ends the query on the server as well.
select pg_cancel_backend($1::int)
