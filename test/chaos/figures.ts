/** Wrongs that no run may have one of. */
export const wrongs = [
  'lost',
  'dropped',
  'duplicates',
  'phantom',
  'falseSuccess',
  'falseFailure',
  'orderViolations',
  'rateBreachSeconds',
  'automaticResends',
] as const;

export type Wrong = (typeof wrongs)[number];

/** What a drill found: one JSON object, printed last. A drill adds keys of its own. */
export type Figures = {
  drill: string;
  seed: number;
  /** why the run proves nothing (too little happened), or null */
  void: string | null;
  /** ended actions, over all destinations */
  actions: number;
  kills: number;
  /** faults given by stand-ins and proxy together */
  faults: number;
  /** write requests for each ended action; null when the drill does not count them */
  callsPerAction: number | null;
  /** from a kill to its lanes being worked again, ms; null when nothing was killed */
  pickupMs: { p50: number; p99: number } | null;
  /** the drill's own claims that did not hold, in words; empty when all hold */
  broken: string[];
  [own: string]: unknown;
} & Record<Wrong, number>;

/** Figures of a run in which nothing happened yet: the base that a drill writes over. */
export const noFigures = (drill: string, seed: number): Figures => ({
  drill,
  seed,
  void: null,
  actions: 0,
  kills: 0,
  faults: 0,
  lost: 0,
  dropped: 0,
  duplicates: 0,
  phantom: 0,
  falseSuccess: 0,
  falseFailure: 0,
  orderViolations: 0,
  rateBreachSeconds: 0,
  automaticResends: 0,
  callsPerAction: null,
  pickupMs: null,
  broken: [],
});

/** Whether all claims hold: not void, no wrong, nothing broken. */
export const holds = (figures: Figures): boolean =>
  figures.void === null && figures.broken.length === 0 && wrongs.every((wrong) => figures[wrong] === 0);

/** The value below which `share` (0..1) of the values lie (nearest rank); NaN of none. */
export const percentile = (values: number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
};
