/** Milliseconds since 1970, with fractions; never steps back. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
