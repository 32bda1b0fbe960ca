-- The sample warehouse. `readback init` has run this into warehouse.duckdb once; Readback itself only reads.
create table customers (
  customer_id varchar primary key,
  name varchar not null,
  email varchar not null,
  plan varchar not null,
  monthly_revenue decimal(10, 2) not null
);

insert into customers values
  ('C-1001', 'Ada Moreno', 'ada.moreno@example.com', 'business', 1200.00),
  ('C-1002', 'Ben Okafor', 'ben.okafor@example.com', 'starter', 49.00),
  ('C-1003', 'Chen Wei', 'chen.wei@example.com', 'business', 890.50),
  ('C-1004', 'Dana Fischer', 'dana.fischer@example.com', 'free', 0.00),
  ('C-1005', 'Eli Novak', 'eli.novak@example.com', 'starter', 49.00),
  ('C-1006', 'Fatima Zahra', 'fatima.zahra@example.com', 'business', 2400.00);

create table churn_scores (
  customer_id varchar not null,
  churn_probability double not null,
  scored_at timestamptz not null
);

insert into churn_scores values
  ('C-1001', 0.91, now()),
  ('C-1002', 0.12, now()),
  ('C-1003', 0.88, now()),
  ('C-1004', 0.97, now()),
  ('C-1005', 0.40, now()),
  ('C-1006', 0.79, now());
