import { connect, createServer, type Server, type Socket } from 'node:net';
import { draw } from '../random.ts';

/** The startup and its parameters: until a session is open there is nothing to commit. */
const messagesOfStartup = 3;

/**
 * A line between the product and Postgres that breaks at the worst moment: the server has done what it was asked, and
 * the answer never arrives. Whoever sent a COMMIT cannot know whether it counts.
 */
export class Cutter {
  /** Shares of COMMITs, and of all other statements, whose answer is lost. */
  share = { commits: 0, others: 0 };
  cuts = 0;
  cutCommits = 0;
  readonly #seed: number;
  readonly #to: number;
  readonly #server: Server;
  #asked = 0;

  private constructor(seed: number, to: number) {
    this.#seed = seed;
    this.#to = to;
    this.#server = createServer({ noDelay: true }, (client) => this.#carry(client));
  }

  static async open(seed: number, to: number): Promise<Cutter> {
    const cutter = new Cutter(seed, to);
    await new Promise<void>((resolve) => cutter.#server.listen(0, '127.0.0.1', resolve));
    return cutter;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  close(): void {
    this.#server.close();
  }

  #carry(client: Socket): void {
    const server = connect({ port: this.#to, host: '127.0.0.1', noDelay: true });
    client.on('error', () => server.destroy());
    server.on('error', () => client.resetAndDestroy());
    client.on('close', () => server.end());
    server.on('close', () => client.end());
    let messages = 0;
    let cut = false;
    client.on('data', (bytes) => {
      messages += 1;
      cut ||= messages > messagesOfStartup && this.#isCut(bytes);
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      // The first bytes of an answer prove that the statement was carried out.
      if (cut) client.resetAndDestroy();
      else client.write(bytes);
    });
  }

  /** Depends on the seed and on how many statements came before. */
  #isCut(bytes: Buffer): boolean {
    const isCommit = bytes[0] === 0x51 && /^commit\b/i.test(bytes.toString('latin1', 5, 12));
    const share = isCommit ? this.share.commits : this.share.others;
    if (share === 0 || draw(this.#seed, 'cut', this.#asked++) >= share) return false;
    this.cuts += 1;
    if (isCommit) this.cutCommits += 1;
    return true;
  }
}
