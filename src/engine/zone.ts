/** Reads the clock of an IANA time zone. A wall time is what the clock shows, as milliseconds since 1970 as if it were UTC. */
export class Zone {
  readonly #format: Intl.DateTimeFormat;

  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** Wall time minus UTC at an instant, in ms. */
  offsetAt(instant: number): number {
    const second = Math.floor(instant / 1000) * 1000;
    const parts = this.#format.formatToParts(second);
    const [month, day, year, hour, minute, rest] = parts
      .filter(({ type }) => type !== 'literal')
      .map(({ value }) => Number(value)) as [number, number, number, number, number, number];
    return Date.UTC(year, month - 1, day, hour, minute, rest) - second;
  }

  /** The first instant, to the second, at which the offset is no longer that of `from`; undefined when both have the same. */
  changeBetween(from: number, to: number): number | undefined {
    const before = this.offsetAt(from);
    if (this.offsetAt(to) === before) return undefined;
    let [low, high] = [Math.floor(from / 1000), Math.ceil(to / 1000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle * 1000) === before) low = middle;
      else high = middle;
    }
    return high * 1000;
  }
}
