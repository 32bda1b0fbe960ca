import type { Webhook } from 'standardwebhooks';
import type { Settings } from './schema.ts';

/** Signs with every secret of the connection, the current one first. */
export class Signer {
  readonly #webhooks: Webhook[];

  private constructor(webhooks: Webhook[]) {
    this.#webhooks = webhooks;
  }

  /** Undefined: a secret cannot be understood. It is not quoted. */
  static async of({ secret, previous_secret }: Settings): Promise<Signer | undefined> {
    const { Webhook } = await import('standardwebhooks');
    const texts = [secret, previous_secret].flatMap((one) => one?.reveal().trim() ?? []);
    try {
      return new Signer(
        texts.map((text) =>
          text.startsWith('whsec_') ? new Webhook(text) : new Webhook(Buffer.from(text), { format: 'raw' }),
        ),
      );
    } catch {
      return undefined;
    }
  }

  /** The headers of one attempt (https://www.standardwebhooks.com). */
  headers(id: string, at: Date, body: string): Record<string, string> {
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': this.#webhooks.map((webhook) => webhook.sign(id, at, body)).join(' '),
    };
  }
}
