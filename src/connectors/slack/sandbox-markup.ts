const emojiNames: Readonly<Record<string, string>> = {
  '✅': 'white_check_mark',
  '⚠️': 'warning',
  '🚨': 'rotating_light',
  '🚀': 'rocket',
  '🔥': 'fire',
};

/** A message's text as Slack keeps it and gives it back: escaped, with addresses wrapped and emoji by name. */
export function asSlackKeeps(text: string): string {
  const markup = /<(?:[@#!]|https?:|mailto:)[^<>\n]+>/g;
  let kept = '';
  let from = 0;
  for (const match of text.matchAll(markup)) {
    kept += plain(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return kept + plain(text.slice(from));
}

/** Text outside `<…>`. Entities that are there already stay as they are. */
function plain(text: string): string {
  return text
    .replace(/&(?!(?:amp|lt|gt);)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/https?:\/\/(?:(?!&[lg]t;)[^\s|])+/g, (address) => `<${address}>`)
    .replace(/(?<![\w./@<])[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, (address) => `<mailto:${address}|${address}>`)
    .replace(
      /(?<![\w./@:<-])(?:[a-z0-9-]+\.)+(?:com|org|net|io)\b(?![\w@>|/-])/gi,
      (name) => `<http://${name}|${name}>`,
    )
    .replace(/✅|⚠️|🚨|🚀|🔥/gu, (emoji) => `:${emojiNames[emoji]}:`);
}
