-- Pokes: "look now", said by whoever knows that something changed. Kept until somebody has looked.

-- name: poke
-- Refused, with no row, while too many wait: nobody looks, or they come faster than anybody can.
insert into pokes (signal, entities)
select :signal, :entities::text[]
where (select count(*) from (select from pokes where signal = :signal limit :most::integer) as waiting) < :most::integer
returning id, pg_notify('readback_poke', :signal)::text as told;

-- name: listen
listen readback_poke;

-- name: listen_due
listen readback_due;

-- name: attend
-- One process at a time attends to a signal's triggers. The lock lives as long as the session.
select wanted.signal
from unnest(:signals::text[]) as wanted (signal)
where pg_try_advisory_lock(hashtext('readback.trigger'), hashtext(wanted.signal));

-- name: take
-- Those that wait and were not taken yet. They stay until they are done: whoever takes them may die.
select id, signal, entities from pokes where signal = any(:signals::text[]) and not id = any(:taken::bigint[]) order by id;

-- name: done
delete from pokes where id = :id::bigint;
