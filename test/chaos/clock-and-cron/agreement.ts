import { type Form, formOf, patterns } from './forms.ts';
import { type Stretch, stretchesOf, ticksAround } from './oracle.ts';
import { product } from './ticks.ts';
import type { Change } from './transitions.ts';

export interface Agreement {
  /** Pairs of a change and a form. */
  pairs: number;
  ticks: number;
  /** Pairs for which a direction differs from the oracle, with the first difference. */
  forward: string[];
  backward: string[];
}

/** Holds the product's ticks, forward and backward, against the oracle's around changes of the clock, for every form. */
export function compareTicks(
  changes: readonly Change[],
  onProgress: (done: number) => void = () => {},
): Agreement {
  const found: Agreement = { pairs: 0, ticks: 0, forward: [], backward: [] };
  const forms = patterns.map(formOf);
  for (const [index, change] of changes.entries()) {
    for (const form of forms) {
      found.pairs += 1;
      for (const stretch of stretchesOf(form, change)) compare(form, change, stretch, found);
    }
    if (index % 100 === 99) onProgress(index + 1);
  }
  return found;
}

function compare(form: Form, change: Change, stretch: Stretch, found: Agreement): void {
  const schedule = { cron: form.pattern, timezone: change.zone };
  const wanted = ticksAround(form, change, stretch);
  found.ticks += wanted.length;
  const { start, end } = stretch;
  const about = `${form.pattern} in ${change.zone} around ${new Date(change.at).toISOString()}`;
  const onward: number[] = [];
  for (let from = start - 1; onward.length <= wanted.length; ) {
    from = product.nextTick(schedule, new Date(from)).getTime();
    if (from >= end) break;
    onward.push(from);
  }
  const forward = difference(wanted, onward);
  if (forward) found.forward.push(`${about}: ${forward}`);
  const back: number[] = [];
  for (let from = end; back.length <= wanted.length; ) {
    from = product.previousTick(schedule, new Date(from - 1)).getTime();
    if (from < start) break;
    back.unshift(from);
  }
  const backward = difference(wanted, back);
  if (backward) found.backward.push(`${about}: ${backward}`);
}

/** The first place where two lists of ticks differ. */
function difference(wanted: readonly number[], got: readonly number[]): string | undefined {
  const length = Math.max(wanted.length, got.length);
  for (let index = 0; index < length; index += 1)
    if (wanted[index] !== got[index]) return `wants ${text(wanted[index])}, got ${text(got[index])}`;
  return undefined;
}

function text(tick: number | undefined): string {
  return tick === undefined ? 'none' : new Date(tick).toISOString();
}
