import { setTimeout as sleep } from 'node:timers/promises';
import type { Drill, DrillOptions } from '../drill.ts';
import { type Figures, percentile } from '../figures.ts';
import { inScene, type Scene, type SceneDesk } from '../fleet/scene.ts';
import { until } from '../fleet/wait.ts';
import type { DeskSettings } from '../standins/config.ts';
import type { DeskKind } from '../workload/workload.ts';

export const drill: Drill = {
  name: 'sick-neighbour',
  summary: 'one of ten destinations is dead, always throttles or is slow: the other nine must not notice',
  actions: 10_000,
  run,
};

/** Healthy waves before and after show what the machine does by itself. */
const sicknesses: { name: string; settings: DeskSettings | null }[] = [
  { name: 'warming up', settings: null },
  { name: 'healthy', settings: null },
  { name: 'dead', settings: { dead: true } },
  { name: 'throttling', settings: { dead: false, alwaysThrottle: true } },
  { name: 'slow', settings: { alwaysThrottle: false, delayMs: 2_500 } },
  { name: 'healthy again', settings: { delayMs: 0 } },
];
const sick = 'desk_0';
/** The shortest rest of a breaker. */
const intervalMs = 5_000;
const watchMs = { long: 60_000, short: 15_000 };

type Wave = { name: string; perSecond: number; p95Ms: number; sickRequests: number };

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const kinds: DeskKind[] = ['upsert', 'keyed', 'marker'];
  const desks: SceneDesk[] = Array.from({ length: 10 }, (_, index) => ({
    name: `desk_${index}`,
    // The sick one takes one row a request, as the slowest kind does.
    kind: index === 0 ? 'keyed' : (kinds[index % kinds.length] as DeskKind),
    actions: Math.ceil(actions / 10),
    lanes: 2,
    changing: false,
  }));
  const chosen = short
    ? sicknesses.filter(({ name }) => name !== 'throttling' && name !== 'slow')
    : sicknesses;
  const options = { drill: drill.name, seed, desks, waves: chosen.length, say };
  return inScene(options, async (scene) => {
    await scene.product.start();
    await scene.product.start();
    await scene.detected();
    const waves: Wave[] = [];
    let probes = 0;
    for (const [number, { name, settings }] of chosen.entries()) {
      if (settings) await scene.standins.change(sick, settings);
      const before = await requestsAt(scene);
      const wave = await work(scene, number);
      say(`${name}: ${wave.perSecond.toFixed(1)} a second, p95 ${wave.p95Ms.toFixed(0)} ms`);
      if (name === 'dead') probes = await probesPerInterval(scene, short ? watchMs.short : watchMs.long);
      waves.push({ name, ...wave, sickRequests: (await requestsAt(scene)) - before });
    }
    // Its breaker may rest for minutes yet; a short run does not wait for that.
    if (!short) await scene.settled(15 * 60_000);
    await scene.product.stopAll();
    const { figures } = await scene.judge(short ? { mayBeOpen: sick } : {});
    const healthy = waves.filter((wave) => wave.name.startsWith('healthy'));
    const ill = waves.filter((wave) => !healthy.includes(wave) && wave.name !== 'warming up');
    const mean = (of: (wave: Wave) => number) =>
      healthy.reduce((sum, one) => sum + of(one), 0) / healthy.length;
    figures.throughputShare = round(
      Math.min(...ill.map((one) => one.perSecond)) / mean((one) => one.perSecond),
    );
    figures.p95Ratio = round(Math.max(...ill.map((one) => one.p95Ms)) / mean((one) => one.p95Ms));
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
  if (throughputShare < 0.8) figures.broken.push(`the nine had ${throughputShare} of their throughput`);
  if (p95Ratio > 1.25) figures.broken.push(`the nine took ${p95Ratio} times as long`);
}

/** Releases a wave and waits until the nine have done it. */
async function work(scene: Scene, wave: number): Promise<{ perSecond: number; p95Ms: number }> {
  const started = performance.now();
  await scene.release(wave);
  const wanted = scene.workload.sizeOf(wave, sick);
  const done = () => healthyOf(scene, wave);
  await until('the nine are done', async () => (await done()).length >= wanted, { deadlineMs: 15 * 60_000 });
  const seconds = (performance.now() - started) / 1000;
  const times = (await done()).map((action) => Number(action.ms));
  return { perSecond: wanted / seconds, p95Ms: percentile(times, 0.95) };
}

/** Verified actions of the nine from this wave's entities on, with their time from the row to the verdict. */
function healthyOf(scene: Scene, wave: number): Promise<{ ms: string }[]> {
  // Without the wave before: all of it was done before this one was released.
  const since = scene.releasedAt[wave - 1]?.toISOString() ?? '-infinity';
  return scene.askLedger<{ ms: string }>(`
    select extract(epoch from settled_at - observed_at) * 1000 as ms
    from readback.actions
    where destination <> '${sick}' and state = 'verified' and observed_at > '${since}'`);
}

/** Requests to the dead desk per shortest rest, once its breaker has had time to open. */
async function probesPerInterval(scene: Scene, forMs: number): Promise<number> {
  await sleep(intervalMs);
  const before = await requestsAt(scene);
  await sleep(forMs);
  return ((await requestsAt(scene)) - before) / (forMs / intervalMs);
}

/** A dead desk sees no request and each takes a connection of its own, so the network counts those. */
async function requestsAt(scene: Scene): Promise<number> {
  return (await scene.network.stats())[sick]?.connections ?? 0;
}

const round = (value: number): number => Math.round(value * 100) / 100;
