// A process of its own that uses the embedded server: prints what it holds, leaves when its input ends.
import { startEmbedded } from '../../src/store/embedded/index.ts';

const embedded = await startEmbedded({
  dataDir: process.argv[2] as string,
  log: { info() {}, warn() {} },
  settings: { fsync: 'off' },
});
console.log(JSON.stringify({ url: embedded.url, adopted: embedded.adopted, server: embedded.pid() }));
if (!process.argv.includes('--forget')) process.stdin.resume().once('end', () => embedded.release());
