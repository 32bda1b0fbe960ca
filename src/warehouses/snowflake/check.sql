-- Who asks, and what computes.
select current_role() as role, current_warehouse() as warehouse
