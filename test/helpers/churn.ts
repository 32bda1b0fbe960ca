/** A signal that is polled every second. */
export const churnSignal = `/*
key: customer_id
every: 1s
when: score > 0.8
*/
select customer_id, name, score from customers`;

/** A ticket for each customer that meets it. */
export const churnTicket = `
connection: support
action: create_ticket
signals: [churn]
fields: { subject: "Call {{ name }}", body: "Score {{ score | percent }}" }
verify: { lag: 200ms }
`;

/** Customers of whom none meets it yet: `C-0` is `Customer 0.` */
export function churnTable(customers: number): string {
  return `create table customers as
    select 'C-' || i as customer_id, 'Customer ' || i || '.' as name, 0.1 as score from range(${customers}) r (i)`;
}
