import type { Figures } from './figures.ts';

/** What a drill is asked for. */
export type DrillOptions = {
  /** every random choice of the drill follows from it */
  seed: number;
  /** how much happens: actions expected, or what `summary` says is counted */
  actions: number;
  /** the form that `npm test` runs: same claims, smaller, no minimum of a long run */
  short: boolean;
};

/** One way of hurting the product, and what must hold afterwards. Each file in drills/ exports one as `drill`. */
export type Drill = {
  /** kebab-case, as in `--drill kill-storm`, and the name of its file */
  name: string;
  summary: string;
  /** of a run without `--actions` */
  actions: number;
  /** Runs it and says what it found; throws only when the harness itself cannot work. */
  run(options: DrillOptions, say: (line: string) => void): Promise<Figures>;
};
