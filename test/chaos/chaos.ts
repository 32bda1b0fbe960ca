// `npm run chaos -- --drill <name> --seed <n>`: hurts the compiled product and judges what it did. See README.md here.
import { parseArgs } from 'node:util';
import { findDrill, listDrills } from './drills.ts';
import { holds } from './figures.ts';

class Usage extends Error {}

async function main(): Promise<number> {
  const { values } = readOptions();
  const drills = await listDrills();
  const list = drills.map(({ name, summary }) => `  ${name.padEnd(22)} ${summary}`).join('\n');
  if (values.list) {
    console.log(list);
    return 0;
  }
  const drill = await findDrill(values.drill ?? '');
  if (!drill)
    throw new Usage(`${values.drill ? `there is no drill ${values.drill}` : 'say --drill <name>'}:\n${list}`);
  const seed = wholeNumber('--seed', values.seed ?? '1', 0);
  const actions = wholeNumber('--actions', values.actions ?? String(drill.actions), 1);
  const started = performance.now();
  const say = (line: string) =>
    console.error(`${((performance.now() - started) / 1000).toFixed(1).padStart(7)} s  ${line}`);
  const figures = await drill.run({ seed, actions, short: values.short ?? false }, say);
  console.log(JSON.stringify(figures, null, 2));
  return holds(figures) ? 0 : 1;
}

function readOptions() {
  try {
    return parseArgs({
      options: {
        drill: { type: 'string' },
        seed: { type: 'string' },
        actions: { type: 'string' },
        short: { type: 'boolean' },
        list: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new Usage((error as Error).message);
  }
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new Usage(`${option} ${text}: write a whole number from ${least}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`chaos: ${error instanceof Usage ? error.message : (error as Error).stack}`);
  process.exitCode = error instanceof Usage ? 2 : 1;
}
// What a drill left open must not keep the shell waiting; its children end with this process.
process.exit();
