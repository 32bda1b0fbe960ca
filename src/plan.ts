import type pg from 'pg';
import { intentOf } from './act/prepare.ts';
import type { Destination, Project, Signal } from './config/model.ts';
import { subscribers } from './config/play.ts';
import { undosOf } from './config/undo.ts';
import type { ActionType } from './connectors/connector.ts';
import { withPollLock } from './detect/lock.ts';
import { failedPoll, type PollResult, poll, skippedPoll } from './detect/poll.ts';
import { emit } from './emit/emit.ts';
import type { MessageRow } from './emit/message.ts';
import { ReadbackError } from './errors.ts';
import type { Intent } from './ledger/lane.ts';
import type { ActionState } from './ledger/state.ts';
import { batchesOf } from './ledger/wave.ts';
import type { Openings } from './openings.ts';
import { type PreviewedAction, previewCost, previewMessages } from './preview.ts';
import { queries } from './store/queries.ts';
import { type Foreseen, foresee } from './verify/foresee.ts';

/** What would become of an action, in the order in which a table shows it. */
export const effects = [
  'create',
  'update',
  'no_change',
  'suppressed',
  'held',
  'waits',
  'refused',
  'unknown',
] as const;
export type Effect = (typeof effects)[number];

export interface PlannedAction {
  destination: string;
  entity: string;
  transition: string;
  effect: Effect;
  /** Fields in which the destination's record differs. */
  fields: string[];
  reason: string | null;
  /** False: the destination should have been asked and gave no proper answer. */
  answered: boolean;
}

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

export interface PlanOptions {
  only: readonly string[];
  /** The most messages that are looked at. */
  limit: number;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/** An action that the rehearsal planned. */
interface Rehearsed {
  key: string;
  message: string;
  destination: string;
  entity: string;
  sequence: number;
  transition: MessageRow['transition'];
  state: ActionState;
  reason: string | null;
  observed_at: Date | null;
  detected_at: Date;
}

interface Rehearsal {
  poll: PollResult;
  superseded: number;
  detected: Map<string, number>;
  actions: Rehearsed[];
}

interface Pair {
  destination: string;
  detected: number;
}

const sql = queries('detect');

/** Messages rendered at a time; what is kept of them are digests, not rows. */
const renderedAtOnce = 500;

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
    const looked = await lookAt(project, signal, openings, actions, options);
    return { signal: signal.name, ...rehearsed, actions: looked, scanned };
  } catch (error) {
    const poll = failedPoll(error, signal);
    return { signal: signal.name, poll, superseded: 0, detected: new Map(), actions: [] };
  }
}

/** The poll and what it would plan, in a transaction that is rolled back; nobody else polls the signal meanwhile. */
async function rehearse(
  project: Project,
  signal: Signal,
  ledger: pg.Pool,
  openings: Openings,
  { only, limit, signal: abort }: PlanOptions,
): Promise<Rehearsal> {
  const destinations = subscribers(project, signal);
  const undos = undosOf(project.destinations, destinations);
  const warehouse = await openings.warehouse(signal.warehouse);
  return withPollLock(ledger, signal, async (client, locked) => {
    const found: Omit<Rehearsal, 'poll'> = { superseded: 0, detected: new Map(), actions: [] };
    if (!locked) return { ...found, poll: skippedPoll('another process is polling this signal') };
    const result = await poll(client, warehouse, signal, {
      only,
      signal: abort,
      rehearse: true,
      emit: async (tx) => {
        const id = await startPoll(tx, signal);
        found.superseded = (await emit(tx, project.name, id, signal, destinations, undos)).superseded;
        found.actions = await sql.run<Rehearsed>(tx, 'rehearsed_actions', { limit });
        const pairs = await sql.run<Pair>(tx, 'rehearsed_pairs', { poll: id });
        found.detected = new Map(pairs.map(({ destination, detected }) => [destination, detected]));
      },
    });
    return { ...found, poll: result };
  });
}

async function startPoll(client: pg.PoolClient, signal: Signal): Promise<string> {
  const begun = await sql.one<{ id: string }>(client, 'start_poll', {
    signal: signal.name,
    scheduled_for: null,
    cause: 'manual',
  });
  if (!begun) throw new Error('two polls of one signal began in the same microsecond');
  return begun.id;
}

/** Renders what was planned, and asks the destinations about what would be sent. */
async function lookAt(
  project: Project,
  signal: Signal,
  openings: Openings,
  actions: readonly Rehearsed[],
  { signal: abort, onProgress }: PlanOptions,
): Promise<PlannedAction[]> {
  const looked = new Map<string, PlannedAction>();
  const asked = new Map<string, Asked[]>();
  const open = (name: string) => openings.warehouse(name);
  for (const batch of batchesOf(messagesOf(signal, actions), renderedAtOnce)) {
    const previewed = await previewMessages(
      project,
      signal,
      open,
      batch.map(({ draft }) => draft),
    );
    const sent = new Map(previewed.map((one) => [one.entity, one.actions]));
    for (const action of batch.flatMap((one) => one.actions)) {
      const preview = sent.get(action.entity)?.find(({ destination }) => destination === action.destination);
      const decided = preview && decide(project, action, preview);
      if (!decided) throw new Error(`${action.destination} is not among the subscribers of ${signal.name}`);
      if ('effect' in decided) looked.set(action.key, decided);
      else pushTo(asked, action.destination, decided);
    }
  }
  onProgress(looked.size, actions.length);
  for (const [name, items] of asked) {
    const foreseen = await askDestination(project, openings, name, items, abort, (answered) =>
      onProgress(looked.size + answered, actions.length),
    );
    for (const { action } of items) looked.set(action.key, fromForeseen(action, foreseen.get(action.key)));
  }
  return actions.flatMap(({ key }) => looked.get(key) ?? []);
}

/** An action whose destination is to be asked. */
interface Asked {
  action: Rehearsed;
  intent: Intent;
}

/** Messages with their actions. */
function messagesOf(
  signal: Signal,
  actions: readonly Rehearsed[],
): { draft: MessageRow; actions: Rehearsed[] }[] {
  const { name, version, severity } = signal;
  const messages = new Map<string, Rehearsed[]>();
  for (const action of actions) pushTo(messages, action.message, action);
  return [...messages.values()].map((own) => {
    const { message, entity, sequence, transition, observed_at, detected_at } = own[0] as Rehearsed;
    const row = { entity, sequence, transition, observed_at, detected_at };
    return { draft: { id: message, signal: name, version, severity, ...row }, actions: own };
  });
}

function pushTo<Value>(lists: Map<string, Value[]>, name: string, value: Value): void {
  const list = lists.get(name);
  if (list) list.push(value);
  else lists.set(name, [value]);
}

/** What is known without asking, or what to ask with. */
function decide(project: Project, action: Rehearsed, preview: PreviewedAction): PlannedAction | Asked {
  const is = (effect: Effect, reason: string | null) => planned(action, { effect, reason });
  if (action.state === 'suppressed' || action.state === 'held') return is(action.state, action.reason);
  if (preview.outcome === 'refused') return is('refused', preview.reason);
  if (preview.outcome !== 'send') return is('suppressed', preview.reason);
  const { destination, type } = targetOf(project, action.destination);
  // Its record, or what it says, depends on what the steps before it will have done.
  if (destination.after.length > 0) return is('waits', `comes after ${destination.after.join(', ')}`);
  if (type.unverifiable !== undefined) return is('unknown', type.unverifiable);
  return { action, intent: intentOf(action.key, destination, type, preview.fields) };
}

function targetOf(project: Project, name: string): { destination: Destination; type: ActionType } {
  const destination = project.destinations.get(name);
  const type = destination && project.connections.get(destination.connection)?.actions[destination.action];
  if (!destination || !type) throw new Error(`there is no usable destination ${name}`);
  return { destination, type };
}

async function askDestination(
  project: Project,
  openings: Openings,
  name: string,
  items: readonly Asked[],
  abort: AbortSignal,
  onAnswered: (answered: number) => void,
): Promise<Map<string, Foreseen>> {
  try {
    const { destination } = targetOf(project, name);
    const { client, gate, type, timeoutMs } = await openings.destination(destination);
    const asker = { destination, client, gate, type, call: { signal: abort, timeoutMs } };
    let answered = 0;
    return await foresee(
      asker,
      items.map(({ intent }) => intent),
      (more) => {
        answered += more;
        onAnswered(answered);
      },
    );
  } catch (error) {
    if (!(error instanceof ReadbackError)) throw error;
    const unknown = { effect: 'unknown' as const, reason: error.format(), answered: false };
    return new Map(items.map(({ action }) => [action.key, unknown]));
  }
}

function fromForeseen(action: Rehearsed, foreseen: Foreseen | undefined): PlannedAction {
  if (!foreseen) throw new Error(`nothing was foreseen for ${action.key}`);
  return planned(action, foreseen);
}

function planned(
  { destination, entity, transition }: Rehearsed,
  known: Pick<PlannedAction, 'effect'> & Partial<PlannedAction>,
): PlannedAction {
  return { destination, entity, transition, fields: [], reason: null, answered: true, ...known };
}
