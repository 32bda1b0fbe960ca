import type { Drill, DrillOptions } from '../drill.ts';
import type { Figures } from '../figures.ts';
import { inScene, type SceneDesk } from '../fleet/scene.ts';
import type { Case } from '../oracle/judge.ts';

export const drill: Drill = {
  name: 'poison',
  summary: '200 rows with 1, 2 or 50 bad ones, refused whole or row by row: only the bad ones may suffer',
  actions: 1_200,
  run,
};

const badRows = [1, 2, 50];
/** The most that one request holds: two for each desk by default. */
const batchSize = 100;

/** @param actions over the six desks */
async function run({ seed, actions, short }: DrillOptions, say: (line: string) => void): Promise<Figures> {
  const rows = Math.ceil(actions / (2 * badRows.length));
  const kinds = badRows.flatMap((bad) => [true, false].map((atomic) => ({ bad, atomic })));
  const desks: SceneDesk[] = kinds.map(({ bad, atomic }) => ({
    name: `${atomic ? 'whole' : 'each'}_${bad}`,
    kind: 'upsert',
    actions: rows,
    // One lane and one wave, so that the rows come as full batches.
    lanes: 1,
    standin: { atomic, names: false },
  }));
  return inScene({ drill: drill.name, seed, desks, waves: 1, say }, async (scene) => {
    const bad = new Map<string, Set<string>>();
    for (const [index, { name }] of desks.entries()) {
      const entities = scene.workload.entitiesOf(name);
      const every = Math.floor(entities.length / (kinds[index]?.bad ?? 1));
      const chosen = entities.filter((_, place) => place % every === 0).slice(0, kinds[index]?.bad);
      bad.set(name, new Set(chosen));
      await scene.standins.change(name, { bad: chosen });
    }
    await scene.product.start();
    await scene.detected();
    await scene.release(0);
    await scene.detected();
    await scene.settled(short ? 60_000 : 300_000);
    await scene.product.stopAll();
    const { figures, it } = await scene.judge();
    figures.desks = desks.map(({ name }) => look(it, name, bad.get(name) ?? new Set(), figures.broken));
    if (figures.actions < actions) figures.void = `${figures.actions} of ${actions} actions ended`;
    return figures;
  });
}

/** What the bad rows of a desk cost, and whom. */
function look(it: Case, desk: string, bad: ReadonlySet<string>, broken: string[]): object {
  const actions = it.ledger.actions.filter(({ destination }) => destination === desk);
  const calls = it.truth.writes.filter((write) => write.desk === desk).length;
  const batches = Math.ceil(actions.length / batchSize);
  const extraCalls = calls - batches;
  // To halve a batch of n until each bad row stands alone takes two calls at each of log2 n depths.
  const allowed = Math.floor(bad.size * 2 * Math.log2(Math.min(batchSize, actions.length)) + 1);
  const siblings = actions.filter(({ entity }) => !bad.has(entity));
  const hurt = siblings.filter(({ state, attempts }) => state !== 'verified' || attempts !== 1).length;
  const spared = actions.filter(({ entity, state }) => bad.has(entity) && state !== 'rejected').length;
  if (extraCalls > allowed) broken.push(`${desk}: ${extraCalls} extra calls, ${allowed} are allowed`);
  if (hurt > 0) broken.push(`${desk}: ${hurt} good rows failed or lost an attempt`);
  if (spared > 0) broken.push(`${desk}: ${spared} bad rows are not rejected`);
  return { desk, bad: bad.size, calls, extraCalls, allowed, hurt, spared };
}
