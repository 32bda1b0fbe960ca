import { shownBytes } from '../warehouses/bytes.ts';

/** What reading a signal's members once would scan. */
export function costText(signal: string, bytes: bigint): string {
  return `reading ${signal} once would scan ${shownBytes(bytes)}`;
}
