import { connect, createServer, type Socket } from 'node:net';

/** A statement that a flavour does not take, and what it says then. */
export type Refusal = readonly [pattern: RegExp, code: string, message: string];

const askForTls = 80_877_103;

export interface Gate {
  url: string;
  close(): Promise<void>;
}

/**
 * Stands on the wire before a real Postgres and lets through what the flavour would take. In the place of another statement
 * it passes on one that Postgres refuses, so that both sides know the transaction as failed, and gives the answer the
 * flavour's code and words.
 */
export async function openGate(url: string, refusals: readonly Refusal[]): Promise<Gate> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    for (const socket of [client, database]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    const refused: Refusal[] = [];
    let begun = false;
    const asked = cut((message) => {
      // The first has no type: it starts the session, cancels a query, or asks for TLS, which is not spoken here.
      if (!begun) {
        begun = true;
        if (message.readInt32BE(4) !== askForTls) return message;
        client.write('N');
        return Buffer.alloc(0);
      }
      const type = String.fromCharCode(message[0] as number);
      if (type !== 'Q' && type !== 'P') return message;
      const text = message.toString('utf8', 5);
      const refusal = refusals.find(([pattern]) => pattern.test(text));
      if (!refusal) return message;
      refused.push(refusal);
      return type === 'Q' ? framed('Q', 'refused\0') : framed('P', '\0refused\0\0\0');
    }, true);
    const answered = cut((message) => {
      const refusal = message[0] === 0x45 ? refused.shift() : undefined;
      return refusal ? framed('E', `SERROR\0C${refusal[1]}\0M${refusal[2]}\0\0`) : message;
    });
    client.on('data', (data) => database.write(asked(data)));
    database.on('data', (data) => client.write(answered(data)));
    client.on('close', () => database.destroy());
    database.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const gated = new URL(url);
  gated.port = String((server.address() as { port: number }).port);
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: gated.href, close };
}

function framed(type: string, text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.from(`${type}\0\0\0\0`);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Whole messages out of pieces. @param untyped the first message has no type before its length */
function cut(pass: (message: Buffer) => Buffer, untyped = false): (data: Buffer) => Buffer {
  let rest: Buffer = Buffer.alloc(0);
  let first = untyped;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const out: Buffer[] = [];
    for (;;) {
      const head = first ? 0 : 1;
      if (rest.length < head + 4) break;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) break;
      out.push(pass(rest.subarray(0, length)));
      rest = rest.subarray(length);
      first = false;
    }
    return Buffer.concat(out);
  };
}
