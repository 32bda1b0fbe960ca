import { createVerify, generateKeyPairSync } from 'node:crypto';
import type { Sandbox, SandboxOptions } from '../connector.ts';
import { type SandboxAnswer, type SandboxRequest, SandboxVendor } from '../sandbox.ts';
import { serveSandbox } from '../sandbox-server.ts';
import type { Message } from './client.ts';

const project = 'sandbox';
const topics = ['customers', 'events'];

/** One key pair for all sandboxes of a process: making one takes long. */
let pair: { publicKey: string; privateKey: string } | undefined;

function keyPair() {
  pair ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return pair;
}

/** Google Pub/Sub in memory over HTTP, with two topics and one service account. */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return serveSandbox(new PubSubSandbox(options.token ?? 'sandbox-pubsub-key'), options);
}

/** Its token is the id of the key whose signature is accepted. */
class PubSubSandbox extends SandboxVendor {
  /** What was refused once is bad, however it is sent again. */
  readonly #bad = new Set<string>();
  #messages = 0;

  limitOf() {
    return { requests: 1_000, perMs: 1_000 };
  }

  kindOf({ path }: SandboxRequest) {
    return path.endsWith(':publish') ? 'write' : 'other';
  }

  override authorised({ headers }: SandboxRequest): boolean {
    const [head = '', claims = '', signature = ''] = (headers.authorization ?? '')
      .replace(/^Bearer /, '')
      .split('.');
    const { kid } = decoded(head);
    const { exp, scope } = decoded(claims);
    return (
      kid === this.token &&
      Number(exp) * 1000 > Date.now() &&
      String(scope).endsWith('/auth/pubsub') &&
      createVerify('RSA-SHA256')
        .update(`${head}.${claims}`)
        .verify(keyPair().publicKey, signature, 'base64url')
    );
  }

  answer({ method, path, body }: SandboxRequest): SandboxAnswer {
    const [, topic = '', verb] =
      /^\/v1\/projects\/sandbox\/topics\/([^/:]+):(publish|testIamPermissions)$/.exec(path) ?? [];
    if (method !== 'POST' || verb === undefined) return failure(404, 'NOT_FOUND', 'Not found');
    const exists = topics.includes(topic);
    if (verb === 'testIamPermissions')
      return { status: 200, body: exists ? { permissions: body.permissions } : {} };
    if (!exists)
      return failure(404, 'NOT_FOUND', `Resource not found (resource=projects/${project}/topics/${topic}).`);
    return this.#publish(topic, body.messages);
  }

  #publish(topic: string, messages: unknown): SandboxAnswer {
    if (!Array.isArray(messages) || messages.length === 0 || messages.length > 1_000)
      return failure(400, 'INVALID_ARGUMENT', 'The value for message_count is out of bounds: 1 to 1000.');
    const texts = messages.map((message) => JSON.stringify(message));
    for (const text of texts) if (this.faults.take('reject_item', text)) this.#bad.add(text);
    if (texts.some((text) => this.#bad.has(text)))
      return failure(400, 'INVALID_ARGUMENT', 'One or more messages in the publish request is invalid.');
    if (new Set(messages.map(({ orderingKey = '' }) => orderingKey)).size > 1)
      return failure(
        400,
        'INVALID_ARGUMENT',
        'In a single publish request, all messages must have no ordering key or they must all have the same ordering key.',
      );
    return {
      status: 200,
      body: { messageIds: messages.map((one, n) => this.#store(topic, one, texts[n] ?? '')) },
    };
  }

  #store(topic: string, { data, attributes, orderingKey }: Message, text: string): string {
    this.#messages += 1;
    const id = String(8_000_000_000_000_000 + this.#messages);
    const event = JSON.parse(Buffer.from(data, 'base64').toString('utf8'));
    if (!this.faults.take('accept_without_write', text))
      this.records.put('messages', id, { topic, attributes, orderingKey, event });
    return id;
  }

  unauthorized(): SandboxAnswer {
    return failure(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
  }

  throttled(): SandboxAnswer {
    return failure(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.');
  }

  broken(): SandboxAnswer {
    return failure(503, 'UNAVAILABLE', 'The service was unable to fulfill your request.');
  }

  settings(url: string): Record<string, string> {
    const key = {
      type: 'service_account',
      project_id: project,
      private_key_id: this.token,
      private_key: keyPair().privateKey,
      client_email: `readback@${project}.iam.gserviceaccount.com`,
    };
    return { project, endpoint: url, credentials: JSON.stringify(key) };
  }
}

function decoded(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return {};
  }
}

function failure(status: number, code: string, message: string): SandboxAnswer {
  return { status, body: { error: { code: status, status: code, message } } };
}
