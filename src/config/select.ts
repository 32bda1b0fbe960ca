import { type Fingerprints, fingerprints } from './fingerprint.ts';
import type { Destination, Project, Signal } from './model.ts';
import { type Criterion, type Method, mistake, type Selection } from './selection.ts';
import { suggest } from './suggest.ts';

export { parseSelection, type Selection } from './selection.ts';

export interface Selected {
  signals: Set<string>;
  destinations: Set<string>;
}

export interface SelectOptions {
  exclude?: Selection | undefined;
  /** From the manifest of an earlier run, for `state:`. */
  previous?: Fingerprints | undefined;
}

type Node = { kind: 'signal'; item: Signal } | { kind: 'destination'; item: Destination };

/**
 * The signals and destinations a selection means; without one, all.
 *
 * @throws ReadbackError SELECTION when a criterion, or the whole, matches nothing
 */
export function select(project: Project, selection?: Selection, options: SelectOptions = {}): Selected {
  const graph = new Graph(project, options.previous);
  const chosen = selection ? graph.resolve(selection) : new Set(graph.nodes);
  const excluded = options.exclude ? graph.resolve(options.exclude) : new Set<Node>();
  const rest = [...chosen].filter((node) => !excluded.has(node));
  const criteria = [...(selection ?? []), ...(options.exclude ?? [])].flat();
  const mayBeEmpty = criteria.length === 0 || criteria.some(({ method }) => method === 'state');
  if (rest.length === 0 && !mayBeEmpty)
    throw mistake(
      'the selection matches nothing',
      1,
      criteria.map(({ text }) => text).join(' '),
      'see `readback ls`',
    );
  const namesOf = (kind: Node['kind']): Set<string> =>
    new Set(rest.filter((node) => node.kind === kind).map(({ item }) => item.name));
  return { signals: namesOf('signal'), destinations: namesOf('destination') };
}

/** Signals and destinations; a destination needs its signals, the one it follows, and those it comes after or undoes. */
class Graph {
  readonly nodes: Node[];
  readonly #before: Fingerprints | undefined;
  readonly #now: Fingerprints;

  constructor(project: Project, before: Fingerprints | undefined) {
    this.nodes = [
      ...[...project.signals.values()].map((item) => ({ kind: 'signal' as const, item })),
      ...[...project.destinations.values()].map((item) => ({ kind: 'destination' as const, item })),
    ];
    this.#before = before;
    this.#now = fingerprints(project);
  }

  resolve(selection: Selection): Set<Node> {
    const union = new Set<Node>();
    for (const criteria of selection) {
      const sets = criteria.map((criterion) => this.#matching(criterion));
      for (const node of sets[0] ?? []) if (sets.every((set) => set.has(node))) union.add(node);
    }
    return union;
  }

  #matching(criterion: Criterion): Set<Node> {
    const { method, value, column, text } = criterion;
    if (method === 'state' && !this.#before)
      throw mistake(
        '`state:` needs target/manifest.json of an earlier run',
        column,
        text,
        'run once without it',
      );
    const matching = this.nodes.filter((node) =>
      method === 'state'
        ? this.#changed(node, value)
        : traits(node, method).some((trait) => matches(value, trait)),
    );
    if (matching.length === 0 && method !== 'state') {
      const known = new Set(this.nodes.flatMap((node) => traits(node, method)));
      throw mistake(`\`${text}\` matches nothing`, column, text, suggest(value, known));
    }
    const found = new Set(matching);
    if (criterion.upstream) this.#walk(matching, found, (node) => this.#parents(node));
    if (criterion.downstream) this.#walk(matching, found, (node) => this.#children(node));
    return found;
  }

  #changed(node: Node, value: string): boolean {
    const section = node.kind === 'signal' ? 'signals' : 'destinations';
    const before = this.#before?.[section] ?? {};
    const earlier = Object.hasOwn(before, node.item.name) ? before[node.item.name] : undefined;
    return value === 'new' ? earlier === undefined : earlier !== this.#now[section][node.item.name];
  }

  #walk(start: Node[], found: Set<Node>, next: (node: Node) => Node[]): void {
    const queue = [...start];
    const seen = new Set(start);
    for (let node = queue.pop(); node; node = queue.pop()) {
      found.add(node);
      for (const neighbour of next(node))
        if (!seen.has(neighbour)) {
          seen.add(neighbour);
          queue.push(neighbour);
        }
    }
  }

  #parents(node: Node): Node[] {
    return node.kind === 'signal' ? [] : this.nodes.filter((other) => needs(node.item, other));
  }

  #children(node: Node): Node[] {
    return this.nodes.filter((other) => other.kind === 'destination' && needs(other.item, node));
  }
}

function needs({ signals, follows, after, undoes }: Destination, { kind, item }: Node): boolean {
  if (kind === 'signal') return signals.includes(item.name);
  return [follows, undoes, ...after].includes(item.name);
}

/** What a node has to say to a method; nothing when the method is not about its kind. */
function traits({ kind, item }: Node, method: Method): string[] {
  switch (method) {
    case 'name':
      return [item.name];
    case 'tag':
      return item.tags;
    case 'owner':
      return item.owner === undefined ? [] : [item.owner];
    case 'severity':
      return kind === 'signal' ? [item.severity] : [];
    case 'connection':
      return kind === 'destination' ? [item.connection] : [];
    default:
      return kind === method ? [item.name] : [];
  }
}

/** Matches `*` as any text, piece by piece: a regular expression of many stars can take for ever. */
function matches(pattern: string, text: string): boolean {
  const pieces = pattern.split('*');
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)];
  if (pieces.length === 1) return pattern === text;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  let position = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, position);
    if (found < 0 || found + piece.length > text.length - last.length) return false;
    position = found + piece.length;
  }
  return true;
}
