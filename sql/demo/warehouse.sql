-- A small company's warehouse: 5,000 customers with churn scores, 1,800 stock counts, 3,000 deals.
-- `setseed` makes every run the same.
select setseed(0.42);

create or replace table customers as
select
  'C-' || (10000 + i) as customer_id,
  (['Alder', 'Birch', 'Cedar', 'Dahlia', 'Elm', 'Fern', 'Ginkgo', 'Hazel', 'Iris', 'Juniper'])[1 + i % 10]
    || ' '
    || (['Foods', 'Labs', 'Logistics', 'Media', 'Robotics', 'Studios', 'Textiles'])[1 + i % 7]
    || ' ' || i as name,
  'owner' || i || '@customer' || i || '.example' as email,
  (['free', 'starter', 'team', 'enterprise'])[1 + (i * 7) % 4] as plan,
  cast(20 + round(random() * 1980, 2) as decimal(10, 2)) as monthly_revenue
from range(5000) as r (i);

-- One customer's address was typed wrong long ago; the CRM will not take it.
update customers set email = 'owner1733(at)customer1733' where customer_id = 'C-11733';

create or replace table churn_scores as
select customer_id, round(random() * 0.8, 3) as churn_probability, now() - interval 1 hour as scored_at
from customers;

create or replace table products as
select 'SKU-' || (100 + i) as sku, 'Product ' || i as title, 'Supplier ' || (i % 12) as supplier
from range(600) as r (i);

create or replace table inventory as
select warehouse_code, sku, 50 + cast(random() * 200 as integer) as on_hand, 40 as reorder_point, now() - interval 1 hour as counted_at
from products
cross join (values ('LYS'), ('OSL'), ('PRG')) as w (warehouse_code);

create or replace table deals as
select
  'D-' || (1000 + i) as deal_id,
  'C-' || (10000 + (i * 13) % 5000) as customer_id,
  cast(500 + round(random() * 50000, 2) as decimal(12, 2)) as amount,
  (['open', 'open', 'lost', 'won'])[1 + i % 4] as stage,
  now() - interval 1 day as closed_at
from range(3000) as r (i);
