import type { Project } from '../config/model.ts';
import { suggest } from '../config/suggest.ts';
import { ReadbackError } from '../errors.ts';
import { draftMessage, type Move, type PreviewedEntity, previewMessages } from '../preview.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import { compareActions, compareTransitions, type Difference } from './compare.ts';
import type { Given, UnitTest } from './definition.ts';
import { projectWith } from './inputs.ts';
import { movesBetween } from './moves.ts';

type OpenWarehouse = (name: string) => Promise<Warehouse>;

/** What a test's rows come to. */
export interface Happening {
  moves: Move[];
  entities: PreviewedEntity[];
}

/**
 * Runs one test in the warehouses of its project, on nothing but the rows that are given.
 *
 * @throws ReadbackError when it cannot be run, with the place in the test's file
 */
export async function runUnitTest(
  project: Project,
  test: UnitTest,
  open: OpenWarehouse,
): Promise<Difference[]> {
  try {
    requireNames(project, test);
    const { moves, entities } = await happening(project, test, open);
    return [...compareTransitions(test, moves), ...compareActions(test, entities)];
  } catch (error) {
    if (!(error instanceof ReadbackError)) throw error;
    const { code, message, value, hint, place } = error;
    // A position in the statement that ran is none in a file.
    throw new ReadbackError(code, message, {
      place: place?.file ? place : test.signalPlace,
      value,
      hint,
      cause: error,
    });
  }
}

/** The transitions between `before` and `given`, and what the test's destinations would be sent. */
export async function happening(project: Project, test: UnitTest, open: OpenWarehouse): Promise<Happening> {
  const now = await projectWith(test.given, test, project, open);
  const earlier = test.before && (await projectWith(asBefore(test.given, test.before), test, project, open));
  const warehouse = await open(now.signal.warehouse);
  const moves = await movesBetween(now.signal, earlier?.signal, warehouse, test.now ?? new Date());
  const drafts = moves.map((move) => draftMessage(now.signal, project.name, move));
  return { moves, entities: await previewMessages(now.project, now.signal, open, drafts) };
}

/** What `before` does not name held the same. */
function asBefore(given: readonly Given[], before: readonly Given[]): Given[] {
  const stray = before.find((one) => !given.some(({ input }) => input === one.input));
  if (stray)
    throw new ReadbackError('CONFIG_REFERENCE', `\`${stray.input}\` is not under given:`, {
      place: stray.place,
      hint: `known here: ${given.map(({ input }) => input).join(', ')}`,
    });
  return given.map((one) => {
    const earlier = before.find(({ input }) => input === one.input);
    return earlier ? { ...earlier, columns: earlier.columns ?? one.columns } : one;
  });
}

function requireNames(project: Project, test: UnitTest): void {
  if (!project.signals.has(test.signal))
    throw new ReadbackError('CONFIG_REFERENCE', `there is no usable signal \`${test.signal}\``, {
      place: test.signalPlace,
      hint: suggest(test.signal, project.signals.keys()),
    });
  const known = [...project.destinations.values()].filter(({ signals }) => signals.includes(test.signal));
  for (const [name, { place }] of test.actions)
    if (!known.some((one) => one.name === name))
      throw new ReadbackError('CONFIG_REFERENCE', `no destination \`${name}\` acts on ${test.signal}`, {
        place,
        hint: suggest(
          name,
          known.map((one) => one.name),
        ),
      });
}
