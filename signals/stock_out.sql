/*
description: Products that run out before a delivery can come
owner: supply@acme.example
warehouse: analytics
every: 1m
key: [warehouse_code, sku]
when: on_hand < reorder_point / 4
rearm: on_hand > reorder_point
on: [entered, left]
observed_at: counted_at
severity: critical
sla: 10m
tags: [supply]
*/
select warehouse_code, sku, on_hand, reorder_point, counted_at
from inventory
