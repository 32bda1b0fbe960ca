import { humanDuration, utcTime } from './duration.ts';
import { plain } from './plain.ts';
import { drawTable } from './table.ts';
import type { Trace, TracedAction, TracedMessage } from './trace.ts';

/** The trace for a terminal: each message, each action it became, each call made for that. Newest message first. */
export function traceToText(trace: Trace): string {
  const { memberships, messages, earlier, loose } = trace;
  if (memberships.length + messages.length + loose.length === 0) return nothingFound(trace);
  const parts = [
    [plain(trace.asked), ...memberships.map(membershipLine)].join('\n'),
    ...messages.map(messageText),
    ...loose.map((action) => `an action whose message is gone\n${actionText(action)}`),
  ];
  if (earlier > 0) parts.push(`and ${earlier} earlier messages`);
  return `${parts.join('\n\n')}\n`;
}

function nothingFound(trace: Trace): string {
  const lines = [`Nothing is known of ${plain(trace.asked)}.`];
  if (trace.near.length > 0) lines.push(`Did you mean: ${trace.near.map(plain).join(' or ')}?`);
  else lines.push('No poll has seen it enter a signal; `readback preview <signal>` shows who would.');
  return `${lines.join('\n')}\n`;
}

function membershipLine(one: Trace['memberships'][number]): string {
  const where = one.present ? `is in ${one.signal} now` : `is not in ${one.signal} now`;
  const fired = one.lastFiredAt ? `, last acted on ${utcTime(one.lastFiredAt)}` : '';
  return `  ${where} (transitions so far: ${one.sequence}${fired})`;
}

function messageText(message: TracedMessage): string {
  const head = `${utcTime(message.time)}  ${message.transition} ${message.signal}  #${message.sequence}  ${message.severity}`;
  const poll = message.poll
    ? `poll ${message.poll.id} (${message.poll.cause}, correlation ${message.poll.correlation})`
    : 'its poll is gone';
  const observed = message.observedAt ? [`  observed ${utcTime(message.observedAt)} by the warehouse`] : [];
  const actions = message.actions.map(actionText);
  if (actions.length === 0) actions.push('  no destination subscribed to this');
  return [head, `  message ${message.id}, ${poll}`, ...observed, ...actions].join('\n');
}

function actionText(action: TracedAction): string {
  const reason = action.reason ? `: ${plain(action.reason)}` : '';
  const lines = [
    `  → ${action.destination}  ${action.state}${after(action)}${reason}`,
    `    action ${action.key}`,
  ];
  if (action.externalId) lines.push(`    record ${plain(action.externalId)} in the destination`);
  if (action.dueAt) {
    lines.push(`    next look ${utcTime(action.dueAt)}, may be sent until ${utcTime(action.expiresAt)}`);
  }
  if (action.attempts.length > 0) lines.push(attemptsText(action));
  return lines.join('\n');
}

/** How long it took from the row's own time, once it is settled. */
function after(action: TracedAction): string {
  if (!action.settledAt) return '';
  const start = Math.min((action.observedAt ?? action.detectedAt).getTime(), action.detectedAt.getTime());
  return ` after ${humanDuration(action.settledAt.getTime() - start)}`;
}

function attemptsText(action: TracedAction): string {
  const columns = (['at', 'call', 'outcome', 'decision', 'took', 'reason'] as const).map((head) => ({
    head,
    kind: head === 'took' ? ('number' as const) : ('text' as const),
  }));
  const rows = action.attempts.map((attempt) => [
    attempt.at.toISOString().slice(11, 23),
    attempt.kind,
    attempt.outcome,
    attempt.decision,
    attempt.durationMs === null ? '' : humanDuration(attempt.durationMs),
    attempt.reason ?? '',
  ]);
  const indent = '    ';
  return drawTable({ columns, rows }, 120 - indent.length)
    .split('\n')
    .map((line) => `${indent}${line}`)
    .join('\n');
}
