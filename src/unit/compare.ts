import { transitions } from '../config/model.ts';
import type { Place } from '../errors.ts';
import type { Move, PreviewedAction, PreviewedEntity } from '../preview.ts';
import type { ExpectedAction, UnitTest } from './definition.ts';

/** One thing that was expected and is otherwise. */
export interface Difference {
  place: Place;
  /** What is spoken of, as `crm_contact C-1 plan`. */
  about: string;
  expected: string;
  found: string;
}

const nothing = 'nothing';

/** The transitions that are not those expected. */
export function compareTransitions(
  { transitions: expected }: UnitTest,
  moves: readonly Move[],
): Difference[] {
  if (!expected) return [];
  const found = new Map(moves.map(({ entity, transition }) => [entity, transition]));
  const differences: Difference[] = [];
  for (const transition of transitions)
    for (const { entity, place } of expected.entities[transition]) {
      const actual = found.get(entity);
      if (actual !== transition)
        differences.push({ place, about: entity, expected: transition, found: actual ?? nothing });
    }
  const known = new Set(transitions.flatMap((one) => expected.entities[one].map(({ entity }) => entity)));
  for (const [entity, transition] of found)
    if (!known.has(entity))
      differences.push({ place: expected.place, about: entity, expected: nothing, found: transition });
  return differences;
}

/** The payloads that are not those expected, field by field. Only destinations that the test names are compared. */
export function compareActions({ actions }: UnitTest, entities: readonly PreviewedEntity[]): Difference[] {
  return [...actions].flatMap(([destination, expected]) => {
    const found = new Map(
      entities.map((one) => [one.entity, one.actions.find((action) => action.destination === destination)]),
    );
    const differences = expected.actions.flatMap((one) =>
      compareAction(destination, one, found.get(one.entity)),
    );
    const known = new Set(expected.actions.map(({ entity }) => entity));
    for (const [entity, action] of found)
      if (!known.has(entity) && (action?.outcome === 'send' || action?.outcome === 'refused'))
        differences.push({
          place: expected.place,
          about: `${destination} ${entity}`,
          expected: nothing,
          found: outcomeText(action),
        });
    return differences;
  });
}

function compareAction(
  destination: string,
  { entity, place, fields }: ExpectedAction,
  action: PreviewedAction | undefined,
): Difference[] {
  const about = `${destination} ${entity}`;
  if (action?.outcome !== 'send')
    return [{ place, about, expected: 'send', found: action ? outcomeText(action) : 'no transition' }];
  const sent = new Map(Object.entries(action.fields));
  const wrong = [...fields].flatMap(([field, { text, place }]) => {
    const found = sent.get(field);
    if (found === text) return [];
    return [
      {
        place,
        about: `${about} ${field}`,
        expected: shown(text),
        found: found === undefined ? nothing : shown(found),
      },
    ];
  });
  const unexpected = [...sent]
    .filter(([field]) => !fields.has(field))
    .map(([field, text]) => ({ place, about: `${about} ${field}`, expected: nothing, found: shown(text) }));
  return [...wrong, ...unexpected];
}

/** Quoted, so that a blank or a line break shows. */
function shown(text: string): string {
  return JSON.stringify(text);
}

function outcomeText(action: PreviewedAction): string {
  if (action.outcome !== 'send') return `${action.outcome}: ${action.reason}`;
  return `send ${JSON.stringify(action.fields)}`;
}
