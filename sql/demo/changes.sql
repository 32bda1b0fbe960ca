-- What the data team's jobs would have written overnight.
update churn_scores
set churn_probability = 0.86 + (cast(substr(customer_id, 3) as integer) % 13) / 100.0, scored_at = now()
where cast(substr(customer_id, 3) as integer) % 229 = 10 or customer_id = 'C-11733';

update inventory
set on_hand = cast(substr(sku, 5) as integer) % 40, counted_at = now()
where cast(substr(sku, 5) as integer) % 150 = 17 and warehouse_code <> 'PRG';

update deals set stage = 'won', closed_at = now() where cast(substr(deal_id, 3) as integer) % 750 = 4 and stage <> 'won';
