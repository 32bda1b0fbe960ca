import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A disk of a few megabytes in memory. Only root may make one. */
export class SmallDisk {
  readonly folder: string;
  readonly #unmount = () => {
    try {
      execFileSync('umount', ['--lazy', this.folder], { stdio: 'ignore' });
    } catch {
      // Unmounted already.
    }
  };

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** undefined where mounting is not permitted. */
  static mount(folder: string, megabytes: number): SmallDisk | undefined {
    mkdirSync(folder, { recursive: true });
    try {
      const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'chaos', folder];
      execFileSync('mount', options, { stdio: 'ignore' });
    } catch {
      return undefined;
    }
    const disk = new SmallDisk(folder);
    process.once('exit', disk.#unmount);
    return disk;
  }

  /** Takes all space that is left. */
  fill(): void {
    const chunk = Buffer.alloc(64 * 1024);
    try {
      for (;;) writeFileSync(this.#ballast, chunk, { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  /** Gives it back. */
  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    process.off('exit', this.#unmount);
    this.#unmount();
  }

  get #ballast(): string {
    return join(this.folder, 'ballast');
  }
}
