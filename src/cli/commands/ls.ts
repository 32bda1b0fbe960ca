import type { Project } from '../../config/model.ts';
import type { CompareOptions, OutputOptions } from '../options.ts';
import { formatRows, print, type Row } from '../output.ts';
import { scheduleText } from '../schedule.ts';
import { selectItems } from '../selection.ts';
import { openProject, remarkProblems } from '../session.ts';

const columns = ['type', 'name', 'schedule', 'on', 'uses', 'owner', 'tags', 'description'];

/** `readback ls`: what the project consists of, as far as it is selected. */
export async function execute(options: OutputOptions & CompareOptions): Promise<number> {
  const project = await openProject(options);
  remarkProblems(project);
  const { signals, destinations } = await selectItems(project, options);
  const used = new Set(destinations.map((destination) => destination.connection));
  const all = options.select === undefined && options.exclude === undefined;
  const connections = [...project.connections.values()].filter((one) => all || used.has(one.name));
  const rows: Row[] = [
    ...signals.map((signal) => ({
      ...base,
      type: 'signal',
      name: signal.name,
      schedule: scheduleText(signal.schedule),
      on: signal.on,
      uses: destinationsOf(project, signal.name),
      owner: signal.owner ?? null,
      tags: signal.tags,
      description: signal.description,
    })),
    ...destinations.map((one) => ({
      ...base,
      type: 'destination',
      name: one.name,
      on: one.on,
      uses: [`${one.connection}.${one.action}`],
      owner: one.owner ?? null,
      tags: one.tags,
      description: one.description,
    })),
    ...connections.map((one) => ({ ...base, type: 'connection', name: one.name, uses: [one.connector] })),
  ];
  // The description is for programs; in a table it would not fit.
  const shown = options.output === 'table' ? columns.filter((column) => column !== 'description') : columns;
  print(formatRows(options.output, shown, rows));
  return 0;
}

const base: Row = { schedule: null, on: [], owner: null, tags: [], description: null };

function destinationsOf(project: Project, signal: string): string[] {
  return [...project.destinations.values()]
    .filter((one) => one.signals.includes(signal))
    .map((one) => one.name);
}
