import { Readable } from 'node:stream';
import { heeded, stopped, throughGate, withDeadline } from '../calls.ts';
import type { CallOptions, Gate } from '../connector.ts';
import type { Problem } from '../rest.ts';
import { type Phase, problemOf } from './errors.ts';
import type { Mail } from './message.ts';
import type { Settings } from './schema.ts';

const ports = { starttls: 587, implicit: 465, none: 25 } as const;

/** The mail server: a connection of its own for each mail, and no retries. */
export class MailServer {
  readonly #settings: Settings;
  readonly #gate: Gate;

  constructor(settings: Settings, gate: Gate) {
    this.#settings = settings;
    this.#gate = gate;
  }

  /** Logs in and sends; without a mail it only logs in. Never throws for what the network or the server does. */
  async deliver(mail: Mail | undefined, call: CallOptions): Promise<{ kind: 'taken' } | Problem> {
    const made = mail && (await compose(mail));
    return throughGate(
      this.#gate,
      call,
      () => this.#attempt(made, call),
      ({ kind }) => kind === 'taken',
    );
  }

  async #attempt(made: Composed | undefined, call: CallOptions): Promise<{ kind: 'taken' } | Problem> {
    const progress: { phase: Phase } = { phase: 'connect' };
    try {
      await withDeadline(call, (signal) => this.#converse(made, call.timeoutMs, signal, progress));
      return { kind: 'taken' };
    } catch (error) {
      if (progress.phase === 'connect' && call.signal.aborted) return stopped;
      return heeded(this.#gate, problemOf(error, progress.phase, this.#secrets()));
    }
  }

  async #converse(
    made: Composed | undefined,
    timeoutMs: number,
    signal: AbortSignal,
    progress: { phase: Phase },
  ): Promise<void> {
    const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection');
    const { host, port, tls, user, password } = this.#settings;
    const connection = new SMTPConnection({
      host,
      port: port ?? ports[tls],
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    });
    const giveUp = () => connection.close();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        // Also between two steps the connection may break.
        connection.on('error', reject);
        const step = (next: () => void) => (error?: Error | null) => (error ? reject(error) : next());
        const send = step(() => {
          if (!made) return resolve();
          progress.phase = 'envelope';
          const body = Readable.from(pieces(made.body, progress));
          connection.send(made.envelope, body, step(resolve));
        });
        connection.connect(
          step(() => {
            if (user === undefined || password === undefined) return send();
            connection.login(
              { user, pass: password.reveal(), credentials: { user, pass: password.reveal() } },
              send,
            );
          }),
        );
      });
      connection.quit();
    } finally {
      signal.removeEventListener('abort', giveUp);
      connection.on('error', () => {});
      if (!signal.aborted) setImmediate(() => connection.close());
    }
  }

  #secrets(): string[] {
    const { user = '', password } = this.#settings;
    const plain = password?.reveal() ?? '';
    return [plain, ...[plain, `\0${user}\0${plain}`].map((text) => Buffer.from(text).toString('base64'))];
  }
}

/** Nothing is read of the mail before the server has said that it may come. */
function* pieces(body: Buffer, progress: { phase: Phase }): Generator<Buffer> {
  progress.phase = 'data';
  yield body;
}

interface Composed {
  envelope: { from: string; to: string[] };
  body: Buffer;
}

async function compose({ messageId, from, to, subject, text, html, replyTo }: Mail): Promise<Composed> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const node = new MailComposer({
    messageId: `<${messageId}>`,
    from,
    to: { name: '', address: to },
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    ...(replyTo === undefined ? {} : { replyTo: { name: '', address: replyTo } }),
    // No answers from those who are away (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile();
  const envelope = node.getEnvelope();
  return { envelope: { from: envelope.from || '', to: [to] }, body: await node.build() };
}
