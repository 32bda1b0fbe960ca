/** The comparable form of a field, for what was sent and for what PagerDuty holds. */
export function canonical(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  const text =
    typeof value === 'object' ? JSON.stringify(value) : String(value).replace(/\r\n?/g, '\n').trim();
  return field === 'status' || field === 'severity' ? text.toLowerCase() : text;
}
