import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { aDestination, aSignal } from '../helpers/signal.ts';
import { LedgerUnderTest, type Model } from './ledger-model.ts';
import { openPolled, type Polled, type Scores, type Trouble } from './polled.ts';

let polled: Polled;
before(async () => {
  polled = await openPolled();
});
after(() => polled.close());

type Step = fc.AsyncCommand<Model, LedgerUnderTest>;

/** A command that does something to the ledger and then looks whether everything still holds. */
function step(name: string, act: (ledger: LedgerUnderTest) => Promise<void> | void): Step {
  return {
    check: () => true,
    run: async (_model, ledger) => {
      await act(ledger);
      await ledger.check();
    },
    toString: () => name,
  };
}

const small = fc.nat(20);
const scores = fc
  .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(1, 2, 3)), { maxLength: 3 })
  .map((pairs): Scores => new Map(pairs));
const side = fc.constantFrom('signal' as const, 'destination' as const);

const trouble = fc.constantFrom<Trouble[]>('none', 'none', 'none', 'crash', 'again');

const poll = fc
  .tuple(scores, trouble)
  .map(([rows, luck]) =>
    step(`poll ${JSON.stringify([...rows])}, trouble: ${luck}`, (ledger) => ledger.poll(rows, luck)),
  );
const take = small.map((destination) =>
  step(`take lane of ${destination}`, (ledger) => ledger.take(destination)),
);
const send = small.map((worker) => step(`send by ${worker}`, (ledger) => ledger.send(worker)));
const record = fc
  .tuple(small, fc.array(small, { minLength: 1, maxLength: 4 }))
  .map(([worker, outcomes]) =>
    step(`record ${outcomes} by ${worker}`, (ledger) => ledger.record(worker, outcomes)),
  );

const turn = fc
  .tuple(small, fc.array(small, { minLength: 1, maxLength: 4 }))
  .map(([destination, outcomes]) =>
    step(`turn on ${destination}: ${outcomes}`, (ledger) => ledger.turn(destination, outcomes)),
  );

const commands: fc.Arbitrary<Step>[] = [
  turn,
  turn,
  poll,
  poll,
  take,
  send,
  record,
  record,
  small.map((worker) => step(`crash of ${worker}`, (ledger) => ledger.crash(worker))),
  small.map((worker) => step(`${worker} lets go`, (ledger) => ledger.letGo(worker))),
  fc
    .tuple(side, small)
    .map(([kind, which]) => step(`pause ${kind} ${which}`, (ledger) => ledger.pause(kind, which))),
  fc
    .tuple(side, small)
    .map(([kind, which]) => step(`resume ${kind} ${which}`, (ledger) => ledger.resume(kind, which))),
  fc.constant(step('retry', (ledger) => ledger.retry())),
];

test('the sum holds, ends are ends and a stale epoch writes nothing, whatever happens in whatever order', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (steps) => {
      run += 1;
      const table = await polled.table();
      const signal = aSignal({
        name: `model_${run}`,
        sql: `select id, score from ${table}`,
        on: ['entered', 'changed', 'left'],
        track: ['score'],
        backfill: 'all',
        guard: { maxNew: undefined, maxNewRatio: undefined, maxAgeMs: undefined, allowEmpty: true },
      });
      const destinations = [
        aDestination({ name: `tickets_${run}`, on: ['entered', 'left'], lanes: 1 }),
        aDestination({ name: `contacts_${run}`, on: ['entered', 'changed'], lanes: 1 }),
      ];
      await fc.asyncModelRun(() => {
        const ledger = new LedgerUnderTest(polled, table, signal, destinations);
        return { model: ledger.model, real: ledger };
      }, steps);
    }),
    { numRuns: 30 },
  );
});
