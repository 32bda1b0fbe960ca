import { join } from 'node:path';

/** What lives in a project's `.readback/` folder. */
export interface Files {
  folder: string;
  /** Postgres' own files. Somewhere else only when the user that runs the server cannot reach this folder. */
  data: string;
  password: string;
  port: string;
  log: string;
  lock: string;
  /** Links to the shared libraries, when they cannot be made inside the npm package. */
  libraries: string;
}

export function filesIn(folder: string): Files {
  return {
    folder,
    data: join(folder, 'data'),
    password: join(folder, 'password'),
    port: join(folder, 'port'),
    log: join(folder, 'postgres.log'),
    lock: join(folder, 'lock'),
    libraries: join(folder, 'lib'),
  };
}
