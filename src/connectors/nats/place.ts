/** Where a message is stored, as an action's id: `EVENTS:42`. */
export function placeId(stream: string, sequence: number): string {
  return `${stream}:${sequence}`;
}

/** Undefined where there is no id, or none of ours. */
export function placeOf(id: string | undefined): { stream: string; sequence: number } | undefined {
  const [, stream, sequence] = /^(.+):(\d+)$/.exec(id ?? '') ?? [];
  return stream === undefined ? undefined : { stream, sequence: Number(sequence) };
}
