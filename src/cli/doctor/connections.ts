import type { ConnectionConfig, Project } from '../../config/model.ts';
import { NotSent } from '../../connectors/connector.ts';
import type { Openings } from '../../openings.ts';
import { type Check, failed, passed } from './check.ts';

const callTimeoutMs = 15_000;

/** Tries each connection with the actions its destinations use. */
export async function connectionChecks(project: Project, openings: Openings): Promise<Check[]> {
  const checks: Check[] = [];
  for (const connection of project.connections.values()) {
    checks.push(...(await checkConnection(connection, project, openings)));
  }
  return checks;
}

async function checkConnection(
  { name, connector }: ConnectionConfig,
  project: Project,
  openings: Openings,
): Promise<Check[]> {
  const check = `connection ${name}`;
  const users = [...project.destinations.values()].filter((one) => one.connection === name);
  try {
    const { client, gate } = await openings.connection(name);
    await gate.endRest();
    const findings = await client.check(
      users.map(({ action, options }) => ({ action, options })),
      { signal: AbortSignal.timeout(2 * callTimeoutMs), timeoutMs: callTimeoutMs },
    );
    await gate.settled();
    if (findings.length === 0) return [passed(check, connector)];
    return findings.map(({ problem, hint }) => ({ check, ok: false, detail: problem, hint }));
  } catch (error) {
    if (error instanceof NotSent) return [{ check, ok: false, detail: error.message, hint: null }];
    return [failed(check, error)];
  }
}
