/**
 * Text of others (entities, what a vendor answered) made safe for one line on a terminal: control characters could
 * move the cursor, change colours, or break the table.
 */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must go
  return text.replace(/\s+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}
