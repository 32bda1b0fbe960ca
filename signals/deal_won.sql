/*
description: Deals that were won
owner: sales@acme.example
warehouse: analytics
every: 1m
key: deal_id
observed_at: closed_at
sla: 10m
tags: [sales]
*/
select deal_id, customer_id, amount, closed_at from deals where stage = 'won'
