/**
 * The comparable form of a message. Slack does not give back what was sent: it escapes `&`, `<` and `>`, wraps
 * addresses (`<https://…>`, `<http://acme.io|acme.io>`, `<mailto:…|…>`), may add a name to a mention, and turns emoji
 * into `:names:`. The table of names is Slack's own, so any emoji counts as equal to any other.
 */
export function canonicalText(value: unknown): string {
  return String(value ?? '')
    .replace(/\r\n?/g, '\n')
    .replace(/<(https?:\/\/[^|>]+|mailto:[^|>]+)(?:\|([^>]*))?>/g, unwrapLink)
    .replace(/<([@#!][^|>]+)\|[^>]*>/g, '<$1>')
    .replace(emoji, '\u{25A1}')
    .replace(emojiName, '\u{25A1}')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim();
}

/** A link whose label says something else was written by hand and stays. */
function unwrapLink(whole: string, address: string, label: string | undefined): string {
  const bare = address.replace(/^(https?:\/\/|mailto:)/, '').replace(/\/$/, '');
  if (label === undefined) return address.replace(/^mailto:/, '');
  return label === bare || label === address ? label : whole;
}

const emoji =
  /\p{RI}\p{RI}|[0-9#*]\uFE0F?\u20E3|\p{Extended_Pictographic}(?:\uFE0F|\p{EMod})?(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{EMod})?)*/gu;
/** `:+1:`, `:wave::skin-tone-3:`; a time such as 10:30:45 is none. */
const emojiName = /:(?:[+-]1|(?=[^:\s]*[a-z])[a-z0-9_+'-]+):(?::skin-tone-[2-6]:)?/g;
