import { jsonFault } from './json.ts';

/** https://docs.slack.dev/reference/block-kit/blocks: "up to 50 blocks in each message". */
const maxBlocks = 50;

/** What is wrong with a text that should be Block Kit blocks, with the place; its values are not repeated. */
export function blocksFault(json: string): string | undefined {
  let blocks: unknown;
  try {
    blocks = JSON.parse(json);
  } catch {
    const { line, column } = jsonFault(json) ?? { line: 1, column: 1 };
    return `not JSON from line ${line}, column ${column} on; print a value as {{ value | json }}, without quotes`;
  }
  if (!Array.isArray(blocks) || blocks.length === 0)
    return 'write a list of blocks, such as [{"type": "divider"}]';
  if (blocks.length > maxBlocks) return `${blocks.length} blocks; Slack takes ${maxBlocks}`;
  const typeless = blocks.findIndex((block) => typeof block?.type !== 'string');
  return typeless < 0 ? undefined : `block ${typeless + 1} has no "type", such as "section"`;
}
