import { closest } from '../../config/suggest.ts';
import { ReadbackError } from '../../errors.ts';
import { type ListedAction, listActions } from '../../ledger/listing.ts';
import { type ActionState, actionStates } from '../../ledger/state.ts';
import { type OutputOptions, type SelectOptions, splitList } from '../options.ts';
import { printRows, type Row, remark } from '../output.ts';
import { selectActions } from '../selection.ts';
import { count, openCommandLog, openProject, remarkProblems, withLedger } from '../session.ts';
import { parseSince } from '../since.ts';

interface Options extends OutputOptions, SelectOptions {
  state?: string;
  since: string;
  entity?: string[];
  limit?: number;
}

const columns = [
  'key',
  'signal',
  'destination',
  'entity',
  'sequence',
  'transition',
  'state',
  'reason',
  'attempts',
  'external_id',
  'detected_at',
  'sent_at',
  'accepted_at',
  'settled_at',
] as const satisfies (keyof ListedAction)[];

/** What fits a terminal. */
const tableColumns = [
  'detected_at',
  'signal',
  'entity',
  'transition',
  'destination',
  'state',
  'attempts',
  'external_id',
  'reason',
];
const tableRows = 100;

/** `readback actions`: every action of the ledger, printed while it is read. */
export async function execute(options: Options): Promise<number> {
  const states = options.state === undefined ? undefined : splitList(options.state).map(requireState);
  const since = parseSince(options.since);
  const project = await openProject(options);
  remarkProblems(project);
  const chosen = await selectActions(project, options);
  const asTable = options.output === 'table';
  const limit = options.limit ?? (asTable ? tableRows : undefined);
  return withLedger(project.root, openCommandLog(options), async ({ pool }) => {
    // One more than wanted tells whether there are more.
    const filter = { ...chosen, states, since, entities: options.entity, limit: limit && limit + 1 };
    const listed = await printRows(
      options.output,
      asTable ? tableColumns : columns,
      rowsOf(listActions(pool, filter)),
      limit,
    );
    if (listed.more) {
      remark(
        `the newest ${count(listed.printed, 'action')}; there are more: --limit ${listed.printed * 10}, or --output csv or json for all`,
      );
    } else if (asTable) {
      remark(count(listed.printed, 'action'));
    }
    return 0;
  });
}

async function* rowsOf(batches: AsyncIterable<ListedAction[]>): AsyncGenerator<Row[]> {
  for await (const batch of batches) yield batch.map(toRow);
}

/** In the order of the columns, which is also that of the JSON keys. */
function toRow(action: ListedAction): Row {
  const cells = columns.map((column) => {
    const value = action[column];
    return [column, value instanceof Date ? value.toISOString() : value];
  });
  return Object.fromEntries(cells) as Row;
}

function requireState(state: string): ActionState {
  const known = actionStates.find((one) => one === state);
  if (known) return known;
  const guess = closest(state, actionStates);
  throw new ReadbackError('USAGE', '--state names no state of an action', {
    value: state,
    hint: guess ? `did you mean ${guess}?` : `use ${actionStates.join(', ')}`,
  });
}
