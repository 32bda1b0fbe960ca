import type { Project } from '../../config/model.ts';
import { closest } from '../../config/suggest.ts';
import { ReadbackError } from '../../errors.ts';
import { type DeadLetter, findDeadLetters, retryDeadLetters } from '../../ledger/commands.ts';
import { type ActionState, deadLetterStates } from '../../ledger/state.ts';
import { type OutputOptions, type SelectOptions, splitList } from '../options.ts';
import { formatRows, print, type Row, remark } from '../output.ts';
import { selectActions } from '../selection.ts';
import { count, openCommandLog, openProject, remarkProblems, withLedger } from '../session.ts';

interface Options extends OutputOptions, SelectOptions {
  only?: string[];
  state: string;
  preview?: boolean;
}

const columns = ['signal', 'entity', 'destination', 'state', 'attempts', 'detected_at', 'reason', 'retry'];

/** `readback retry`: dead letters become due again; with `--preview` they are only listed. */
export async function execute(options: Options): Promise<number> {
  const states = splitList(options.state).map(requireState);
  const project = await openProject(options);
  remarkProblems(project);
  const chosen = await selectActions(project, options);
  const log = openCommandLog(options);
  return withLedger(project.root, log, async ({ pool }) => {
    const letters = await findDeadLetters(pool, {
      states,
      // What is no longer in the project cannot be sent.
      signals: chosen.signals ?? [...project.signals.keys()],
      destinations: chosen.destinations ?? [...project.destinations.keys()],
      only: options.only ?? [],
    });
    if (letters.length > 0 || options.output !== 'table') {
      print(formatRows(options.output, columns, letters.map(toRow)));
    }
    if (options.preview) {
      remark(`${count(letters.length, 'dead letter')}; nothing was changed`);
      return 0;
    }
    const retried = await retryDeadLetters(pool, letters, ttlsOf(project));
    remark(
      retried === 0
        ? 'nothing to retry'
        : `${count(retried, 'action')} due again; \`run\` or \`start\` sends them`,
    );
    return 0;
  });
}

function requireState(state: string): ActionState {
  const known = deadLetterStates.find((one) => one === state);
  if (known) return known;
  const guess = closest(state, deadLetterStates);
  throw new ReadbackError('USAGE', '--state names no state that can be retried', {
    value: state,
    hint: guess ? `did you mean ${guess}?` : `use ${deadLetterStates.join(', ')}`,
  });
}

function ttlsOf(project: Project): Map<string, number> {
  return new Map([...project.destinations.values()].map(({ name, ttlMs }) => [name, ttlMs]));
}

function toRow(letter: DeadLetter): Row {
  const { signal, entity, destination, state, attempts, reason, overtaken } = letter;
  return {
    signal,
    entity,
    destination,
    state,
    attempts,
    detected_at: letter.detected_at.toISOString(),
    reason,
    retry: overtaken ? 'no: a newer transition of the entity went there' : 'yes',
  };
}
