import type { Role } from '../../engine/role.ts';
import type { GlobalOptions } from '../options.ts';

interface Options extends GlobalOptions {
  role: Role;
  supervise?: boolean;
}

/** `readback start`: the service itself, or a supervisor that keeps one running. */
export async function execute(options: Options): Promise<number> {
  // Each loads only what it needs: a supervisor needs no database driver.
  if (options.supervise) {
    const { supervise } = await import('../supervisor.ts');
    return supervise(thisCommand());
  }
  const { serve } = await import('../service.ts');
  return serve(options, options.role);
}

/** How this process was started, without the option that made it a supervisor. */
function thisCommand(): string[] {
  const words = process.argv.slice(1).filter((word) => word !== '--supervise');
  return [process.execPath, ...process.execArgv, ...words];
}
