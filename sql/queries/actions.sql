-- Actions as a list, for people and for other programs.

-- name: list
-- Newest first. The key makes the order complete, so that two lists of the same ledger are the same.
select
  key, signal, destination, entity, sequence, transition, state, reason, attempts, external_id,
  detected_at, sent_at, accepted_at, settled_at
from actions
where (:signals::text[] is null or signal = any(:signals))
  and (:destinations::text[] is null or destination = any(:destinations))
  and (:states::action_state[] is null or state = any(:states))
  and (:entities::text[] is null or entity = any(:entities))
  and (:since::timestamptz is null or detected_at >= :since)
order by detected_at desc, key
limit :limit::bigint;
