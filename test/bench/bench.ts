// `npm run bench`: how fast and how large Readback is, as ratios within one run. See docs/benchmark.md.
import { readOptions } from './options.ts';
import { runBench } from './run.ts';
import { toTable } from './summary.ts';

try {
  const options = readOptions(process.argv.slice(2));
  const summary = await runBench(options, (line) => console.error(line));
  console.log(options.json ? JSON.stringify(summary) : toTable(summary));
} catch (error) {
  console.error(`bench: ${(error as Error).message}`);
  process.exitCode = 1;
}
