import type { Destination, Signal } from '../config/model.ts';
import { ReadbackError } from '../errors.ts';
import type { Compiled } from '../openings.ts';
import type { Scope } from '../templates/index.ts';

/** Variables that every message has, whatever the signal. */
const always = ['now', 'message'];

/**
 * Variables that a destination uses and a signal's messages will not have. Said once for each place, with all the
 * signals concerned.
 *
 * @param columns what each of the destination's signals provides, its enrichments included
 */
export function missingVariables(
  { templates, leftTemplates, condition }: Compiled,
  columns: ReadonlyMap<string, readonly string[]>,
): ReadbackError[] {
  const found = new Map<string, { problem: ReadbackError; signals: string[] }>();
  const use = (variables: readonly string[], evaluate: (scope: Scope) => unknown): void => {
    for (const [signal, names] of columns) {
      const known = [...names, ...always];
      for (const problem of complaints(variables, known, evaluate)) {
        const entry = found.get(problem.format()) ?? { problem, signals: [] };
        entry.signals.push(signal);
        found.set(problem.format(), entry);
      }
    }
  };
  for (const template of new Set([...templates.values(), ...leftTemplates.values()]))
    use(template.variables, (scope) => template.render(scope));
  if (condition) use(condition.variables, (scope) => condition.test(scope));
  return [...found.values()].map(({ problem, signals }) => withSignals(problem, signals));
}

/**
 * A template checks its variables before anything else and knows where each stands, so it is asked itself: once for
 * each missing variable, with those already told filled in.
 */
function complaints(
  variables: readonly string[],
  known: readonly string[],
  evaluate: (scope: Scope) => unknown,
): ReadbackError[] {
  const filled: Record<string, unknown> = Object.fromEntries(known.map((name) => [name, '']));
  const problems: ReadbackError[] = [];
  for (const name of variables) {
    if (Object.hasOwn(filled, name)) continue;
    try {
      evaluate(filled);
    } catch (error) {
      if (!(error instanceof ReadbackError)) throw error;
      problems.push(error);
    }
    filled[name] = '';
  }
  return problems;
}

function withSignals(problem: ReadbackError, signals: readonly string[]): ReadbackError {
  const by = signals.length === 1 ? `signal ${signals[0]}` : `signals ${signals.join(', ')}`;
  return new ReadbackError('TEMPLATE', `${problem.message} by ${by}`, {
    place: problem.place,
    value: problem.value,
    hint: problem.hint,
  });
}

/** Which of a destination's signals could be described, and what each of them provides. */
export function providedColumns(
  destination: Destination,
  signals: ReadonlyMap<string, Signal>,
  signalColumns: ReadonlyMap<string, readonly string[]>,
  enrichmentColumns: ReadonlyMap<string, readonly string[]>,
): Map<string, string[]> {
  const provided = new Map<string, string[]>();
  const enrichments = destination.enrich.map((name) => enrichmentColumns.get(name));
  for (const name of destination.signals) {
    const own = signalColumns.get(name);
    const signal = signals.get(name);
    if (!own || !signal || enrichments.includes(undefined)) continue;
    const results = destination.after.length > 0 ? ['results'] : [];
    provided.set(name, [
      ...new Set([...signal.key, ...own, ...enrichments.flatMap((columns) => columns ?? []), ...results]),
    ]);
  }
  return provided;
}
