import { parse } from 'yaml';
import { parseDuration } from '../../src/config/duration.ts';

/** Whether a table's word for a default is the schema's. */
export function isSameDefault(written: string, fallback: unknown): boolean {
  if (written === fallback || parseDuration(written) === fallback) return true;
  return JSON.stringify(parse(written)) === JSON.stringify(fallback);
}
