import { setTimeout as sleep } from 'node:timers/promises';
import type { Drill, DrillOptions } from '../drill.ts';
import { type Figures, percentile } from '../figures.ts';
import { inScene, type Scene, type SceneDesk } from '../fleet/scene.ts';
import { until } from '../fleet/wait.ts';
import type { DeskSettings } from '../standins/config.ts';

export const drill: Drill = {
  name: 'sick-neighbour',
  summary:
    'of ten destinations one is dead, one always throttles, one takes 20 s: the other seven must not notice',
  actions: 12_000,
  run,
};

const sick: Record<string, { ill: DeskSettings; well: DeskSettings }> = {
  desk_0: { ill: { dead: true }, well: { dead: false } },
  desk_1: { ill: { alwaysThrottle: true }, well: { alwaysThrottle: false } },
  desk_2: { ill: { delayMs: 20_000 }, well: { delayMs: 0 } },
};
/** Healthy waves before and after show what the machine does by itself. */
const waveNames = ['warming up', 'healthy', 'sick', 'healthy again'] as const;
/** The shortest rest of a breaker. */
const intervalMs = 5_000;
const watchMs = { long: 60_000, short: 15_000 };

type Wave = { name: string; perSecond: number; p95Ms: number };

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const desks: SceneDesk[] = Array.from({ length: 10 }, (_, index) => ({
    name: `desk_${index}`,
    // One row a request, so that a vendor's limit decides how long a wave takes, and not the machine.
    kind: 'keyed',
    limit: { requests: 20, perMs: 1_000 },
    actions: Math.ceil(actions / 10),
    lanes: 2,
    changing: false,
  }));
  const options = { drill: drill.name, seed, desks, waves: waveNames.length, say };
  return inScene(options, async (scene) => {
    await scene.product.start();
    await scene.product.start();
    await scene.detected();
    const waves: Wave[] = [];
    let probes = 0;
    for (const [number, name] of waveNames.entries()) {
      for (const [desk, { ill, well }] of Object.entries(sick)) {
        await scene.standins.change(desk, name === 'sick' ? ill : well);
      }
      const wave = await work(scene, number);
      say(`${name}: ${wave.perSecond.toFixed(1)} a second, p95 ${wave.p95Ms.toFixed(0)} ms`);
      if (name === 'sick') probes = await probesPerInterval(scene, short ? watchMs.short : watchMs.long);
      waves.push({ name, ...wave });
    }
    // Breakers may rest for minutes yet; a short run does not wait for that.
    if (!short) await scene.settled(15 * 60_000);
    await scene.product.stopAll();
    const { figures } = await scene.judge(short ? { mayBeOpen: Object.keys(sick) } : {});
    const healthy = waves.filter((wave) => wave.name.startsWith('healthy'));
    const ill = waves.filter((wave) => wave.name === 'sick');
    const mean = (group: Wave[], of: (wave: Wave) => number) =>
      group.reduce((sum, one) => sum + of(one), 0) / group.length;
    figures.throughputShare = round(
      mean(ill, (one) => one.perSecond) / mean(healthy, (one) => one.perSecond),
    );
    figures.p95Ratio = round(mean(ill, (one) => one.p95Ms) / mean(healthy, (one) => one.p95Ms));
    figures.probesPerInterval = round(probes);
    figures.waves = waves;
    if (!short) judgeRatios(figures);
    if (probes > 1) figures.broken.push(`${probes} requests per 5 s to a dead destination`);
    if (figures.actions < 0.9 * actions) figures.void = `${figures.actions} of ${actions} actions ended`;
    return figures;
  });
}

/** Only of a long run: a wave of a short one lasts too briefly to be compared. */
function judgeRatios(figures: Figures): void {
  const { throughputShare, p95Ratio } = figures as unknown as { throughputShare: number; p95Ratio: number };
  if (throughputShare < 0.95) figures.broken.push(`the seven had ${throughputShare} of their throughput`);
  if (p95Ratio > 1.2) figures.broken.push(`the seven took ${p95Ratio} times as long`);
}

/** Releases a wave and waits until the seven have done it. */
async function work(scene: Scene, wave: number): Promise<{ perSecond: number; p95Ms: number }> {
  const started = performance.now();
  await scene.release(wave);
  const wanted = scene.workload.sizeOf(wave, ...Object.keys(sick));
  const done = () => healthyOf(scene, wave);
  await until('the seven are done', async () => (await done()).length >= wanted, { deadlineMs: 15 * 60_000 });
  const seconds = (performance.now() - started) / 1000;
  const times = (await done()).map((action) => Number(action.ms));
  return { perSecond: wanted / seconds, p95Ms: percentile(times, 0.95) };
}

/** Verified actions of the seven from this wave's entities on, with their time from the row to the verdict. */
function healthyOf(scene: Scene, wave: number): Promise<{ ms: string }[]> {
  // Without the wave before: all of it was done before this one was released.
  const since = scene.releasedAt[wave - 1]?.toISOString() ?? '-infinity';
  return scene.askLedger<{ ms: string }>(`
    select extract(epoch from settled_at - observed_at) * 1000 as ms
    from readback.actions
    where destination not in (${Object.keys(sick).map((name) => `'${name}'`)}) and state = 'verified' and observed_at > '${since}'`);
}

/** Requests to the dead desk, of all workers together, per shortest rest, once its breaker has had time to open. */
async function probesPerInterval(scene: Scene, forMs: number): Promise<number> {
  await sleep(intervalMs);
  const before = await requestsAt(scene);
  await sleep(forMs);
  return ((await requestsAt(scene)) - before) / (forMs / intervalMs);
}

/** A dead desk sees no request and each takes a connection of its own, so the network counts those. */
async function requestsAt(scene: Scene): Promise<number> {
  return (await scene.network.stats()).desk_0?.connections ?? 0;
}

const round = (value: number): number => Math.round(value * 100) / 100;
