import { deskKinds } from '../standins/config.ts';
import type { Action, Cell, Of } from './failpoints.ts';

/**
 * Where something is made permanent, here or at a desk: each statement that commits by itself, the begin and the commit of
 * a poll, the commit of a tick, each request. The names are those of the product's statements, as they are on the wire.
 */
export const points = [
  'commit_tick',
  'start_poll',
  'begin_poll',
  'commit_poll',
  'finish_poll',
  'take_lane',
  'adopt_orphans',
  'draw',
  'commit_intents',
  'http_write',
  'record',
  'http_read',
  'pause',
  'report_failure',
  'report_success',
  'let_go',
] as const;

/** Where a play is called off: the transaction that ends the compensating step. */
const callingOff = ['call_off', 'plan_undo', 'commit_undo'] as const;

/** Each point of the drill of plays. */
export const playPoints = [...points, ...callingOff] as const;

/** What is said to Postgres for a class and is no point of the drill, and why. */
export const others: Readonly<Record<string, string>> = {
  ...reasons('only asks', [
    'try_lock',
    'known_signal',
    'known_digests',
    'known_entities',
    'present_entities',
    'old_snapshots',
    'count_members',
    'last_tick',
    'due',
    'lane_held',
    'parents',
    'steps',
    'faults_in_incoming',
    'processes',
    'polls',
    'work',
    'lanes',
    'stuck',
    'cutoff',
    'sum_members',
    'known_signals',
  ]),
  ...reasons('commits together with the rest of its poll or tick', [
    'register_signal',
    'forget_set',
    'find_moves',
    'find_told_moves',
    'count_moves',
    'apply_moves',
    'forget_buckets',
    'store_buckets',
    'store_told_buckets',
    'mark_baselined',
    'emit_messages',
    'count_fresh',
    'supersede',
    'plan_actions',
    'number_moves',
    'claim_tick',
  ]),
  ...reasons('a temporary table, which dies with its session', [
    'create_incoming',
    'create_moves',
    'create_fresh',
    'clear_tables',
    'clear_moves',
    'delete_moves',
    'copy_incoming',
    'analyze_incoming',
  ]),
  ...reasons('says the same at every start, before any work', [
    'register_destination',
    'register_connection',
  ]),
  ...reasons('takes away what has long ended, step by step, and is done again by whoever comes next', [
    'lock_step',
    'hold_numbering',
    'prune_messages',
    'prune_polls',
    'delete_polls',
    'forget_entities',
  ]),
  ...reasons('of plays, which have a drill of their own', callingOff),
  announce_snapshot: 'a table of the warehouse that may never be made',
  forget_snapshot: 'a table that is dropped already',
  forget_poll: 'a poll that a drain cut off and rolled back',
  unlock: 'a lock of the session, which dies with it',
  give_back: 'a permit not given back is free again when its time is over',
};

function reasons(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

const actions: readonly Action[] = ['kill', 'throw', 'stop'];

/** Every point × when × action × class. */
export const allCells: readonly Cell[] = points.flatMap((point) =>
  (['before', 'after'] as const).flatMap((when) =>
    actions.flatMap((action) => deskKinds.map((kind): Cell => `${point}-${when}-${action}-${kind}`)),
  ),
);

/** For `npm test`: the places where most is at stake, each action and each class. */
export const fewCells: readonly Cell[] = [
  'commit_poll-after-kill-upsert',
  'commit_poll-before-throw-marker',
  'commit_intents-after-kill-plain',
  'commit_intents-after-stop-marker',
  'http_write-after-kill-marker',
  'http_write-after-throw-plain',
  'http_write-before-stop-keyed',
  'record-before-kill-keyed',
  'record-before-throw-upsert',
  'record-before-stop-upsert',
];

/** What any action passes, whatever it is a step of. */
const polling = ['commit_tick', 'start_poll', 'commit_poll', 'finish_poll'] as const;
const working = ['take_lane', 'adopt_orphans', 'commit_intents', 'http_write', 'record', 'let_go'] as const;
const reading = ['steps', 'http_read'] as const;

/** Every point that a step of a play passes, by what it is; `keyed` is the first step, `upsert` the one that compensates. */
const ofSteps: readonly [points: readonly string[], of: Of][] = [
  [[...polling, ...working], 'keyed'],
  [[...working, ...reading], 'marker'],
  [[...working, ...reading, ...callingOff], 'upsert'],
  [[...working, ...reading], 'plain'],
  [[...working, ...reading], 'undo'],
];

/** Every point of every step × when × action. */
export const playCells: readonly Cell[] = ofSteps.flatMap(([own, of]) =>
  own.flatMap((point) =>
    (['before', 'after'] as const).flatMap((when) =>
      actions.map((action): Cell => `${point}-${when}-${action}-${of}`),
    ),
  ),
);

/** For `npm test`: between the steps, and while a play is called off. No stops, which take 20 s each. */
export const fewPlayCells: readonly Cell[] = [
  'http_write-after-kill-keyed',
  'record-after-kill-keyed',
  'record-after-kill-marker',
  'commit_undo-before-kill-upsert',
  'commit_undo-after-kill-upsert',
  'call_off-after-throw-upsert',
  'http_write-after-kill-undo',
  'record-after-throw-undo',
];

export const actionOf = (cell: Cell): Action =>
  actions.find((action) => cell.includes(`-${action}-`)) ?? 'kill';
export const pointOf = (cell: Cell): string => cell.split('-')[0] ?? '';
