import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import type { Budget } from '../sandbox-window.ts';
import { Associations } from './sandbox-associations.ts';
import { Lists } from './sandbox-lists.ts';
import { invalid, notFoundAnswer, Objects } from './sandbox-objects.ts';
import { makeProperty, objectTypeIds, type Property } from './sandbox-properties.ts';

/**
 * HubSpot in memory. Knows the properties of `sandbox-properties.ts` and refuses any other, as HubSpot does, until it
 * is created with `POST /crm/v3/properties/{type}`. The shapes of batch answers and of 429s follow recorded traffic
 * and the SDK's models; the wording of other errors is ours.
 */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new HubSpotSandbox(options.token ?? 'sandbox-token'), options);
}

class HubSpotSandbox extends SandboxVendor {
  readonly #objects = new Objects(this.records, this.faults);
  readonly #associations = new Associations(this.records, this.faults);
  readonly #lists = new Lists(this.records, this.faults);

  /** Of private apps on Free and Starter. */
  limitOf() {
    return { requests: 100, perMs: 10_000 };
  }

  kindOf({ method, path }: SandboxRequest) {
    return method === 'GET' || path.endsWith('/batch/read') ? 'read' : 'write';
  }

  answer(request: SandboxRequest): SandboxAnswer {
    return route(this.#objects, this.#associations, this.#lists, request);
  }

  unauthorized(): SandboxAnswer {
    return failure(401, 'Authentication credentials not found or not valid.', 'INVALID_AUTHENTICATION');
  }

  throttled(): SandboxAnswer {
    return {
      status: 429,
      body: {
        status: 'error',
        message: 'You have reached your ten_secondly_rolling limit.',
        errorType: 'RATE_LIMIT',
        correlationId: crypto.randomUUID(),
        policyName: 'TEN_SECONDLY_ROLLING',
      },
    };
  }

  broken(): SandboxAnswer {
    return failure(502, 'internal error', 'INTERNAL_ERROR');
  }

  override budgetHeaders({ limit, remaining }: Budget) {
    return {
      'X-HubSpot-RateLimit-Interval-Milliseconds': String(limit.perMs),
      'X-HubSpot-RateLimit-Max': String(limit.requests),
      'X-HubSpot-RateLimit-Remaining': String(remaining),
    };
  }

  settings(url: string) {
    return { access_token: this.token, base_url: url };
  }
}

function failure(status: number, message: string, category: string): SandboxAnswer {
  return { status, body: { status: 'error', message, correlationId: crypto.randomUUID(), category } };
}

function route(
  objects: Objects,
  associations: Associations,
  lists: Lists,
  request: SandboxRequest,
): SandboxAnswer {
  const { method, path, body } = request;
  const [root, version, area, named = '', ...rest] = path.slice(1).split('/');
  const work = `${method} ${rest.join('/')}`;
  if (root !== 'crm') return notFoundAnswer();
  if (version === 'v3' && area === 'lists') return lists.answer([named, ...rest], request);
  const type = objectNamed(named);
  if (version === 'v4' && area === 'associations') return associate(associations, type, rest, request);
  const known = objects.properties.get(type);
  if (version === 'v3' && area === 'objects' && !known)
    return invalid(`Unable to infer object type from: ${named}`);
  if (version !== 'v3' || !known) return notFoundAnswer();
  if (area === 'properties') return properties(known, method, rest[0], body);
  if (area !== 'objects') return notFoundAnswer();
  if (work === 'POST batch/upsert') return objects.upsert(type, body);
  if (work === 'POST batch/read') return objects.read(type, request);
  if (work === 'POST batch/archive') return objects.archive(type, body);
  if (work === 'POST ') return objects.create(type, body);
  if (work === 'GET ') return objects.list(type, Number(request.query.limit ?? 10));
  return method === 'GET' && rest[0] !== undefined ? objects.get(type, rest[0]) : notFoundAnswer();
}

function associate(
  associations: Associations,
  from: string,
  [named = '', ...rest]: string[],
  request: SandboxRequest,
): SandboxAnswer {
  const to = objectNamed(named);
  const { method, body } = request;
  switch (`${method} ${rest.join('/')}`) {
    case 'POST batch/associate/default':
      return associations.associate(from, to, body);
    case 'POST batch/create':
      return associations.associateAs(from, to, body);
    case 'POST batch/archive':
      return associations.archive(from, to, body);
    case 'POST batch/labels/archive':
      return associations.archiveLabels(from, to, body);
    case 'POST batch/read':
      return associations.read(from, to, request);
    case 'GET labels':
      return { status: 200, body: { results: associations.types(from, to) } };
    case 'POST labels':
      return associations.addLabel(from, to, String(body.label));
    default:
      return notFoundAnswer();
  }
}

function objectNamed(named: string): string {
  return Object.keys(objectTypeIds).find((name) => objectTypeIds[name] === named) ?? named;
}

function properties(
  known: Map<string, Property>,
  method: string,
  name: string | undefined,
  body: Record<string, unknown>,
): SandboxAnswer {
  if (method === 'GET' && name === undefined) return { status: 200, body: { results: [...known.values()] } };
  if (method === 'GET') {
    const property = known.get(name ?? '');
    return property ? { status: 200, body: property } : notFoundAnswer();
  }
  if (method !== 'POST') return notFoundAnswer();
  const created = String(body.name ?? '');
  if (!/^[a-z][a-z0-9_]*$/.test(created)) return invalid(`"${created}" is not a valid property name`);
  if (known.has(created)) return invalid(`A property named '${created}' already exists.`, 'CONFLICT');
  known.set(created, makeProperty({ ...body, name: created }));
  return { status: 201, body: known.get(created) };
}
