import { setTimeout as sleep } from 'node:timers/promises';
import { Crew } from '../failpoints/crew.ts';
import { type Cell, Failpoints } from '../failpoints/failpoints.ts';
import type { Figures } from '../figures.ts';
import { Scene, type SceneDesk } from '../fleet/scene.ts';
import { until } from '../fleet/wait.ts';
import type { Case } from '../oracle/judge.ts';
import { drawBelow } from '../random.ts';
import type { FaultKind } from '../standins/faults.ts';
import type { ExamName } from './bugs.ts';

export type Sitting = {
  seed: number;
  /** the build to examine; the real one unless said */
  main?: string | undefined;
  say(line: string): void;
};

/** A scene with the product at work in it, and what an exam found beside the oracle's figures. */
type Stage = { scene: Scene; crew: Crew; failpoints: Failpoints; seed: number; broken: string[] };

type Paper = {
  desks: readonly SceneDesk[];
  waves: number;
  /** Hurts the product. What is done here ends with every process running and every desk honest. */
  play(stage: Stage): Promise<void>;
  /** Looks for what the oracle does not look for. */
  look?(it: Case, stage: Stage): void;
};

/** Short runs, each of which hurts the product in one way; every bug names the one that is to catch it. */
export const exams: Record<ExamName, (sitting: Sitting) => Promise<Figures>> = {
  storm: (sitting) => sit('storm', storm, sitting),
  lies: (sitting) => sit('lies', lies, sitting),
  crowd: (sitting) => sit('crowd', crowd, sitting),
  shuffle: (sitting) => sit('shuffle', shuffle, sitting),
  stops: (sitting) => sit('stops', stops, sitting),
  drain: (sitting) => sit('drain', drain, sitting),
  throttle: (sitting) => sit('throttle', throttle, sitting),
  breaker: (sitting) => sit('breaker', breaker, sitting),
  stale: (sitting) => sit('stale', stale, sitting),
};

/** Late writes and stale reads end well before the lag does: within these the product promises everything. */
const times = { lag: '2500ms', timeout: '1500ms', lanes: 3 } as const;

function desk(facts: Omit<SceneDesk, 'standin'>, kinds: FaultKind[] = [], share = 0.4): SceneDesk {
  const faults = { share, kinds, lateMaxMs: 1_000, staleMs: 500 };
  return { ...times, ...facts, standin: kinds.length > 0 ? { faults } : {} };
}

const silences: FaultKind[] = ['error_before', 'error_after', 'timeout_after', 'html_200', 'truncated_json'];
const untruths: FaultKind[] = ['not_written', 'late', 'accepted_202', 'stale_read', 'normalised'];
const refusals: FaultKind[] = ['conflict_409', 'throttled_seconds', 'read_500', 'unavailable_503'];

const storm: Paper = {
  desks: [
    desk({ name: 'crm', kind: 'upsert', actions: 160, lanes: 6 }, [
      ...silences,
      ...untruths,
      ...refusals,
      'partial_207',
      'short_207',
      'shuffled_207',
      'shuffled_207',
      'not_written',
      'not_written',
      'not_written',
    ]),
    desk({ name: 'tickets', kind: 'keyed', actions: 30 }, [...silences, ...untruths, ...refusals]),
    desk({ name: 'chat', kind: 'marker', actions: 40 }, [...silences, ...untruths, ...refusals]),
    desk({ name: 'orders', kind: 'plain', actions: 30 }, [...silences, ...refusals]),
  ],
  waves: 8,
  play: async (stage) => {
    const { scene, crew, failpoints, seed } = stage;
    const cells: Cell[] = [
      'commit_poll-after-kill-upsert',
      'commit_poll-after-kill-marker',
      'http_write-after-kill-marker',
      'http_write-after-kill-plain',
      'http_write-before-kill-keyed',
    ];
    for (const cell of cells)
      await failpoints.arm(cell, cell.startsWith('http') ? 1 + drawBelow(3, seed, cell) : 1);
    await crew.start(['all', 'all']);
    for (let wave = 0; wave < scene.workload.waves; wave += 1) {
      await scene.release(wave);
      await sleep(1_200);
    }
    await allHit(stage);
    await scene.detected();
    // The last words about most entities are to be said in bad weather.
    await until('most of it is done', async () => (await scene.progress()).open < 40);
  },
};

const liar = (name: string, kind: SceneDesk['kind'], actions: number): SceneDesk => ({
  ...times,
  lag: '4s',
  name,
  kind,
  actions,
  standin: { faults: { share: 0.6, kinds: ['late', 'late', 'not_written'], lateMaxMs: 2_200 } },
});

/** Desks that say done and do it later, or never, while the next version is already on its way. */
const lies: Paper = {
  desks: [liar('crm', 'upsert', 160), liar('tickets', 'keyed', 20), liar('chat', 'marker', 20)],
  waves: 8,
  play: async ({ scene, crew }) => {
    await crew.start(['all']);
    for (let wave = 0; wave < scene.workload.waves; wave += 1) {
      await scene.release(wave);
      await scene.detected();
    }
    await until('most of it is done', async () => (await scene.progress()).open < 20);
  },
};

/** Three processes fire the schedule while a poll of one of them stands still before its commit. */
const crowd: Paper = {
  desks: [desk({ name: 'tickets', kind: 'keyed', actions: 60, lanes: 2 })],
  waves: 2,
  play: async (stage) => {
    const { scene, crew, failpoints } = stage;
    await crew.start(['all', 'all', 'all']);
    await scene.release(0);
    await scene.detected();
    await failpoints.arm('commit_poll-before-stop-keyed');
    await scene.release(1);
    await allHit(stage);
    await until('the stopped has been continued', () => crew.stops >= 1 && crew.waiting === 0);
  },
  look: ({ ledger, expected }, { broken }) => {
    const more = ledger.actions.length - expected.size;
    if (more > 0) broken.push(`${more} transitions were detected twice`);
  },
};

/** A desk that answers batches in an order of its own. */
const shuffle: Paper = {
  desks: [desk({ name: 'crm', kind: 'upsert', actions: 200, lanes: 2 }, ['shuffled_207'], 1)],
  waves: 2,
  play: async ({ scene, crew }) => {
    await crew.start(['all']);
    for (let wave = 0; wave < scene.workload.waves; wave += 1) {
      await scene.release(wave);
      await scene.detected();
    }
    await until('most of it is done', async () => (await scene.progress()).open === 0);
  },
};

/** A worker that is stopped in the middle of its turn, and wakes up when another has done the rest of it. */
const stops: Paper = {
  desks: [
    desk({ name: 'chat', kind: 'marker', actions: 60, lanes: 1 }),
    desk({ name: 'crm', kind: 'upsert', actions: 60, lanes: 2 }),
  ],
  waves: 5,
  play: async (stage) => {
    const { scene, crew, failpoints, seed } = stage;
    await scene.standins.change('chat', { delayMs: 300 });
    // Between two waves of one turn: what comes next is an intent for actions that another has done meanwhile.
    await failpoints.arm('record-after-stop-marker', 2 + drawBelow(4, seed, 'pass'));
    await failpoints.arm('record-before-stop-upsert');
    await crew.start(['all', 'all', 'all']);
    for (let wave = 0; wave < scene.workload.waves; wave += 1) await scene.release(wave);
    await allHit(stage);
    await until('the stopped have been continued', () => crew.stops >= 2 && crew.waiting === 0);
  },
};

const drain: Paper = {
  desks: [
    desk({ name: 'chat', kind: 'marker', actions: 50, lanes: 2 }),
    desk({ name: 'tickets', kind: 'keyed', actions: 50, lanes: 2 }),
  ],
  waves: 1,
  play: async ({ scene, crew, broken }) => {
    for (const name of ['chat', 'tickets']) await scene.standins.change(name, { delayMs: 400 });
    await crew.start(['all']);
    await scene.release(0);
    await scene.detected();
    for (let stop = 0; stop < 2; stop += 1) {
      const { ended } = await scene.progress();
      await until('it works', async () => (await scene.progress()).ended > ended + 4, { everyMs: 20 });
      const [member] = crew.members;
      if (!member) throw new Error('nobody is at work');
      crew.dismiss(member);
      const code = await member.stop();
      if (code !== 0) broken.push(`asked to stop, it ended with exit code ${code}`);
      const listed = await scene.product.run('actions', '--since', 'all', '--output', 'json');
      const abandoned = (JSON.parse(listed) as { state: string }[]).filter(
        ({ state }) => state === 'sending',
      );
      if (abandoned.length > 0)
        broken.push(`asked to stop, it left ${abandoned.length} calls without an outcome`);
      await crew.add('all');
    }
    for (const name of ['chat', 'tickets']) await scene.standins.change(name, { delayMs: 0 });
  },
};

/** However long a destination is busy, nothing is given up for it. */
const throttle: Paper = {
  desks: [desk({ name: 'tickets', kind: 'keyed', actions: 3, lanes: 1, maxAttempts: 3 })],
  waves: 1,
  play: async ({ scene, crew }) => {
    await scene.standins.change('tickets', { alwaysThrottle: true });
    await crew.start(['all', 'all']);
    await scene.release(0);
    await until('it was throttled often', async () => {
      const { tickets } = await scene.standins.stats();
      return (tickets?.requests ?? 0) >= 8;
    });
    await scene.standins.change('tickets', { alwaysThrottle: false });
  },
  look: ({ ledger }, { broken }) => {
    const ended = ledger.actions.filter(({ state }) => state !== 'verified');
    if (ended.length > 0)
      broken.push(`${ended.length} actions ended as ${ended[0]?.state} for a busy destination`);
  },
};

/** A desk that fails for a while is asked by one request at a time whether it is well again. */
const breaker: Paper = {
  desks: [desk({ name: 'tickets', kind: 'keyed', actions: 60, lanes: 4 })],
  waves: 1,
  play: async ({ scene, crew }) => {
    await scene.standins.change('tickets', { accept: 0, delayMs: 200 });
    await crew.start(['all', 'all']);
    await scene.release(0);
    await sleep(22_000);
    await scene.standins.change('tickets', { accept: 1, delayMs: 0 });
  },
  look: ({ truth }, { broken }) => {
    const times = truth.requests.get('tickets') ?? [];
    const [first = 0] = times;
    // The breaker opens within 2 s; the desk fails for at least 18 s after the first request.
    const asking = times.filter((at) => at > first + 3_000 && at < first + 18_000);
    const most = Math.max(
      0,
      ...asking.map((at) => asking.filter((one) => one >= at && one < at + 1_000).length),
    );
    if (asking.length === 0) broken.push('nobody asked whether the desk is well again');
    if (most > 1) broken.push(`${most} requests at once asked whether the desk is well again`);
  },
};

/** A keyed desk that does everything, answers nothing, and shows none of it: only the key keeps it from doing it twice. */
const stale: Paper = {
  desks: [desk({ name: 'tickets', kind: 'keyed', actions: 4, lanes: 1 })],
  waves: 1,
  play: async ({ scene, crew }) => {
    const kinds: FaultKind[] = ['timeout_after', 'stale_read'];
    await scene.standins.change('tickets', { faults: { share: 1, kinds, staleMs: 120_000 } });
    await crew.start(['all']);
    await scene.release(0);
    await until('every write was made twice', async () => {
      const { tickets } = await scene.standins.stats();
      return (tickets?.faults.timeout_after ?? 0) >= 8;
    });
  },
};

async function sit(name: ExamName, paper: Paper, { seed, main, say }: Sitting): Promise<Figures> {
  const failpoints = await Failpoints.open();
  const { desks, waves } = paper;
  const scene = await Scene.open({ drill: `planted-${name}`, seed, desks, waves, say, env: failpoints.env });
  const crew = new Crew(scene.product, failpoints);
  const stage: Stage = { scene, crew, failpoints, seed, broken: [] };
  try {
    if (main) scene.product.use(main);
    await failpoints.watch(desks, scene.network.urls);
    await paper.play(stage);
    await scene.calm();
    await scene.detected();
    await scene.settled(90_000);
    await crew.end();
    await scene.product.stopAll();
    const { figures, it } = await scene.judge();
    paper.look?.(it, stage);
    figures.broken.push(...stage.broken);
    figures.kills = crew.kills;
    if (figures.actions === 0) figures.void = 'no action ended';
    return figures;
  } finally {
    await crew.end();
    await scene.close({ keep: process.env.KEEP !== undefined });
    await failpoints.close();
  }
}

async function allHit({ failpoints }: Stage): Promise<void> {
  let left: readonly string[] = [];
  const noneIsLeft = async () => {
    left = await failpoints.armed();
    return left.length === 0;
  };
  await until('every cell is hit', noneIsLeft, { deadlineMs: 90_000 }).catch(() => {
    throw new Error(`cells that were never hit: ${left.join(', ')}`);
  });
}
