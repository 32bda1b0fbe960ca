import v8 from 'node:v8';

/**
 * Makes V8 collect garbage before it asks the system for more: new objects keep their initial space, and the heap grows
 * by half of what is alive instead of doubling or more. Peak memory of 40,000 actions end to end, same run: 185 MB with
 * this, 318 MB without; the throughput differed less than two runs do.
 */
export function collectEarly(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  v8.setFlagsFromString('--heap-growing-percent=50');
}
