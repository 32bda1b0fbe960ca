import type { Signal } from '../../src/config/model.ts';
import { loadProject } from '../../src/config/project.ts';
import { runPoll } from '../../src/engine/polls.ts';
import { move } from '../../src/ledger/action.ts';
import { openLog } from '../../src/log.ts';
import { Openings } from '../../src/openings.ts';
import { Pipeline } from '../../src/pipeline.ts';
import { openDatabase } from '../../src/store/database.ts';
import { migrate } from '../../src/store/migrate.ts';
import { takeLane } from '../helpers/lane.ts';
import type { RunningOptions } from './engine.ts';
import { fillLedger, planClaimed } from './history-rows.ts';
import type { Polled } from './poll.ts';
import { serve } from './serve.ts';

/** Actions taken at a time, as a lane worker does. */
const chunk = 500;

export interface Claimed {
  seconds: number;
  actions: number;
}

/** One ledger's polls and claims, without queue and dispatcher: nobody works what is planned but the claim that is measured. */
serve<RunningOptions>(async ({ root, url, env }) => {
  const project = await loadProject(root, { env });
  if (project.problems.length > 0) throw new Error(project.problems.map((one) => one.format()).join('\n'));
  const log = openLog('warn');
  const database = await openDatabase({ url, root, log });
  const { pool } = database;
  await migrate(pool);
  const openings = new Openings(project, pool);
  const pipeline = new Pipeline(project, pool, openings, log);
  const signal = project.signals.get('customers') as Signal;
  const { signal: never } = new AbortController();

  const poll = async (expected: string): Promise<Polled> => {
    const started = performance.now();
    const request = { cause: 'manual' as const, scheduledFor: null, only: [], signal: never };
    const { state, reason, changed } = await runPoll(pipeline, pool, signal, request, log);
    if (state !== expected) throw new Error(`poll ${state}: ${reason}`);
    return { seconds: (performance.now() - started) / 1000, changed };
  };

  /** What the ledger does for actions that are sent, answered and read back, without the calls. */
  const claim = async (): Promise<Claimed> => {
    const started = performance.now();
    const lane = await takeLane(pool, 'claimed');
    let actions = 0;
    for (;;) {
      const due = await lane.due(chunk);
      if (due.length === 0) return { seconds: (performance.now() - started) / 1000, actions };
      await lane.commitIntents(
        due.map((action) => ({
          action,
          intent: { key: action.key, sent: { email: '0123456789abcdef' }, locator: {} },
        })),
      );
      const sent = due.map((action) => ({ ...action, state: 'sending' as const }));
      const write = {
        kind: 'write' as const,
        outcome: 'applied',
        decision: 'verify',
        duration_ms: 20,
        due_in_ms: 0,
      };
      const accepted = sent.map((action) =>
        move(action, { ...write, state: 'accepted', accepted: true, external_id: '1' }),
      );
      const taken = due.map((action) => ({ ...action, state: 'accepted' as const }));
      const read = { kind: 'read' as const, outcome: 'found', decision: 'done', duration_ms: 20 };
      await lane.record([
        ...accepted,
        ...taken.map((action) => move(action, { ...read, state: 'verified' })),
      ]);
      actions += due.length;
    }
  };

  return {
    steps: {
      baseline: () => poll('baseline'),
      fill: async (rows) => fillLedger(pool, rows as number),
      poll: () => poll('done'),
      plan: async (count) => planClaimed(pool, count as number),
      claim,
    },
    close: async () => {
      await openings.close();
      await database.close();
    },
  };
});
