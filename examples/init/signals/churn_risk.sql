/*
description: Customers likely to leave
warehouse: analytics
schedule: "*/5 * * * *"
key: customer_id
when: churn_probability > 0.85
rearm: churn_probability < 0.75
observed_at: scored_at
severity: high
tags: [retention]
sla: 30m
guard: { max_new: 500 }
# Act on whoever meets the signal at the first poll. Without this line the first poll only records who does,
# and later polls act on what changed.
backfill: all
*/
select customer_id, churn_probability, scored_at
from churn_scores
