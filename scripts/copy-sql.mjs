// A warehouse keeps its SQL templates in its own folder; the compiler copies only TypeScript.
import { cpSync } from 'node:fs';

cpSync('src', 'dist', {
  recursive: true,
  filter: (path) => !/\.\w+$/.test(path) || path.endsWith('.sql'),
});
