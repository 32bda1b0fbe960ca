/*
warehouse: analytics
key: customer_id
fresh: 10m
*/
select customer_id, name, email, plan, monthly_revenue from customers
