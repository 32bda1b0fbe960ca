import type pg from 'pg';
import type { Project, Signal } from '../config/model.ts';
import { failedPoll, type PollResult } from '../detect/poll.ts';
import type { Openings } from '../openings.ts';
import { previewCost } from '../preview.ts';
import type { PlannedAction } from './action.ts';
import { lookAt } from './look.ts';
import { type RehearsalOptions, rehearse } from './rehearse.ts';

/** What the next poll of a signal would do. */
export interface SignalPlan {
  signal: string;
  poll: PollResult;
  /** Actions of earlier polls that it would overtake. */
  superseded: number;
  /** Actions by destination: all of them, also beyond the limit. */
  detected: Map<string, number>;
  /** Those looked at. */
  actions: PlannedAction[];
  /** The most that one read of the members would scan; undefined where reading costs nothing. */
  scanned?: bigint | undefined;
}

export interface PlanOptions extends RehearsalOptions {
  onProgress(done: number, total: number): void;
}

/**
 * What a poll would do now: the poll itself, rolled back, and then the destinations asked what they hold. Writes to no
 * destination, and to the ledger only what the connections' budgets and breakers need. A fault of the user's is in `poll`.
 */
export async function planSignal(
  project: Project,
  signal: Signal,
  ledger: pg.Pool,
  openings: Openings,
  options: PlanOptions,
): Promise<SignalPlan> {
  try {
    const scanned = await previewCost(signal, (name) => openings.warehouse(name));
    const { actions, ...rehearsed } = await rehearse(project, signal, ledger, openings, options);
    const looked = await lookAt(project, signal, ledger, openings, actions, options);
    return { signal: signal.name, ...rehearsed, actions: looked, scanned };
  } catch (error) {
    const poll = failedPoll(error, signal);
    return { signal: signal.name, poll, superseded: 0, detected: new Map(), actions: [] };
  }
}
