import type { Socket } from 'node:net';
import { type ApiName, apis, apiVersions } from './sandbox-answers.ts';
import type { SandboxCluster } from './sandbox-cluster.ts';
import { type Login, loginOf, mechanisms } from './sandbox-login.ts';
import { Reader, write } from './sandbox-wire.ts';

const unsupportedMechanism = 33;
const loginFailed = 58;

/** One client's connection to one broker: frames, and who it is. */
export class Peer {
  readonly #cluster: SandboxCluster;
  readonly #node: number;
  #login: Login | undefined;
  #isKnown = false;

  constructor(cluster: SandboxCluster, node: number) {
    this.#cluster = cluster;
    this.#node = node;
  }

  /** Requests are answered in the order in which they came. */
  serve(socket: Socket): void {
    let waiting = Buffer.alloc(0);
    let done: Promise<void> = Promise.resolve();
    socket.setNoDelay(true).on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      waiting = Buffer.concat([waiting, chunk]);
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
        const end = 4 + waiting.readInt32BE(0);
        const frame = waiting.subarray(4, end);
        waiting = waiting.subarray(end);
        // As a broker does with what it cannot read.
        done = done.then(() => this.#answer(socket, new Reader(frame))).catch(() => void socket.destroy());
      }
    });
  }

  async #answer(socket: Socket, request: Reader): Promise<void> {
    const [key, version, correlation] = [request.int16(), request.int16(), request.int32()];
    request.string(); // client id
    const [name] = Object.entries(apis).find(([, api]) => api.key === key) ?? [];
    const reply = (body: Buffer) => {
      if (!socket.destroyed) socket.write(write.bytes(Buffer.concat([write.int32(correlation), body])));
    };
    if (name === 'ApiVersions') return reply(apiVersions(version));
    if (name === 'SaslHandshake') return reply(this.#handshake(request.string()));
    if (name === 'SaslAuthenticate') return reply(this.#authenticate(request.bytes()));
    const { min, max } = apis[name as ApiName] ?? { min: 0, max: -1 };
    if (!this.#isKnown || version < min || version > max) return void socket.destroy();
    const answer = await this.#cluster.answer(this.#node, name as ApiName, request);
    if (answer === 'cut') socket.resetAndDestroy();
    else reply(answer);
  }

  #handshake(mechanism: string): Buffer {
    const isOffered = mechanisms.includes(mechanism);
    if (isOffered) this.#login = loginOf(mechanism, this.#cluster.user, this.#cluster.token);
    const offered = write.list(mechanisms, (one) => [write.string(one)]);
    return Buffer.concat([write.int16(isOffered ? 0 : unsupportedMechanism), offered]);
  }

  #authenticate(message: Buffer): Buffer {
    const refused = this.#cluster.faults.take('unauthorized', 'SaslAuthenticate');
    const answer = refused ? undefined : this.#login?.(message);
    this.#isKnown = answer?.isDone === true;
    if (!answer)
      this.#cluster.log.push({ method: 'SaslAuthenticate', path: '', status: 401, at: Date.now() });
    return Buffer.concat([
      write.int16(answer ? 0 : loginFailed),
      answer ? write.nothing() : write.string('Authentication failed'),
      write.bytes(Buffer.from(answer?.said ?? '')),
      write.int64(0),
    ]);
  }
}
