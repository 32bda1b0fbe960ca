import { fileURLToPath } from 'node:url';

/**
 * The command line as users run it, compiled. Through a TypeScript loader a command that opens the ledger took 1.4 s of
 * processor time instead of 0.7. `scripts/test.mjs` compiles whatever is newer than it.
 */
export const compiledMain = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
