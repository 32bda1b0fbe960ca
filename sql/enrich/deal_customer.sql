/*
warehouse: analytics
key: deal_id
fresh: 10m
*/
select deals.deal_id, customers.name, customers.email
from deals
join customers using (customer_id)
