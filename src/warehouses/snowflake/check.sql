-- Who asks, and what computes.
select current_role() as reader, current_warehouse() as computes
