import { arch, cpus, platform, totalmem } from 'node:os';

export interface Machine {
  platform: string;
  cpu: string;
  cores: number;
  memoryGb: number;
  node: string;
  postgres: string;
  date: string;
}

/** Where the figures were measured: without it they mean nothing to anybody else. */
export function describeMachine(postgres: string): Machine {
  const processors = cpus();
  return {
    platform: `${platform()} ${arch()}`,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    postgres,
    date: new Date().toISOString().slice(0, 10),
  };
}
