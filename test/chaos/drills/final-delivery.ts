import type { Drill, DrillOptions } from '../drill.ts';
import type { Figures } from '../figures.ts';
import { inScene } from '../fleet/scene.ts';
import { fourDesks } from '../workload/desks.ts';

export const drill: Drill = {
  name: 'final-delivery',
  summary: 'desks that accept 70 % of the requests: 99.99 % of the actions must be verified inside their ttl',
  actions: 20_000,
  run,
};

const forms = {
  long: { ttl: '30m', waves: 10, calmMs: 31 * 60_000 },
  short: { ttl: '2m', waves: 4, calmMs: 90_000 },
};
const leastShare = 0.9999;

async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const form = short ? forms.short : forms.long;
  const desks = fourDesks(actions).map((desk) => ({ ...desk, ttl: form.ttl, standin: { accept: 0.7 } }));
  const options = { drill: drill.name, seed, desks, waves: form.waves, say };
  return inScene(options, async (scene) => {
    await scene.product.start();
    await scene.product.start();
    for (let wave = 0; wave < form.waves; wave += 1) {
      await scene.release(wave);
      await scene.detected();
    }
    const settled = await scene.settled(form.calmMs);
    await scene.product.stopAll();
    const { figures, it } = await scene.judge();
    // An action that a newer transition overtook before it was sent has nothing to deliver.
    const due = it.ledger.actions.filter((action) => action.state !== 'superseded');
    const inTime = due.filter(({ state }) => state === 'verified').length;
    figures.verifiedShare = inTime / due.length;
    figures.refusedRequests = it.truth.writes.filter(({ status }) => status === 503).length;
    if (inTime < leastShare * due.length) figures.broken.push(`${inTime} of ${due.length} are verified`);
    if (!settled) figures.broken.push('not settled within the ttl');
    if (figures.refusedRequests === 0) figures.void = 'no desk refused anything';
    if (figures.actions < 0.9 * actions) figures.void = `${figures.actions} of ${actions} actions ended`;
    return figures;
  });
}
