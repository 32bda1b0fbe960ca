import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Chance } from '../bad-input/chance.ts';
import { type Answer, CommandWorker, spawnCommand } from '../bad-input/cli.ts';
import { concerned, harmed } from '../bad-input/harm.ts';
import { type Answers, judge, type Verdict } from '../bad-input/judge.ts';
import { kinds, mutationNumber } from '../bad-input/kinds.ts';
import type { Mutation } from '../bad-input/mutation.ts';
import { restoreFiles, writeFiles, writeProject, writeWarehouse } from '../bad-input/project.ts';
import type { Drill } from '../drill.ts';
import { noFigures } from '../figures.ts';

/** Of the mutations that must be refused, this share must be told at the right line. */
const rightLineShare = 0.95;
/** One mutation in so many is also given to a process of its own, as users do; the answers must be the same. */
const spawnedOneIn = 20;
const workers = 2;
/** Of these, those that a mutation does not concern are compiled in turn. */
const signals = ['churn_risk', 'deal_won', 'low_stock', 'ticket_age'];

interface Tally {
  files: number;
  rejected: number;
  wrong: number;
}

/** A project folder of one worker, and what the sound project compiles to. */
interface Bench {
  folder: string;
  worker: CommandWorker;
  sound: ReadonlyMap<string, string>;
}

async function setUp(folder: string, warehouse: string): Promise<Bench> {
  await writeProject(folder, warehouse);
  const worker = new CommandWorker();
  const sound = new Map<string, string>();
  for (const name of signals) {
    const { stdout } = await worker.run(['--project', folder, 'compile', '--select', name]);
    // The signal's own statements come first, those of its enrichments follow.
    sound.set(name, stdout.split('-- target/compiled/enrich')[0] ?? '');
  }
  return { folder, worker, sound };
}

async function ask({ folder, worker, sound }: Bench, mutation: Mutation, index: number): Promise<Answers> {
  const { fault } = mutation;
  const run = (...args: string[]): Promise<Answer> => worker.run(['--project', folder, ...args]);
  const offline = fault?.needsWarehouse ? [] : ['--offline'];
  const validate = await run('validate', '--output', 'json', ...offline);
  const ls = await run('ls', '--output', 'json');
  const gone = fault ? harmed(fault) : new Set<string>();
  const own = new Set(Object.keys(mutation.files).flatMap((file) => [...concerned(file)]));
  const whole = signals.filter((name) => !gone.has(name) && !own.has(name));
  const name = whole[index % whole.length];
  if (name === undefined || fault?.harms.kind === 'warehouse') return { validate, ls, compile: null };
  return {
    validate,
    ls,
    compile: { answer: await run('compile', '--select', name), sound: sound.get(name) ?? '' },
  };
}

/** Whether a process of its own says the very same. */
async function saysTheSame({ folder }: Bench, mutation: Mutation, answer: Answer): Promise<boolean> {
  const offline = mutation.fault?.needsWarehouse ? [] : ['--offline'];
  const own = await spawnCommand(['--project', folder, 'validate', '--output', 'json', ...offline]);
  return own.code === answer.code && own.stdout === answer.stdout;
}

export const drill: Drill = {
  name: 'bad-input',
  summary: 'mutated project files: refused at the right line, without a crash, and nobody else is harmed',
  actions: 5_000,

  async run({ seed, actions, short }, say) {
    const root = await mkdtemp(join(tmpdir(), 'readback-bad-input-'));
    const tallies = new Map<string, Tally>(
      Object.keys(kinds).map((kind) => [kind, { files: 0, rejected: 0, wrong: 0 }]),
    );
    const found = {
      understood: 0,
      faulty: 0,
      rejected: 0,
      wrongLine: 0,
      crashes: 0,
      slow: 0,
      othersAffected: 0,
      secretsTold: 0,
    };
    let spawned = 0;
    let disagreed = 0;
    const examples: string[] = [];

    const note = async (
      index: number,
      mutation: Mutation,
      answers: Answers,
      verdict: Verdict,
    ): Promise<void> => {
      const tally = tallies.get(mutation.kind);
      if (!tally) return;
      tally.files += 1;
      if (mutation.fault) found.faulty += 1;
      if (answers.validate.code !== 0) tally.rejected += 1;
      if (answers.validate.code !== 0) found.rejected += 1;
      found.understood += Number(verdict.understood);
      found.wrongLine += Number(verdict.wrongLine);
      found.crashes += Number(verdict.crashed);
      found.slow += Number(verdict.slow);
      found.othersAffected += Number(verdict.othersAffected.length > 0);
      found.secretsTold += Number(verdict.secretTold);
      const wrongs = [
        !verdict.understood && 'not understood',
        verdict.wrongLine && 'wrong line',
        verdict.crashed && 'crashed',
        verdict.slow && 'slow',
        verdict.othersAffected.length > 0 && `affects ${verdict.othersAffected.join(', ')}`,
        verdict.secretTold && 'tells a secret',
      ].filter((wrong) => wrong !== false);
      if (wrongs.length === 0) return;
      tally.wrong += 1;
      const kept = join(root, 'wrong', String(index));
      await mkdir(kept, { recursive: true });
      await writeFiles(kept, mutation.files);
      const { stdout, stderr } = answers.validate;
      examples.push(
        `#${index} ${mutation.kind}: ${wrongs.join('; ')} ${JSON.stringify(mutation.fault)} ${kept}\n${(stdout + stderr).slice(0, 600)}`,
      );
    };

    const warehouse = join(root, 'warehouse.duckdb');
    await writeWarehouse(warehouse);
    const benches = await Promise.all(
      Array.from({ length: workers }, (_, one) => setUp(join(root, `project-${one}`), warehouse)),
    );
    let next = 0;
    const work = async (bench: Bench): Promise<void> => {
      for (let index = next++; index < actions; index = next++) {
        // Of its own chance, so that what a number means does not depend on which worker takes it.
        const mutation = mutationNumber(index, new Chance(seed * 1_000_003 + index));
        await writeFiles(bench.folder, mutation.files);
        const answers = await ask(bench, mutation, index);
        await note(index, mutation, answers, judge(mutation, answers));
        if ((index * 7 + seed) % spawnedOneIn === 0) {
          spawned += 1;
          disagreed += Number(!(await saysTheSame(bench, mutation, answers.validate)));
        }
        await restoreFiles(bench.folder, Object.keys(mutation.files));
        if (index % 500 === 499) say(`${index + 1} of ${actions}`);
      }
    };
    await Promise.all(benches.map(work));
    for (const { worker } of benches) worker.stop();

    for (const example of examples.slice(0, 40)) say(example);
    if (examples.length === 0) await rm(root, { recursive: true, force: true });
    else say(`the wrong ones are in ${join(root, 'wrong')}`);

    const share = found.wrongLine / Math.max(1, found.faulty);
    const harmless = actions - found.faulty;
    const broken: string[] = [];
    const misunderstood = actions - found.understood;
    if (misunderstood > 0) broken.push(`${misunderstood} were not understood`);
    if (share > 1 - rightLineShare) broken.push(`${found.wrongLine} were told at a wrong line`);
    if (found.crashes > 0) broken.push(`${found.crashes} crashed a command`);
    if (found.slow > 0) broken.push(`${found.slow} took too long`);
    if (found.othersAffected > 0) broken.push(`${found.othersAffected} harmed others`);
    if (found.secretsTold > 0) broken.push(`${found.secretsTold} told a secret`);
    if (disagreed > 0)
      broken.push(`${disagreed} of ${spawned} were answered differently by a process of its own`);
    const unseen = [...tallies].filter(([, tally]) => tally.files === 0).map(([kind]) => kind);
    return {
      ...noFigures('bad-input', seed),
      void: unseen.length > 0 && !short ? `never tried: ${unseen.join(', ')}` : null,
      actions,
      files: actions,
      harmless,
      rejected: found.rejected,
      wrongLine: share,
      crashes: found.crashes,
      slow: found.slow,
      othersAffected: found.othersAffected,
      secretsTold: found.secretsTold,
      spawned,
      byKind: Object.fromEntries(tallies),
      broken,
    };
  },
};
