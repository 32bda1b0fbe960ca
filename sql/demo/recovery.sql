-- A delivery arrived in Lyon.
update inventory set on_hand = 180, counted_at = now() where warehouse_code = 'LYS' and on_hand < reorder_point;
