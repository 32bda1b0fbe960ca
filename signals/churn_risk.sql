/*
description: Customers likely to leave
owner: retention@acme.example
warehouse: analytics
schedule: "*/5 * * * *"
key: customer_id
when: churn_probability > 0.85
rearm: churn_probability < 0.75
observed_at: scored_at
severity: high
sla: 30m
cooldown: 14d
guard: { max_new: 500, max_age: 6h }
*/
select customer_id, churn_probability, scored_at from churn_scores
