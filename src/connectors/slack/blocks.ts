/** https://docs.slack.dev/reference/block-kit/blocks: "up to 50 blocks in each message". */
const maxBlocks = 50;

/** What is wrong with JSON that should be Block Kit blocks. */
export function blocksFault(blocks: unknown): string | undefined {
  if (!Array.isArray(blocks) || blocks.length === 0)
    return 'write a list of blocks, such as [{"type": "divider"}]';
  if (blocks.length > maxBlocks) return `${blocks.length} blocks; Slack takes ${maxBlocks}`;
  const typeless = blocks.findIndex((block) => typeof block?.type !== 'string');
  return typeless < 0 ? undefined : `block ${typeless + 1} has no "type", such as "section"`;
}
