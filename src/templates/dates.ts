import { filters as liquidFilters } from 'liquidjs';
import { parseDuration } from '../config/duration.ts';

const isoPattern =
  /^(\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** A moment in microseconds, with the form it was written in. */
interface Moment {
  micros: bigint;
  /** Offset of its zone, in minutes; undefined when it was written without a zone, which is read as UTC. */
  zoneMinutes: number | undefined;
  fractionDigits: number;
  dateOnly: boolean;
}

/** Reads ISO 8601 text as warehouses write it; undefined for anything else, `now` and `today` included. */
function parseMoment(text: string): Moment | undefined {
  const match = isoPattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone] = match;
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (new Date(midnight).getUTCDate() !== Number(day)) return undefined;
  const seconds = Number(hour ?? 0) * 3600 + Number(minute ?? 0) * 60 + Number(second);
  const zoneMinutes = zone === undefined ? undefined : minutesOf(zone);
  const epochSeconds = midnight / 1000 + seconds - (zoneMinutes ?? 0) * 60;
  return {
    micros: BigInt(epochSeconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6)),
    zoneMinutes,
    fractionDigits: Math.min(fraction.length, 6),
    dateOnly: hour === undefined,
  };
}

function minutesOf(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0);
  return zone.startsWith('-') ? -minutes : minutes;
}

function formatMoment(moment: Moment): string {
  const shifted = moment.micros + BigInt(moment.zoneMinutes ?? 0) * 60_000_000n;
  const micros = ((shifted % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const text = new Date(Number((shifted - micros) / 1000n)).toISOString();
  if (moment.dateOnly) return text.slice(0, -14);
  const digits = micros.toString().padStart(6, '0').slice(0, moment.fractionDigits);
  return text.slice(0, -5) + (digits && `.${digits}`) + zoneText(moment.zoneMinutes);
}

function zoneText(minutes: number | undefined): string {
  if (minutes === undefined) return '';
  if (minutes === 0) return 'Z';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/**
 * A date or timestamp moved by a duration, written like the original: a date stays a date when it moves by whole days,
 * microseconds and zone stay. Undefined when the value is not a date or the argument not a duration.
 */
export function moveDate(value: unknown, duration: unknown, direction: 1 | -1): string | undefined {
  const moment = typeof value === 'string' ? parseMoment(value) : undefined;
  const durationMs = typeof duration === 'string' ? parseDuration(duration) : undefined;
  if (!moment || durationMs === undefined) return undefined;
  const wholeDays = durationMs % 86_400_000 === 0;
  return formatMoment({
    micros: moment.micros + BigInt(durationMs * direction) * 1000n,
    zoneMinutes: moment.dateOnly && !wholeDays ? 0 : moment.zoneMinutes,
    fractionDigits: durationMs % 1000 === 0 ? moment.fractionDigits : Math.max(moment.fractionDigits, 3),
    dateOnly: moment.dateOnly && wholeDays,
  });
}

const liquidDate = liquidFilters.date as (this: unknown, ...operands: unknown[]) => unknown;

/**
 * Liquid's `date` filter without its surprises: only ISO text is a date, text without a zone is UTC, and the result is
 * UTC unless a zone is named as second argument.
 */
export function formatDate(this: unknown, value: unknown, format?: unknown, zone: unknown = 0): unknown {
  const moment = typeof value === 'string' ? parseMoment(value) : undefined;
  if (!moment) throw new TypeError('`date` needs a date such as 2026-01-31 or 2026-01-31T09:30:00Z');
  const iso = new Date(Number(moment.micros / 1000n)).toISOString();
  return liquidDate.call(this, iso, format ?? '%Y-%m-%d', zone);
}
