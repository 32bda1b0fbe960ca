/*
description: Products about to run out
owner: supply@acme.example
warehouse: analytics
every: 1m
key: [warehouse_code, sku]
when: on_hand < reorder_point
rearm: on_hand > 1.5 * reorder_point
on: [entered, left]
observed_at: counted_at
severity: medium
sla: 1h
tags: [supply]
*/
select warehouse_code, sku, on_hand, reorder_point, counted_at
from inventory
