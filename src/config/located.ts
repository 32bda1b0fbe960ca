import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import type { Place } from '../errors.ts';

export type Path = readonly PropertyKey[];

/** A YAML document whose every key and value knows its place in the file. */
export class Located {
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #file: string;
  readonly #text: string;

  constructor(document: Document, lines: LineCounter, file: string, text: string) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
    this.#text = text;
    // Whoever parsed it has counted what the aliases unfold to.
    this.value = document.toJS({ maxAliasCount: -1 });
  }

  /** Where a value begins; for one that is not there, the nearest thing around it. */
  placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length -= 1) {
      const node = this.#node(path.slice(0, length));
      if (node?.range) return this.#place(node.range[0]);
    }
    return this.#place(this.#document.contents?.range?.[0] ?? 0);
  }

  /** Where a key begins; without such a key, where its map does. */
  placeOfKey(path: Path): Place {
    const parent = this.#node(path.slice(0, -1));
    const key = isMap(parent) ? pairOf(parent, path.at(-1))?.key : undefined;
    const offset = (key as Node | undefined)?.range?.[0];
    return offset === undefined ? this.placeOf(path.slice(0, -1)) : this.#place(offset);
  }

  /** Where the text of a scalar begins, behind its quote or on the first line of its block. */
  placeOfText(path: Path): Place {
    const node = this.#node(path);
    if (!isScalar(node) || !node.range) return this.placeOf(path);
    const start = node.range[0];
    if (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE') return this.#place(start + 1);
    if (node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED') return this.#place(start);
    const lineStart = this.#text.indexOf('\n', start) + 1;
    const indent = /^ */.exec(this.#text.slice(lineStart))?.[0].length ?? 0;
    return this.#place(lineStart + indent);
  }

  /** A scalar as it is written: `007` stays `007`. Undefined for maps, lists and nothing. */
  written(path: Path): string | undefined {
    const node = this.#node(path);
    if (!isScalar(node) || node.value === null) return undefined;
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }

  /** The place of the text of every key, one level deep into maps, as `guard` and `guard.max_age`. */
  places(): Map<string, { line: number; column: number }> {
    const places = new Map<string, { line: number; column: number }>();
    const add = (path: string[]): void => {
      const { line = 1, column = 1 } = this.placeOfText(path);
      places.set(path.join('.'), { line, column });
    };
    for (const [key, value] of entriesOf(this.value)) {
      add([key]);
      for (const [inner] of entriesOf(value)) add([key, inner]);
    }
    return places;
  }

  #place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line, column: col };
  }

  #node(path: Path): Node | undefined {
    let node = this.#document.contents as Node | null | undefined;
    for (const key of path) {
      if (isAlias(node)) node = node.resolve(this.#document) as Node | undefined;
      if (isMap(node)) node = pairOf(node, key)?.value as Node | undefined;
      else if (isSeq(node)) node = node.items[Number(key)] as Node | undefined;
      else return undefined;
    }
    return node ?? undefined;
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** Pairs by key, remembered for each map: a search through a large map for each of its keys would take for ever. */
const pairs = new WeakMap<YAMLMap, Map<string, Pair>>();

function pairOf(map: YAMLMap, key: PropertyKey | undefined): Pair | undefined {
  let byKey = pairs.get(map);
  if (!byKey) {
    const entries = map.items.map(
      (pair) => [isScalar(pair.key) ? String(pair.key.value) : '', pair] as const,
    );
    byKey = new Map(entries);
    pairs.set(map, byKey);
  }
  return byKey.get(String(key));
}
