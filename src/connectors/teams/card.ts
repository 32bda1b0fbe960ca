import type { Fields } from '../connector.ts';

/** A message may have "approximately 28 KB"; what is larger is accepted by the workflow, and fails in it unseen. */
const maxBytes = 28_000;

/** What is wrong with JSON that should be an Adaptive Card. */
export function cardFault(card: unknown): string | undefined {
  const isCard = (card as { type?: unknown } | null)?.type === 'AdaptiveCard';
  return isCard ? undefined : 'write an Adaptive Card: JSON with "type": "AdaptiveCard"';
}

/** The body that the workflow's template expects, or why it cannot be posted. */
export function messageOf(key: string, fields: Fields): { message: object } | { problem: string } {
  const card =
    fields.card === undefined
      ? plain(key, fields)
      : { fallbackText: fields.text, ...JSON.parse(fields.card) };
  const message = {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
    ],
  };
  const bytes = Buffer.byteLength(JSON.stringify(message));
  return bytes > maxBytes
    ? { problem: `the message has ${bytes} bytes; Teams takes about 28 KB` }
    : { message };
}

/** The text carries the action's key as its id, which nobody sees, so that the message can be told from others. */
function plain(key: string, { text, title, link, link_title }: Fields): object {
  const headline = { type: 'TextBlock', text: title, weight: 'Bolder', size: 'Medium', wrap: true };
  const button = { type: 'Action.OpenUrl', title: link_title ?? 'Open', url: link };
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      ...(title === undefined ? [] : [headline]),
      { type: 'TextBlock', id: `readback-${key}`, text, wrap: true },
    ],
    ...(link === undefined ? {} : { actions: [button] }),
  };
}
