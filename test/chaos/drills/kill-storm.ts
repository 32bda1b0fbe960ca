import type { Drill, DrillOptions } from '../drill.ts';
import type { Figures } from '../figures.ts';
import { KillStorm, pickupMs } from '../fleet/kills.ts';
import { inScene } from '../fleet/scene.ts';
import { until } from '../fleet/wait.ts';
import { proxyFaults } from '../proxy/config.ts';
import { faultKinds } from '../standins/faults.ts';
import { fourDesks } from '../workload/desks.ts';

export const drill: Drill = {
  name: 'kill-storm',
  summary: 'kill -9 of a random process every 0.5 to 3 s while 30 % of the requests meet a fault',
  actions: 100_000,
  run,
};

/** From here on every kind of fault must have happened. */
const manyActions = 20_000;
/**
 * 200 kills take about six minutes; fewer prove too little. Under the storm a few thousand actions end, the destinations'
 * rests taking most of the time, so that of a large run the larger part ends in the calm, beside what the storm left behind.
 */
const forms = {
  long: { kills: 200, waves: 20, workers: 3, stormMs: 8 * 60_000, calmMs: 20 * 60_000, lateMaxMs: 30_000 },
  short: { kills: 5, waves: 5, workers: 2, stormMs: 30_000, calmMs: 60_000, lateMaxMs: 3_000 },
};

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  // 30 % together.
  const desks = fourDesks(actions, 0.25, form.lateMaxMs);
  const options = { drill: drill.name, seed, desks, networkFaults: 0.05, waves: form.waves, say };
  return inScene(options, async (scene) => {
    await scene.product.start('scheduler');
    for (let worker = 0; worker < form.workers; worker += 1) await scene.product.start('worker');
    await scene.detected();
    const storm = new KillStorm(scene.product, seed);
    storm.start({ least: 500, most: 3_000 });
    let released = 0;
    for (let wave = 0; wave < form.waves; wave += 1) {
      await scene.release(wave);
      await scene.detected();
      const { ended, open } = await scene.progress();
      say(`wave ${wave + 1} detected: ${ended} ended, ${open} open, ${storm.kills.length} kills`);
      const half = released + scene.workload.sizeOf(wave) / 2;
      released += scene.workload.sizeOf(wave);
      // The work is spread over the kills, and half of a wave is still open when the next one comes.
      const kills = (form.kills * (wave + 1)) / form.waves;
      await until(
        'half of the wave is done',
        async () => storm.kills.length >= kills && (await scene.progress()).ended >= half,
        { deadlineMs: form.stormMs / form.waves },
      ).catch(() => say('the wave takes too long; the next one comes'));
    }
    await storm.stop();
    say(`calm after ${storm.kills.length} kills`);
    await scene.calm();
    await scene.settled(form.calmMs);
    await scene.product.stopAll();
    const { figures } = await scene.judge();
    figures.kills = storm.kills.length;
    figures.pickupMs = await pickupMs(scene.product, storm.kills);
    figures.void = tooLittle(figures, form.kills, actions);
    return figures;
  });
}

/** Why the run proves nothing, or null. */
function tooLittle(figures: Figures, kills: number, actions: number): string | null {
  if (figures.kills < kills) return `${figures.kills} kills, ${kills} are needed`;
  if (figures.actions < 0.9 * actions) return `${figures.actions} of ${actions} actions ended`;
  const happened = figures.faultKinds as Record<string, number>;
  const missing = [...Object.keys(faultKinds), ...proxyFaults].filter((kind) => !happened[kind]);
  figures.missingKinds = missing;
  // The rarest kind needs a batch and one draw in sixty: a small run may do without.
  if (actions >= manyActions && missing.length > 0)
    return `faults that never happened: ${missing.join(', ')}`;
  return null;
}
