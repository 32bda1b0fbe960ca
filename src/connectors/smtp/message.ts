import type { Fields } from '../connector.ts';

export interface Mail {
  /** Without the angle brackets. */
  messageId: string;
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string | undefined;
  replyTo: string | undefined;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not stand in a header
const control = /[\u0000-\u001f\u007f]/;
/** One address and nothing beside it: a comma would add a recipient. */
const address = /^[^\s<>(),;:"@\\[\]]+@[^\s<>(),;:"@\\[\]]+$/;

/** The mail of an action, or what is wrong with its fields. A header is one line. */
export function mailOf(key: string, from: string, fields: Fields): Mail | { code: string; reason: string } {
  const { to = '', subject = '', text = '', html, reply_to } = fields;
  const replyTo = reply_to?.trim() || undefined;
  for (const [name, value] of Object.entries({ to, reply_to: replyTo }))
    if (value !== undefined && !address.test(value.trim()))
      return { code: name, reason: `${name} is not one plain address such as ada@acme.example` };
  if (control.test(subject.trim())) return { code: 'subject', reason: 'subject is more than one line' };
  return {
    messageId: messageIdOf(key, from),
    from,
    to: to.trim(),
    subject: subject.trim(),
    text,
    html: html === undefined || html.trim() === '' ? undefined : html,
    replyTo,
  };
}

/** The same for every attempt, so that whoever looks sees a repeat. */
function messageIdOf(key: string, from: string): string {
  const domain = /@([^\s>]+)/.exec(from)?.[1] ?? 'localhost';
  return `${key.replaceAll(/[^\w.-]/g, '-')}@${domain}`;
}
