/** What a client of NATS sends (https://docs.nats.io/reference/reference-protocols/nats-protocol). */
export type Operation =
  | { name: 'CONNECT'; options: Record<string, unknown> }
  | { name: 'PING' | 'PONG' }
  | { name: 'SUB'; subject: string; sid: string }
  | { name: 'UNSUB'; sid: string }
  | { name: 'PUB'; subject: string; reply: string | undefined; headers: string; payload: string };

const lineEnd = '\r\n';

/** Splits what arrives on one connection into operations; the rest waits for more. */
export class Operations {
  #waiting = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<Operation> {
    this.#waiting = Buffer.concat([this.#waiting, chunk]);
    for (;;) {
      const end = this.#waiting.indexOf(lineEnd);
      if (end < 0) return;
      const line = this.#waiting.toString('utf8', 0, end);
      const body = end + lineEnd.length;
      const length = bodyLength(line);
      if (this.#waiting.length < body + length) return;
      const operation = parse(line, this.#waiting.subarray(body, body + length));
      this.#waiting = this.#waiting.subarray(body + length);
      if (operation) yield operation;
    }
  }
}

/** A payload follows its line, and a line end follows the payload. The last word tells its length. */
function bodyLength(line: string): number {
  return /^H?PUB /i.test(line) ? Number(line.split(' ').at(-1)) + lineEnd.length : 0;
}

function parse(line: string, body: Buffer): Operation | undefined {
  const [name = '', ...words] = line.split(' ');
  switch (name.toUpperCase()) {
    case 'CONNECT':
      return { name: 'CONNECT', options: JSON.parse(line.slice(name.length)) };
    case 'PING':
      return { name: 'PING' };
    case 'PONG':
      return { name: 'PONG' };
    case 'SUB':
      return { name: 'SUB', subject: words[0] ?? '', sid: words.at(-1) ?? '' };
    case 'UNSUB':
      return { name: 'UNSUB', sid: words[0] ?? '' };
    case 'PUB':
      return publication(words.slice(0, -1), 0, body);
    case 'HPUB':
      return publication(words.slice(0, -2), Number(words.at(-2)), body);
    default:
      return undefined;
  }
}

function publication([subject = '', reply]: string[], headerLength: number, body: Buffer): Operation {
  const headers = body.toString('utf8', 0, headerLength);
  const payload = body.toString('utf8', headerLength, body.length - lineEnd.length);
  return { name: 'PUB', subject, reply, headers, payload };
}

/** One header of a message, by its name. */
export function headerOf(headers: string, name: string): string | undefined {
  for (const line of headers.split(lineEnd)) {
    const colon = line.indexOf(':');
    if (line.slice(0, colon).toLowerCase() === name.toLowerCase()) return line.slice(colon + 1).trim();
  }
  return undefined;
}

/** A message as a server delivers it. */
export function delivery(subject: string, sid: string, payload: string): string {
  return `MSG ${subject} ${sid} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
}

/** What a server says when nobody listens to the subject of a request. */
export function noResponders(subject: string, sid: string): string {
  const headers = 'NATS/1.0 503\r\n\r\n';
  return `HMSG ${subject} ${sid} ${headers.length} ${headers.length}\r\n${headers}\r\n`;
}

/** Whether a subject is one that a pattern with `*` and `>` names. */
export function matches(pattern: string, subject: string): boolean {
  const names = subject.split('.');
  const parts = pattern.split('.');
  if (parts.at(-1) === '>') {
    return (
      names.length >= parts.length && parts.slice(0, -1).every((part, n) => part === '*' || part === names[n])
    );
  }
  return names.length === parts.length && parts.every((part, n) => part === '*' || part === names[n]);
}
