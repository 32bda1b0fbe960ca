import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** A fenced block. GitHub colours it by the first word of its info string; the rest says what the tests do with it. */
export interface Block {
  guide: string;
  line: number;
  language: string;
  attributes: ReadonlyMap<string, string>;
  text: string;
}

export function readGuide(guide: string): string {
  return readFileSync(`${checkout}${guide}`, 'utf8');
}

export function blocksOf(guide: string): Block[] {
  const text = readGuide(guide);
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [language = '', ...rest] = (match[1] ?? '').split(/ (.*)/s);
    return {
      guide,
      line: text.slice(0, match.index).split('\n').length,
      language,
      attributes: attributesOf(rest.join('')),
      text: match[2] ?? '',
    };
  });
}

/** `file=a.yaml background output="readback report"` */
function attributesOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/([\w-]+)(?:=(?:"([^"]*)"|(\S+)))?/g);
  return new Map([...found].map(([, name = '', quoted, plain]) => [name, quoted ?? plain ?? '']));
}

/** The blocks of one project by their file, as far as they are files. */
export function filesOf(blocks: readonly Block[], project?: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const { attributes, text, guide, line } of blocks) {
    const file = attributes.get('file');
    if (file === undefined || attributes.get('project') !== project) continue;
    if (files.has(file)) throw new Error(`${guide}:${line}: ${file} is written twice`);
    files.set(file, text);
  }
  return files;
}

export interface GuideTable {
  headings: string[];
  columns: string[];
  rows: string[][];
}

/** Every table of a guide, with the headings it stands under. */
export function tablesOf(guide: string): GuideTable[] {
  const tables: GuideTable[] = [];
  let headings: string[] = [];
  let open: GuideTable | undefined;
  for (const line of readGuide(guide).split('\n')) {
    const [, marks, title] = /^(#+) (.+)$/.exec(line) ?? [];
    if (marks && title) headings = [...headings.slice(0, marks.length - 1), title];
    if (!line.startsWith('|')) {
      open = undefined;
      continue;
    }
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    const texts = cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
    if (!open) {
      open = { headings: headings.filter(Boolean), columns: texts, rows: [] };
      tables.push(open);
    } else if (!texts.every((text) => /^:?-+:?$/.test(text))) open.rows.push(texts);
  }
  return tables;
}

/** `` `a` `` as `a`. */
export function bare(cell: string): string {
  return cell.replace(/^`(.*)`$/, '$1');
}

/** The words in code spans of a cell. */
export function codes(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}

/** A heading's anchor, as GitHub makes it. */
export function anchorsOf(guide: string): Set<string> {
  const headings = readGuide(guide).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
