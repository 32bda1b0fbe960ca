// Warehouses and connectors keep their SQL in their own folders; the compiler copies only TypeScript.
import { cpSync } from 'node:fs';

cpSync('src', 'dist', {
  recursive: true,
  filter: (path) => !/\.\w+$/.test(path) || path.endsWith('.sql'),
});
