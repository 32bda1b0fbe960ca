import ms from 'ms';
import { ReadbackError } from '../errors.ts';
import type { Draft } from './destination.ts';
import { linkKeys } from './link-keys.ts';
import { type Complain, checkParent } from './link-parent.ts';
import { checkPlay } from './link-play.ts';
import { checkResults } from './link-results.ts';
import type { Destination } from './model.ts';
import type { Parts } from './parts.ts';
import { suggest } from './suggest.ts';
import { undoings } from './undo.ts';

/** What was left out only because something it needs is broken. */
type Waiting = Map<string, string[]>;

const defaultTtlMs = ms('24h');

/** Holds the files against each other and answers the destinations that can run. Removes what cannot from the parts. */
export function link(parts: Parts, problems: ReadbackError[]): Map<string, Destination> {
  const waiting: Waiting = new Map();
  const wait = (cause: string, name: string): void => {
    waiting.set(cause, [...(waiting.get(cause) ?? []), name]);
  };
  for (const [name, { warehouse, file }] of parts.signals.loaded)
    if (!parts.warehouses.has(warehouse)) {
      parts.signals.loaded.delete(name);
      wait(`warehouse \`${warehouse}\``, file);
    }
  refuseSnapshots(parts, problems);
  for (const [name, { warehouse, file }] of parts.enrichments.loaded)
    if (!parts.warehouses.has(warehouse)) {
      parts.enrichments.loaded.delete(name);
      wait(`warehouse \`${warehouse}\``, file);
    }
  const destinations = new Map<string, Destination>();
  for (const [name, draft] of parts.drafts.loaded) {
    const before = problems.length;
    checkReferences(draft, parts, problems);
    if (problems.length > before) continue;
    const cause = whatIsBroken(draft.destination, parts);
    if (cause !== undefined) wait(cause, draft.destination.file);
    else destinations.set(name, finished(draft, parts));
  }
  linkKeys(destinations, parts, problems);
  dropOrphans(destinations, wait);
  for (const undoing of undoings(destinations, parts.connections)) destinations.set(undoing.name, undoing);
  for (const [cause, files] of waiting)
    problems.push(
      new ReadbackError('CONFIG_REFERENCE', `left out because ${cause} has problems: ${files.join(', ')}`, {
        place: { file: files[0] ?? 'readback.yml' },
        hint: 'solve the problems above; these files are fine by themselves',
      }),
    );
  return destinations;
}

/** Where the warehouse has no place for snapshots, `diff: warehouse` cannot be. */
function refuseSnapshots({ signals, warehouses }: Parts, problems: ReadbackError[]): void {
  for (const [name, { diff, warehouse, file, places }] of signals.loaded) {
    const why = diff === 'warehouse' ? warehouses.get(warehouse)?.noSnapshots : undefined;
    if (why === undefined) continue;
    signals.loaded.delete(name);
    problems.push(
      new ReadbackError(
        'CONFIG_VALUE',
        `warehouse \`${warehouse}\` cannot be used with \`diff: warehouse\`: ${why}`,
        {
          place: { file, ...places.get('diff') },
          hint: 'write `diff: digest`, or give the warehouse such a place, as its README says',
        },
      ),
    );
  }
}

function checkReferences(draft: Draft, parts: Parts, problems: ReadbackError[]): void {
  const { destination, located, action } = draft;
  const complain: Complain = (path, message, hint) => {
    problems.push(new ReadbackError('CONFIG_REFERENCE', message, { place: located.placeOf(path), hint }));
  };
  destination.signals.forEach((signal, index) => {
    const path = placePath(located.value, 'signals', index);
    if (!parts.signals.written.has(signal))
      complain(path, `there is no signal \`${signal}\``, suggest(signal, parts.signals.written.keys()));
    const emitted = parts.signals.loaded.get(signal)?.on;
    const silent = emitted && destination.on.filter((transition) => !emitted.includes(transition));
    if (silent?.length)
      complain(
        ['on'],
        `signal \`${signal}\` never says ${silent.join(' or ')}`,
        `add it to \`on\` of ${signal}`,
      );
  });
  destination.enrich.forEach((name, index) => {
    if (!parts.enrichments.written.has(name))
      complain(
        placePath(located.value, 'enrich', index),
        `there is no sql/enrich/${name}.sql`,
        suggest(name, parts.enrichments.written.keys()),
      );
  });
  checkParent(destination, action.needsParent, parts.drafts, complain);
  checkPlay(draft, parts.drafts, complain);
  problems.push(...checkResults(draft, parts.drafts));
}

/** A list item, or the single value that stands for a list. */
function placePath(root: unknown, key: string, index: number): (string | number)[] {
  return Array.isArray((root as Record<string, unknown>)[key]) ? [key, index] : [key];
}

function whatIsBroken({ connection, signals, enrich }: Destination, parts: Parts): string | undefined {
  if (!parts.connections.has(connection)) return `connection \`${connection}\``;
  const enrichment = enrich.find((name) => !parts.enrichments.loaded.has(name));
  if (enrichment !== undefined) return `enrichment \`${enrichment}\``;
  return signals.some((name) => parts.signals.loaded.has(name))
    ? undefined
    : `signal \`${signals.join('`, `')}\``;
}

/** The destination with the signals that run, and the shortest life that it, they or the defaults give an action. */
function finished({ destination, ttlMs }: Draft, { signals, defaults }: Parts): Destination {
  const running = destination.signals.filter((name) => signals.loaded.has(name));
  const theirs = running.flatMap((name) => signals.loaded.get(name)?.ttlMs ?? []);
  const inherited = theirs.length > 0 ? Math.min(...theirs) : (defaults.ttl ?? defaultTtlMs);
  return { ...destination, signals: running, ttlMs: ttlMs ?? inherited };
}

/** Takes out destinations whose parent or earlier step is out, and theirs in turn. */
function dropOrphans(
  destinations: Map<string, Destination>,
  wait: (cause: string, file: string) => void,
): void {
  for (let found = true; found; ) {
    found = false;
    for (const [name, { follows, after, file }] of destinations) {
      const missing = [follows ?? [], after].flat().find((other) => !destinations.has(other));
      if (missing === undefined) continue;
      destinations.delete(name);
      wait(`destination \`${missing}\``, file);
      found = true;
    }
  }
}
