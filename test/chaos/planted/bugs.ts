// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are source code, with its templates

/** A text of one source file and what the bug makes of it. */
export type Edit = {
  /** from the root of the project, such as `src/act/write.ts` */
  file: string;
  /** must stand there exactly once */
  find: string;
  replace: string;
};

/** Which exam is to catch a bug; see exams.ts. */
export type ExamName =
  | 'storm'
  | 'lies'
  | 'crowd'
  | 'shuffle'
  | 'stops'
  | 'drain'
  | 'throttle'
  | 'breaker'
  | 'stale';

/** A mistake that a good programmer could make, and that no unit of the product need notice. */
export type Bug = {
  /** kebab-case; also the name of its build's folder */
  name: string;
  /** what is wrong, in a sentence */
  mistake: string;
  exam: ExamName;
  /** More than one only where the product guards against the same twice. */
  edits: readonly Edit[];
};

const write = 'src/act/write.ts';
const outcome = 'src/act/decide.ts';
const verdict = 'src/verify/decide.ts';
const state = 'src/ledger/state.ts';
const lanes = 'sql/queries/lanes.sql';
const detect = 'sql/queries/detect.sql';
const schedule = 'sql/queries/schedule.sql';

export const bugs: readonly Bug[] = [
  {
    name: 'call-before-intent',
    mistake: 'The call is made first and the intent committed after it.',
    exam: 'storm',
    edits: [
      {
        file: write,
        find: `    const committed = await lane.commitIntents(wave);
    const batches = batchesOf(
      wave.filter((one) => committed.has(one.action.key)),
      type.maxBatch,
    );
    const answers = await Promise.all(batches.map((batch) => writeBatch(writer, batch, beginBy)));`,
        replace: `    const batches = batchesOf(wave, type.maxBatch);
    const answers = await Promise.all(batches.map((batch) => writeBatch(writer, batch, beginBy)));
    await lane.commitIntents(wave);`,
      },
    ],
  },
  {
    name: 'no-fence',
    mistake: 'An intent is committed whoever holds the lane, and whatever has become of the action.',
    exam: 'stops',
    edits: [
      {
        file: lanes,
        find: `  set state = 'sending', sent_at = clock_timestamp(), sent = intent.sent,`,
        replace: `  set state = 'sending', due_at = clock_timestamp(), settled_at = null, sent_at = clock_timestamp(), sent = intent.sent,`,
      },
      {
        file: lanes,
        find: `    and actions.sequence = intent.sequence and actions.state in ('planned', 'ready')
    and actions.expires_at > clock_timestamp() and exists (select from lane)`,
        replace: `    and actions.sequence = intent.sequence and actions.expires_at > clock_timestamp()`,
      },
    ],
  },
  {
    name: 'orphans-sent-again',
    mistake: 'What a dead worker was sending is taken for not sent.',
    exam: 'storm',
    edits: [
      {
        file: lanes,
        find: `  set state = 'unknown', due_at = clock_timestamp() + make_interval(secs => :lag_seconds::float8),`,
        replace: `  set state = 'ready', due_at = clock_timestamp() + make_interval(secs => :lag_seconds::float8),`,
      },
    ],
  },
  {
    name: 'sent-again-on-timeout',
    mistake: 'A write without an answer is sent again instead of read back.',
    exam: 'storm',
    edits: [
      {
        file: outcome,
        find: `        state: 'unknown',
        decision: 'read back before anything else',`,
        replace: `        state: 'ready',
        decision: 'send again',`,
      },
    ],
  },
  {
    name: 'answer-believed',
    mistake: 'What the destination accepted is verified without reading it back.',
    exam: 'lies',
    edits: [
      {
        file: outcome,
        find: `        state: 'accepted',
        decision: 'read it back',
        due_in_ms: 0,`,
        replace: `        state: 'verified',
        decision: 'done',`,
      },
      {
        file: state,
        find: `  sending: ['accepted', 'unknown',`,
        replace: `  sending: ['accepted', 'verified', 'unknown',`,
      },
    ],
  },
  {
    name: 'set-before-messages',
    mistake: 'The new set is committed, and the messages in a transaction after it.',
    exam: 'storm',
    edits: [
      {
        file: 'src/detect/commit.ts',
        find: `    if (counts.entered + counts.changed + counts.departed > 0) await options.emit(client, counts);
    const counted`,
        replace: `    await client.query('commit');
    await client.query('begin');
    if (counts.entered + counts.changed + counts.departed > 0) await options.emit(client, counts);
    const counted`,
      },
    ],
  },
  {
    name: 'tick-unguarded',
    mistake: 'Nothing makes a tick fire once: no unique tick, no lock of the signal, no key of the job.',
    exam: 'crowd',
    edits: [
      {
        file: 'sql/migrations/000001.sql',
        find: `  departed bigint,
  unique (signal, scheduled_for)
);`,
        replace: `  departed bigint
);`,
      },
      {
        file: detect,
        find: `select pg_try_advisory_lock(hashtext('readback.poll'), hashtext(:signal)) as locked;`,
        replace: 'select :signal::text is not null as locked;',
      },
      {
        file: detect,
        find: `on conflict (signal, scheduled_for) do update
set state = 'running', started_at = clock_timestamp()
where polls.state in ('queued', 'running')
returning`,
        replace: 'returning',
      },
      {
        file: schedule,
        find: `on conflict (signal, scheduled_for) do nothing
returning`,
        replace: 'returning',
      },
      {
        file: schedule,
        find: `  where signal = :signal and state in ('queued', 'running') and cause <> 'trigger'
    and id not in`,
        replace: `  where signal = :signal and state = 'running' and cause = 'manual'
    and id not in`,
      },
      {
        file: 'src/queue/queue.ts',
        find: 'singletonKey = `${job.signal} ${job.scheduledFor}`;',
        replace: 'singletonKey = `${job.signal} ${job.scheduledFor} ${process.pid}`;',
      },
    ],
  },
  {
    name: 'mapped-by-position',
    mistake: 'Results of a batch are taken to come in the order of its items.',
    exam: 'shuffle',
    edits: [
      {
        file: 'src/connectors/hubspot/upsert.ts',
        find: `  for (const { id, properties, objectWriteTraceId } of reply.results) {
    const input =
      byName.get(objectWriteTraceId ?? '') ?? byName.get(folded(String(properties[idProperty] ?? '')));
    settleOne`,
        replace: `  for (const [index, { id }] of reply.results.entries()) {
    const input = batch[index];
    settleOne`,
      },
    ],
  },
  {
    name: 'throttle-is-an-attempt',
    mistake: 'A 429 counts as an attempt, so that a busy destination kills actions.',
    exam: 'throttle',
    edits: [
      {
        file: outcome,
        find: `        state: 'ready',
        decision: 'wait, then send; not an attempt',`,
        replace: `        attempts,
        ...(attempts >= maxAttempts ? { settled: true } : {}),
        state: attempts >= maxAttempts ? 'dead' : 'ready',
        decision: 'wait, then send',`,
      },
      {
        file: outcome,
        find: 'due_in_ms: outcome.retryAfterMs ?? 1_000,',
        replace: 'due_in_ms: attempts >= maxAttempts ? null : (outcome.retryAfterMs ?? 1_000),',
      },
    ],
  },
  {
    name: 'half-open-for-all',
    mistake: 'When the breaker has rested, it lets everybody through instead of one probe.',
    exam: 'breaker',
    edits: [
      {
        file: 'sql/queries/connections.sql',
        find: `      when breaker <> 'closed' then 'probe'`,
        replace: `      when breaker <> 'closed' then 'granted'`,
      },
    ],
  },
  {
    name: 'absent-once',
    mistake: 'The first read that does not find the record proves that it is not there.',
    exam: 'lies',
    edits: [
      { file: verdict, find: 'const requiredAbsences = 2;', replace: 'const requiredAbsences = 1;' },
      {
        file: verdict,
        find: `      const believableAfter = policy.lagMs + (action.state === 'unknown' ? policy.underWayMs : 0);`,
        replace: '      const believableAfter = 0;',
      },
    ],
  },
  {
    name: 'exit-at-once',
    mistake: 'SIGTERM ends the process without finishing what is under way.',
    exam: 'drain',
    edits: [
      {
        file: 'src/cli/stop.ts',
        find: '  const stop = (): void => stopping.abort();',
        replace: '  const stop = (): void => process.exit(0);',
      },
    ],
  },
  {
    name: 'field-not-compared',
    mistake: 'The last field of an action is never compared with what was read back.',
    exam: 'lies',
    edits: [
      {
        file: 'src/verify/compare.ts',
        find: '  return fields.filter((field) => sent[field]',
        replace: '  return fields.slice(0, -1).filter((field) => sent[field]',
      },
    ],
  },
  {
    name: 'ambiguous-is-rejected',
    mistake: 'A write without an answer is given up as refused.',
    exam: 'storm',
    edits: [
      {
        file: outcome,
        find: `        state: 'unknown',
        decision: 'read back before anything else',
        reason: outcome.reason,
        due_in_ms: ambiguousPauseMs,`,
        replace: `        state: 'rejected',
        decision: 'give up',
        reason: outcome.reason,`,
      },
    ],
  },
  {
    name: 'new-key-each-attempt',
    mistake: 'Every attempt has an idempotency key of its own.',
    exam: 'stale',
    edits: [
      {
        file: 'src/act/prepare.ts',
        find: 'requestKey: action.generation === 0 ? action.key : `${action.key}-${action.generation}`,',
        replace: 'requestKey: `${action.key}-${action.attempts}`,',
      },
    ],
  },
  {
    name: 'older-overtakes',
    mistake: 'An action does not wait for the older ones of its entity.',
    exam: 'lies',
    edits: [
      {
        file: lanes,
        find: 'and older.destination = actions.destination and older.sequence < actions.sequence and older.settled_at is null',
        replace:
          'and older.destination = actions.destination and older.sequence < actions.sequence and older.settled_at is null and false',
      },
    ],
  },
  {
    name: 'unsafe-resend',
    mistake: 'What can be written twice and was not answered is sent again once it is not found.',
    exam: 'storm',
    edits: [
      {
        file: verdict,
        find: `  if (policy.idempotency === 'none' && !answered) {`,
        replace: `  if (policy.idempotency === 'none' && !answered && action.attempts > 99) {`,
      },
    ],
  },
];
