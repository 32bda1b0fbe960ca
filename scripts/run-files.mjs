// Runs test files with Node's own runner, in the order that is given: `node --test` sorts them. Used by test.mjs.
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

run({ files: process.argv.slice(2), concurrency: 4 })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(spec)
  .pipe(process.stdout);
