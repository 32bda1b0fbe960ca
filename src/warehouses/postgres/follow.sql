-- What is said on the connections that follow changes.

-- name: listen
listen {{channel}}

-- name: still_there
-- An answer proves that the server is still there.
select 1 as still_there

-- name: temporary_slot
-- Ends with its session: a process that dies leaves nothing behind that holds back the server's log. NOEXPORT_SNAPSHOT:
-- nobody reads what was there before.
CREATE_REPLICATION_SLOT {{slot}} TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT

-- name: snapshot
-- Which transactions a query that begins now would see.
select pg_current_snapshot()::text as snapshot
