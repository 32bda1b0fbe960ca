import type { CallOptions, Outcome, WriteItem } from '../connector.ts';
import { rejected } from '../outcomes.ts';
import { asked } from '../rest.ts';
import { inRounds } from '../rounds.ts';
import type { Zendesk } from './client.ts';
import { followJob } from './jobs.ts';
import { ticketRecord } from './tickets.ts';
import { isWritten, notNamed, type Settle, writeTogether } from './together.ts';

interface Change {
  item: WriteItem;
  ticketId: string;
  values: Record<string, unknown>;
}

/** Sets fields of at most 100 tickets, by a job where they are several. Set twice they are as set once. */
export async function setTickets(
  zendesk: Zendesk,
  items: readonly WriteItem[],
  call: CallOptions,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const changes = items.flatMap((item): Change[] => {
    const { ticket_id = item.parentId ?? '', ...values } = item.fields;
    const ticketId = ticket_id.trim();
    if (/^\d+$/.test(ticketId)) return [{ item, ticketId, values: ticketRecord(values) }];
    outcomes.set(item.key, rejected('ticket_id', 'no numeric ticket id to work on'));
    return [];
  });
  await writeTogether(
    inRounds(changes, ({ ticketId }) => String(Number(ticketId))),
    outcomes,
    {
      job: (round, settle) => byJob(zendesk, round, settle, call),
      alone: async ({ ticketId, values }) => {
        const answer = await asked(() => zendesk.updateTicket(ticketId, values, call));
        return answer.ok ? { kind: 'applied', id: ticketId } : answer.problem;
      },
    },
  );
  return outcomes;
}

async function byJob(
  zendesk: Zendesk,
  changes: Change[],
  settle: Settle<Change>,
  call: CallOptions,
): Promise<Change[]> {
  // Beginning the job and waiting for it are together what a call may take.
  const deadline = performance.now() + call.timeoutMs;
  const tickets = changes.map(({ ticketId, values }) => ({ id: Number(ticketId), ...values }));
  const begun = await asked(() => zendesk.ask('PUT', '/api/v2/tickets/update_many', call, { tickets }));
  if (!begun.ok) {
    if (begun.problem.kind === 'rejected') return changes;
    for (const change of changes) settle(change, begun.problem);
    return [];
  }
  const end = await followJob(zendesk, begun.body, call.signal, deadline);
  const written = new Set(end.results.filter(isWritten).map(({ id }) => String(id)));
  const left = changes.filter((change) => {
    const { ticketId } = change;
    if (written.has(String(Number(ticketId)))) settle(change, { kind: 'applied', id: ticketId });
    return !written.has(String(Number(ticketId)));
  });
  return notNamed(end, changes.length, left, settle);
}
