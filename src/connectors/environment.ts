import type { Sandbox } from './connector.ts';

/**
 * The environment that points a project at a sandbox: `<CONNECTOR>_<SETTING>` for each setting that reaches it, such
 * as `HUBSPOT_BASE_URL`. The example project's `env:` references are named by the same rule.
 */
export function sandboxEnvironment(connector: string, sandbox: Sandbox): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sandbox.settings).map(([setting, value]) => [
      `${connector}_${setting}`.toUpperCase(),
      value,
    ]),
  );
}
