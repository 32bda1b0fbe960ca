import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Expected } from '../workload/workload.ts';
import { type Case, makeCase } from './judge.ts';
import type { LedgerAction } from './ledger.ts';
import { stepsDoubled, stepsFalse, stepsLost, stepsOutOfOrder, stepsUncalledFor } from './play.ts';
import type { Effect } from './truth.ts';

const second = 1_000;
const desks = [
  { name: 'tickets', kind: 'keyed' },
  { name: 'chat', kind: 'marker', step: { of: 'tickets', after: 'tickets' } },
  { name: 'crm', kind: 'upsert', step: { of: 'tickets', after: 'chat', compensates: true } },
] as const;

/** A step at a time in seconds, at a record of its own that the next step names. */
const effect = (at: number, desk: string, change: Partial<Effect> = {}): Effect => ({
  at: at * second,
  desk,
  request: at,
  record: `r-${desk}`,
  late: false,
  refers: { tickets: null, chat: 'r-tickets', crm: 'r-chat' }[desk] ?? null,
  entity: 'e-1',
  version: 1,
  token: 't-1',
  ...change,
});

const ended = (at: number, destination: string, state = 'verified'): LedgerAction => ({
  key: destination,
  signal: 'tickets_due',
  destination,
  entity: 'e-1',
  sequence: 1,
  transition: 'entered',
  state,
  reason: null,
  attempts: 1,
  external_id: null,
  detected_at: new Date(0).toISOString(),
  sent_at: new Date(0).toISOString(),
  accepted_at: null,
  settled_at: new Date(at * second).toISOString(),
});

/** What happened: at the desks, and what the ledger says of it. */
type Story = { effects: Effect[]; undos?: Effect[]; actions: LedgerAction[] };

const whole: Story = {
  effects: [effect(1, 'tickets'), effect(3, 'chat'), effect(5, 'crm')],
  actions: [ended(2, 'tickets'), ended(4, 'chat'), ended(6, 'crm')],
};
const undone: Story = {
  effects: whole.effects.slice(0, 2),
  undos: [effect(7, 'chat'), effect(9, 'tickets')],
  actions: [
    ...whole.actions.slice(0, 2),
    ended(6, 'crm', 'rejected'),
    ended(8, 'chat.undo'),
    ended(10, 'tickets.undo'),
  ],
};

function caseOf({ effects, undos = [], actions }: Story): Case {
  const expected = new Map<string, Expected>([['e-1', { desk: 'tickets', version: 1, tokens: ['t-1'] }]]);
  const truth = { effects, undos, unmarked: 0, writes: [], requests: new Map() };
  return makeCase(expected, desks, { actions, pairs: [] }, truth);
}

const judges = { stepsLost, stepsDoubled, stepsOutOfOrder, stepsUncalledFor, stepsFalse };

/** Which judges find something, and at which desks. */
function found(story: Story): Record<string, string[]> {
  const it = caseOf(story);
  const all = Object.entries(judges).map(
    ([name, judge]) => [name, judge(it).map(({ desk }) => desk)] as const,
  );
  return Object.fromEntries(all.filter(([, at]) => at.length > 0));
}

const without = (story: Story, destination: string): LedgerAction[] =>
  story.actions.filter((action) => action.destination !== destination);

test('a play that is whole, and one that is undone as a whole, have nothing wrong', () => {
  assert.deepEqual([found(whole), found(undone)], [{}, {}]);
});

const wrongs: [what: string, story: Story, found: Record<string, string[]>][] = [
  [
    'a step that begins before the one before it is verified',
    { ...whole, effects: [effect(1, 'tickets'), effect(3, 'chat'), effect(2, 'crm')] },
    { stepsOutOfOrder: ['crm'] },
  ],
  [
    'a step that nobody planned',
    { ...whole, effects: whole.effects.slice(0, 2), actions: without(whole, 'crm') },
    { stepsLost: ['crm'] },
  ],
  [
    'a step of which there are two',
    { ...whole, effects: [...whole.effects, effect(4, 'chat', { record: 'r-other' })] },
    { stepsDoubled: ['chat'] },
  ],
  [
    'a step that names another record than the one before it made',
    { ...whole, effects: [...whole.effects.slice(0, 2), effect(5, 'crm', { refers: 'r-other' })] },
    { stepsUncalledFor: ['crm'] },
  ],
  [
    'a step that is said to be there and is not',
    { ...whole, effects: whole.effects.slice(0, 2) },
    { stepsFalse: ['crm'] },
  ],
  [
    'a play that is undone although nothing failed',
    { ...whole, undos: undone.undos ?? [] },
    {
      stepsOutOfOrder: ['chat'],
      stepsUncalledFor: ['tickets', 'chat'],
    },
  ],
  [
    'a play that is called off and half undone',
    { ...undone, undos: [effect(7, 'chat')], actions: without(undone, 'tickets.undo') },
    { stepsLost: ['tickets'] },
  ],
  [
    'an undoing that is said to be done and is not',
    { ...undone, undos: [effect(7, 'chat')] },
    { stepsLost: ['tickets'], stepsFalse: ['tickets'] },
  ],
  [
    'an undoing that is done twice',
    { ...undone, undos: [...(undone.undos ?? []), effect(11, 'tickets')] },
    { stepsDoubled: ['tickets'] },
  ],
  [
    'what came first is undone first',
    { ...undone, undos: [effect(9, 'chat'), effect(7, 'tickets')] },
    { stepsOutOfOrder: ['tickets'] },
  ],
  [
    'a step that is taken after the one before it was undone',
    {
      ...undone,
      effects: [effect(1, 'tickets'), effect(3, 'chat')],
      undos: [effect(7, 'chat'), effect(2.5, 'tickets')],
    },
    { stepsOutOfOrder: ['tickets', 'chat'] },
  ],
];

for (const [what, story, expected] of wrongs)
  test(`the oracle sees ${what}`, () => {
    assert.deepEqual(found(story), expected);
  });
