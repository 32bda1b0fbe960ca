import type { Project } from '../../config/model.ts';
import { writtenDestinations } from '../../config/play.ts';
import { type OpenWarehouse, validateAgainstWarehouses } from '../../validate/validate.ts';
import { count } from '../session.ts';
import { type Check, failed, passed } from './check.ts';

/** `engines` of package.json. */
const leastNode = [20, 19] as const;

export function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const hint = ok ? null : `install Node.js ${leastNode.join('.')} or newer`;
  return { check: 'node', ok, detail: process.versions.node, hint };
}

export function projectChecks(project: Project): Check[] {
  if (project.problems.length > 0) return project.problems.map((problem) => failed('files', problem));
  return [
    passed(
      'files',
      `${count(project.signals.size, 'signal')}, ${count(writtenDestinations(project).length, 'destination')}`,
    ),
  ];
}

/** Each warehouse answers, takes the SQL, and returns what keys, conditions and templates need. */
export async function warehouseChecks(project: Project, open: OpenWarehouse): Promise<Check[]> {
  const problems = await validateAgainstWarehouses(project, open);
  const broken = problems.map((problem) =>
    failed(problem.code === 'TEMPLATE' ? 'templates' : 'warehouse', problem),
  );
  if (broken.length > 0) return broken;
  const described = project.signals.size + project.enrichments.size;
  const names = [...project.warehouses.values()].map(({ name, type }) => `${name} (${type})`);
  return [
    passed('warehouses', names.join(', ')),
    passed('SQL', `${count(described, 'statement')} described`),
  ];
}
