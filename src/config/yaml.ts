import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { ReadbackError } from '../errors.ts';
import { positionAt } from './files.ts';
import { Located } from './located.ts';

/** Of one file: the first mistake usually causes the rest. */
const mostComplaints = 5;
/** A hostile megabyte takes three seconds to parse, this half of one; nobody writes that much by hand. */
const mostCharacters = 200_000;
/** Everything that walks a deeper document would end in a stack overflow at some depth. */
const mostLevels = 100;
/** A few aliases are fine; the limit keeps a page of nested ones from unfolding into gigabytes. */
const mostAliases = 50;

/**
 * Parses one YAML 1.2 document, strictly. What is wrong goes to `problems` with its place; undefined then.
 * To keep places true, text around a header is blanked out by the caller, not cut off.
 */
export function parseYaml(file: string, text: string, problems: ReadbackError[]): Located | undefined {
  if (text.length > mostCharacters) {
    const hint = 'split it into several files';
    problems.push(
      new ReadbackError('CONFIG_YAML', 'more than 200 kB of YAML', {
        place: { file, line: 1, column: 1 },
        hint,
      }),
    );
    return undefined;
  }
  const deep = tooDeep(text);
  if (deep !== undefined) {
    problems.push(
      new ReadbackError('CONFIG_YAML', `nested more than ${mostLevels} levels deep`, {
        place: { file, ...positionAt(text, deep) },
        hint: 'a project file needs four',
      }),
    );
    return undefined;
  }
  const lines = new LineCounter();
  const found: ReadbackError[] = [];
  let located: Located | undefined;
  try {
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      stringKeys: true,
      // The library's own check compares every pair of keys, which takes minutes for a hostile file.
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
    });
    const complaints = firstOfEachLine([...document.errors, ...document.warnings], lines);
    found.push(...complaints.slice(0, mostComplaints).map((error) => yamlProblem(error, file, text)));
    const told = new Set(found.map(({ place }) => place?.line));
    found.push(...structureProblems(document, file, text).filter(({ place }) => !told.has(place?.line)));
    if (found.length === 0) located = new Located(document, lines, file, text);
  } catch (error) {
    const message = `not valid YAML: ${reasonOf(error as Error)}`;
    found.push(
      new ReadbackError('CONFIG_YAML', message, { place: { file, line: 1, column: 1 }, cause: error }),
    );
  }
  problems.push(...found);
  return located;
}

/** The offset at which the text is nested too deeply; this parser keeps its own stack, the one that builds values recurses. */
function tooDeep(text: string): number | undefined {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // Finished documents are not needed; drawing them keeps the parser going.
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > mostLevels) return parser.offset - lexeme.length;
  }
  return undefined;
}

/** Our words for what people run into; the library's otherwise. */
const reasons: Partial<Record<ErrorCode, string>> = {
  BAD_DQ_ESCAPE: 'unknown escape in double quotes; use single quotes',
  MULTIPLE_DOCS: 'more than one document; write one file for each',
  TAB_AS_INDENT: 'a tab is used to indent',
  NON_STRING_KEY: 'a key is not text',
};

function reasonOf(error: Error): string {
  const own = reasons[(error as YAMLError).code];
  // The library quotes pieces of the text, which may be a secret written in the open.
  return (
    own ??
    error.message
      .replace(/:? ["'{[!].*$/s, '')
      .replace(/\.$/, '')
      .slice(0, 120)
  );
}

/** What else the parser stumbles over in a line follows from the first, and would be told with the same hint. */
function firstOfEachLine(errors: readonly YAMLError[], lines: LineCounter): YAMLError[] {
  const seen = new Set<number>();
  return errors.filter(({ pos }) => {
    const { line } = lines.linePos(pos[0]);
    return !seen.has(line) && seen.add(line);
  });
}

function yamlProblem(error: YAMLError, file: string, text: string): ReadbackError {
  const offset = Math.min(error.pos[0], text.length);
  const position = positionAt(text, offset);
  const line = text.split('\n')[position.line - 1] ?? '';
  return new ReadbackError('CONFIG_YAML', `not valid YAML: ${reasonOf(error)}`, {
    place: { file, ...position },
    hint: hintFor(error, line),
  });
}

function hintFor(error: YAMLError, line: string): string | undefined {
  if (error.code === 'TAB_AS_INDENT' || /^\s*\t/.test(line)) return 'indent with spaces, not tabs';
  const key = /^\s*([\w-]+):\s/.exec(line)?.[1] ?? 'key';
  if (/:\s*\{[{%]/.test(line)) return `put templates in quotes: ${key}: "{{ … }}"`;
  if (/:\s*\*/.test(line)) return `put text that begins with * in quotes: ${key}: "*/5 * * * *"`;
  if (/:\s*[@`%&!|>]/.test(line))
    return `put text that begins with a special character in quotes: ${key}: "…"`;
  if (/:\s.*:\s/.test(line)) return `put text with a colon in quotes: ${key}: "…: …"`;
  return undefined;
}

/** Foreign tags, keys that stand twice, and aliases of nothing, of themselves or of too much. */
function structureProblems(document: Document, file: string, text: string): ReadbackError[] {
  const found: ReadbackError[] = [];
  const complain = (node: Node, message: string, hint: string): void => {
    if (found.length >= mostComplaints) return;
    const place = { file, ...positionAt(text, node.range?.[0] ?? 0) };
    found.push(new ReadbackError('CONFIG_YAML', message, { place, hint }));
  };
  const anchors = new Map<string, Node>();
  const unfolded = new Unfolded();
  visit(document, (_key, node) => {
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (!target) complain(node, 'a value that begins with * is an alias of nothing', 'put it in quotes');
      else if (startOf(node) < endOf(target))
        complain(node, 'the alias stands in the value it means', 'write the value out');
      else if (unfolded.add(node, target))
        complain(node, `the aliases unfold to more than ${mostAliases} values`, 'write the values out');
    }
    if (isScalar(node) || isMap(node) || isSeq(node)) {
      if (node.anchor) anchors.set(node.anchor, node);
      // The library takes some that are not of the schema, such as !!binary, without a word.
      if (node.tag && !/^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/.test(node.tag))
        complain(node, 'a tag that project files do not have', 'put text that begins with ! in quotes');
    }
    if (isMap(node))
      for (const key of repeatedKeys(node))
        complain(key, `the key \`${String(key.value)}\` is written twice`, 'keep one of them');
  });
  return found;
}

/** Counts what aliases unfold to, those inside their values included. */
class Unfolded {
  readonly #aliases: { offset: number; size: number }[] = [];
  #total = 0;

  /** True for the one alias that goes over the limit. */
  add(alias: Node, target: Node): boolean {
    if (this.#total > mostAliases) return false;
    const inside = this.#aliases.filter(({ offset }) => offset >= startOf(target) && offset < endOf(target));
    const size = inside.reduce((sum, one) => sum + one.size, 1);
    this.#aliases.push({ offset: startOf(alias), size });
    this.#total += size;
    return this.#total > mostAliases;
  }
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function endOf(node: Node): number {
  return node.range?.[1] ?? Number.POSITIVE_INFINITY;
}

function repeatedKeys(map: YAMLMap): Scalar[] {
  const seen = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const repeated = seen.has(key.value);
    seen.add(key.value);
    return repeated ? [key] : [];
  });
}
