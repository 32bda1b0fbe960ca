/** A node of the Atlassian Document Format, in which Jira Cloud keeps every longer text. */
export interface DocumentNode {
  type: string;
  text?: string;
  content?: DocumentNode[];
  version?: number;
}

/** Plain text as a document: an empty line begins a paragraph, a line break stays one. */
export function toDocument(text: string): DocumentNode {
  const paragraphs = tidy(text)
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph !== '');
  return {
    type: 'doc',
    version: 1,
    content: paragraphs.map((paragraph) => ({ type: 'paragraph', content: lines(paragraph) })),
  };
}

function lines(paragraph: string): DocumentNode[] {
  return paragraph.split('\n').flatMap((line, at) => [
    ...(at > 0 ? [{ type: 'hardBreak' }] : []),
    // Jira refuses a text node without text.
    ...(line === '' ? [] : [{ type: 'text', text: line }]),
  ]);
}

/** The text of a document, however it is marked up: what `toDocument` made comes back as it was. */
export function toText(node: unknown): string {
  if (typeof node === 'string') return tidy(node);
  return isNode(node) ? tidy((node.content ?? []).map(blockText).join('\n\n')) : '';
}

function blockText(node: DocumentNode): string {
  if (node.type === 'hardBreak') return '\n';
  return node.text ?? (node.content ?? []).map(blockText).join('');
}

function isNode(value: unknown): value is DocumentNode {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** Line ends as Jira keeps them; blanks at the ends of lines and texts do not count. */
export function tidy(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
