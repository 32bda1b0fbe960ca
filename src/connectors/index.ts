import type { Actions, Connector } from './connector.ts';

/** Every connector, by the name used in `connections:`. A new vendor is one folder and one line here. */
const connectors: Readonly<Record<string, () => Promise<{ connector: Connector }>>> = {
  http: () => import('./http/index.ts'),
  hubspot: () => import('./hubspot/index.ts'),
  intercom: () => import('./intercom/index.ts'),
  jira: () => import('./jira/index.ts'),
  kafka: () => import('./kafka/index.ts'),
  linear: () => import('./linear/index.ts'),
  nats: () => import('./nats/index.ts'),
  pagerduty: () => import('./pagerduty/index.ts'),
  postgres: () => import('./postgres/index.ts'),
  pubsub: () => import('./pubsub/index.ts'),
  salesforce: () => import('./salesforce/index.ts'),
  slack: () => import('./slack/index.ts'),
  smtp: () => import('./smtp/index.ts'),
  teams: () => import('./teams/index.ts'),
  webhook: () => import('./webhook/index.ts'),
  zendesk: () => import('./zendesk/index.ts'),
};

export const connectorNames = Object.keys(connectors);

/** Loads one connector's declarations (schemas only; the vendor's SDK loads in `open`). Undefined: no such vendor. */
export async function loadConnector(name: string): Promise<Connector | undefined> {
  return Object.hasOwn(connectors, name) ? (await connectors[name]?.())?.connector : undefined;
}

/**
 * The actions of a connection with these settings, as written; undefined when the settings should describe them and
 * do not. Without settings: those that every connection of the connector has.
 */
export function actionsOf(
  { actions }: Connector,
  settings: Record<string, unknown> = {},
): Actions | undefined {
  return typeof actions === 'function' ? actions(settings) : actions;
}
